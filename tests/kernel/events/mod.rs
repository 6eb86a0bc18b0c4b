//! What filters report, through ring buffers and perf event arrays.

mod consumer;
mod flood;
mod slow;
mod types;

use std::net::{SocketAddr, UdpSocket};

use crate::support::objects::{Made, compile};
use crate::support::process::{Ran, Running};
use crate::support::{Json, text};

/// Events that a filter reports for each packet.
const EACH: u64 = 8;

const HEAD: &str = "
    #define PERF_EVENT_ARRAY 4
    #define BPF_F_CURRENT_CPU 0xffffffffULL
    static long (*const bpf_get_smp_processor_id)(void) = (void *)8;
    static long (*const bpf_perf_event_output)(void *ctx, void *map, __u64 flags, void *data, __u64 size) = (void *)25;
    struct event { __u32 cpu; __u32 len; __u64 number; };
    __u64 tried[64], reported[64];";

/// Numbers its events, on each CPU from 0 on: a filter runs on a CPU to its end before it runs there again. A number is used up
/// when the event found room (a ring buffer), or in any case (a perf event array, where the loss is counted by the kernel).
fn numbering(map: &str, output: &str, next: &str) -> Made {
    compile(&format!(
        "{HEAD}
         {map}
         SEC(\"socket\") int numbers(struct __sk_buff *skb)
         {{
             __u32 cpu = bpf_get_smp_processor_id() & 63;
             struct event event = {{ cpu, skb->len, 0 }};
             for (int i = 0; i < {EACH}; i++) {{
                 event.number = {next}[cpu];
                 tried[cpu]++;
                 if (!{output}) reported[cpu]++;
             }}
             return 0;
         }}"
    ))
}

fn ring_filter(bytes: u32) -> Made {
    let map = format!(
        "struct {{ __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, {bytes}); }} events SEC(\".maps\");"
    );
    numbering(&map, "bpf_ringbuf_output(&events, &event, sizeof(event), 0)", "reported")
}

const PERF_MAP: &str =
    "struct { __uint(type, PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } events SEC(\".maps\");";

fn perf_filter() -> Made {
    let output = "bpf_perf_event_output(skb, &events, BPF_F_CURRENT_CPU, &event, sizeof(event))";
    // The kernel rounds a sample up to 20 bytes; the type tells how many of them count.
    numbering(&format!("{PERF_MAP} struct event *event_layout;"), output, "tried")
}

/// A load on a UDP socket, and where it listens.
fn load(made: &Made, more: &[&str]) -> (Running, SocketAddr) {
    let path = made.path();
    let running = Running::start(["load", &path, "--listen", "udp:127.0.0.1:0", "--json"].iter().chain(more));
    let local = text(&running.line("attached"), "local").parse().unwrap();
    (running, local)
}

/// Sends so many packets, each of which the filter has seen when this returns.
fn send(to: SocketAddr, packets: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    (0..packets).for_each(|_| assert_eq!(socket.send_to(b"packet", to).unwrap(), 6));
}

/// The lines that are no events.
fn others(ran: &Ran, kind: &str) -> Vec<Json> {
    let text = ran.text();
    let lines = text.lines().filter(|line| !line.starts_with("{\"kind\":\"event\""));
    lines.map(|line| serde_json::from_str::<Json>(line).unwrap()).filter(|line| line["kind"] == kind).collect()
}

fn summary(ran: &Ran) -> Json {
    let summaries = others(ran, "summary");
    assert_eq!(summaries.len(), 1);
    summaries[0].clone()
}

/// Reports through a ring buffer and a perf event array: a number and a struct with the packet after it.
fn two_maps() -> Made {
    compile(&format!(
        "{HEAD}
         {PERF_MAP}
         struct {{ __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); }} numbers SEC(\".maps\");
         struct {{ __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); }} counts SEC(\".maps\");
         struct length {{ __u32 len; __u32 cpu; }};
         struct twin {{ __u32 one; __u32 two; }};
         struct event *event_layout;
         struct length *length_layout;
         struct twin *twin_layout;
         SEC(\"socket\") int both(struct __sk_buff *skb)
         {{
             __u32 key = 0;
             __u64 *count = bpf_map_lookup_elem(&counts, &key);
             struct length length = {{ skb->len, bpf_get_smp_processor_id() }};
             struct twin twin = {{ 1, 2 }};
             struct event event = {{ bpf_get_smp_processor_id(), skb->len, 3 }};
             if (count) __sync_fetch_and_add(count, twin.two);
             bpf_ringbuf_output(&numbers, &length, sizeof(length), 0);
             bpf_perf_event_output(skb, &events, BPF_F_CURRENT_CPU | (__u64)skb->len << 32, &event, sizeof(event));
             return 0;
         }}"
    ))
}
