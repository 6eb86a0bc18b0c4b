//! What filters report: through ring buffers and perf event arrays, under a flood, to the last event.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::observe::events::{Consumer, Event};
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::objects::{Made, compile};
use crate::support::process::{Ran, Running, run};
use crate::support::{Json, number, text, unhex};

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

/// Two threads that send packets in bursts, until it is dropped.
struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    fn of(to: SocketAddr) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let threads = (0..2).map(|_| {
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            std::thread::spawn(move || {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                while !stop.load(Ordering::Relaxed) {
                    for _ in 0..256 {
                        // When nobody listens any more this fails, and that is all right.
                        let _ = socket.send_to(b"packet", to);
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                    // So that on two processors the reader gets one now and then.
                    std::thread::sleep(Duration::from_millis(2));
                }
            })
        });
        Self { stop: stop.clone(), sent: sent.clone(), threads: threads.collect() }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

/// Sends so many packets, each of which the filter has seen when this returns.
fn send(to: SocketAddr, packets: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    (0..packets).for_each(|_| assert_eq!(socket.send_to(b"packet", to).unwrap(), 6));
}

/// An event line, without the time that it takes to read a million of them as JSON.
fn field<'a>(line: &'a str, name: &str) -> &'a str {
    let at = line.find(name).unwrap_or_else(|| panic!("no {name} in {line}")) + name.len();
    line[at..].split([',', '}', '"']).next().unwrap()
}

/// The numbers of a run's events, by CPU, in the order in which they were printed.
fn numbers(ran: &Ran) -> Vec<Vec<u64>> {
    let mut numbers = vec![Vec::new(); 64];
    let text = ran.text();
    let events = text.lines().filter(|line| line.starts_with("{\"kind\":\"event\""));
    for (n, line) in events.enumerate() {
        assert_eq!(field(line, "\"n\":").parse(), Ok(n as u64 + 1));
        let bytes = unhex(field(line, "\"bytes\":\""));
        assert_eq!(bytes.len(), 16, "{line}");
        let cpu = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        numbers[cpu as usize].push(u64::from_le_bytes(bytes[8..].try_into().unwrap()));
    }
    numbers
}

/// The lines that are no events.
fn others(ran: &Ran, kind: &str) -> Vec<Json> {
    let text = ran.text();
    let lines = text.lines().filter(|line| !line.starts_with("{\"kind\":\"event\""));
    lines.map(|line| serde_json::from_str::<Json>(line).unwrap()).filter(|line| line["kind"] == kind).collect()
}

/// What the filter itself has counted, by CPU.
fn counted(ran: &Ran, variable: &str) -> Vec<u64> {
    let globals = others(ran, "map").into_iter().find(|map| map["name"] == ".bss").unwrap();
    let values = globals["entries"][0]["value"][variable].as_array().unwrap().clone();
    values.iter().map(|value| value.as_u64().unwrap()).collect()
}

fn summary(ran: &Ran) -> Json {
    let summaries = others(ran, "summary");
    assert_eq!(summaries.len(), 1);
    summaries[0].clone()
}

/// Loads a filter under a flood and interrupts it after so many milliseconds.
fn under_flood(made: &Made, milliseconds: u64) -> Ran {
    let (running, local) = load(made, &[]);
    let flood = Flood::of(local);
    std::thread::sleep(Duration::from_millis(milliseconds));
    running.interrupt();
    let ran = running.end().expect(0);
    assert!(flood.sent.load(Ordering::Relaxed) > 0);
    ran
}

/// Milliseconds that are different each time, and not round.
const TIMES: [u64; 8] = [731, 13, 1117, 397, 1531, 211, 947, 1823];

#[test]
#[ignore = "needs CAP_BPF"]
fn of_a_million_events_in_a_ring_buffer_none_is_missing_or_doubled_whenever_the_load_is_interrupted() {
    let made = ring_filter(1 << 18);
    let mut events = 0;
    for milliseconds in TIMES.iter().cycle().take(40) {
        let ran = under_flood(&made, *milliseconds);
        let reported = counted(&ran, "reported");
        for (cpu, numbers) in numbers(&ran).iter().enumerate() {
            assert_eq!(numbers.len() as u64, reported[cpu], "CPU {cpu}: the filter's own count");
            let gap = numbers.iter().enumerate().find(|(expected, number)| *expected as u64 != **number);
            assert_eq!(gap, None, "CPU {cpu}: not the next number");
        }
        let seen = reported.iter().sum::<u64>();
        assert_eq!(number(&summary(&ran), "events") as u64, seen);
        // What found no room is not counted by the kernel, but that there was none is seen.
        let failed = counted(&ran, "tried").iter().sum::<u64>() - seen;
        let full = number(&summary(&ran), "ring_full");
        assert!(failed == 0 || full > 0, "{failed} events found no room, and nobody says so");
        assert_eq!(others(&ran, "warning").iter().any(|warning| warning["code"] == "full"), full > 0);
        events += seen;
        if events > 1_000_000 {
            return;
        }
    }
    panic!("only {events} events");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_a_perf_event_array_what_came_and_what_is_said_to_be_lost_is_what_was_sent() {
    let made = perf_filter();
    for milliseconds in &TIMES[..5] {
        let ran = under_flood(&made, *milliseconds);
        let (tried, reported) = (counted(&ran, "tried"), counted(&ran, "reported"));
        let mut lost = vec![0; 64];
        for line in others(&ran, "lost") {
            assert_eq!(line["map"], "events");
            lost[number(&line, "cpu") as usize] += number(&line, "count") as u64;
        }
        for (cpu, numbers) in numbers(&ran).iter().enumerate() {
            assert_eq!(numbers.len() as u64, reported[cpu], "CPU {cpu}: the filter's own count");
            assert_eq!(numbers.len() as u64 + lost[cpu], tried[cpu], "CPU {cpu}");
            assert!(numbers.is_sorted_by(|one, next| one < next), "CPU {cpu}: not in order");
        }
        let (summary, total) = (summary(&ran), lost.iter().sum::<u64>());
        assert_eq!(number(&summary, "events_lost") as u64, total);
        assert_eq!(others(&ran, "warning").iter().any(|warning| warning["code"] == "lost"), total > 0);
        assert!(number(&summary, "events") > 0, "{summary}");
    }
}

/// Lets a load sleep while so many packets come.
fn while_it_sleeps(running: &Running, to: SocketAddr, packets: usize) {
    let pid = Pid::from_raw(running.pid().cast_signed());
    kill(pid, Signal::SIGSTOP).unwrap();
    send(to, packets);
    kill(pid, Signal::SIGCONT).unwrap();
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_reader_that_does_not_keep_up_with_a_perf_event_array_is_told_how_much_it_lost() {
    let made = perf_filter();
    let (running, local) = load(&made, &[]);
    while_it_sleeps(&running, local, 5000);
    running.interrupt();
    let ran = running.end().expect(0);
    let (events, lost) = (number(&summary(&ran), "events"), number(&summary(&ran), "events_lost"));
    assert!(lost > 0, "{}", summary(&ran));
    assert_eq!((events + lost) as u64, 5000 * EACH);
    let warnings = others(&ran, "warning");
    assert_eq!(warnings.iter().filter(|warning| warning["code"] == "lost").count(), 1, "{warnings:?}");

    // As text.
    let path = made.path();
    let running = Running::start(["load", &path, "--listen", "udp:127.0.0.1:0"]);
    running.says("attached to udp ");
    let said = running.narration();
    let local = said.split("attached to udp ").nth(1).unwrap().split(';').next().unwrap().parse().unwrap();
    while_it_sleeps(&running, local, 5000);
    running.interrupt();
    let ran = running.end().expect(0);
    assert!(ran.stderr.contains("warning: map `events`: "), "{}", ran.stderr);
    assert!(ran.stderr.contains(" events lost\n"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_ring_buffer_that_was_full_is_said_to_have_been() {
    let made = ring_filter(4096);
    let (running, local) = load(&made, &[]);
    while_it_sleeps(&running, local, 100);
    running.interrupt();
    let ran = running.end().expect(0);
    assert!(number(&summary(&ran), "ring_full") > 0, "{}", summary(&ran));
    // The kernel does not count them, so nobody can.
    assert_eq!(number(&summary(&ran), "events_lost"), 0);
    let warnings = others(&ran, "warning");
    assert_eq!(warnings.iter().filter(|warning| warning["code"] == "full").count(), 1, "{warnings:?}");

    let (running, local) = load(&made, &[]);
    send(local, 1);
    running.interrupt();
    let ran = running.end().expect(0);
    assert_eq!(number(&summary(&ran), "events") as u64, EACH);
    assert_eq!(number(&summary(&ran), "ring_full"), 0);
    assert_eq!(others(&ran, "warning"), Vec::<Json>::new());
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

/// What two_maps() reports of one packet.
fn two_events(more: &[&str]) -> (Json, Json) {
    let made = two_maps();
    let (running, local) = load(&made, &[more, &["--count", "2"]].concat());
    send(local, 1);
    let ran = running.end().expect(0);
    assert_eq!(ran.summary()["ended"], "count reached");
    let events = ran.kind("event");
    let of = |map: &str| events.iter().find(|event| event["map"] == map).unwrap().clone();
    (of("numbers"), of("events"))
}

#[test]
#[ignore = "needs CAP_BPF"]
fn events_of_two_maps_have_the_types_that_were_asked_for() {
    let (ring, perf) = two_events(&["--event-type", "numbers=length", "--event-type", "events=struct event"]);
    assert_eq!(ring["type"], "length");
    // The UDP header, and six bytes.
    assert_eq!(number(&ring["value"], "len"), 14);
    assert!(ring.get("cpu").is_none() && ring.get("rest").is_none(), "{ring}");

    assert_eq!(perf["type"], "event");
    assert_eq!(perf["value"], serde_json::json!({ "cpu": perf["cpu"], "len": 14, "number": 3 }));
    let bytes = unhex(text(&perf, "bytes"));
    let rest = unhex(text(&perf, "rest"));
    assert_eq!(bytes[16..], rest);
    assert_eq!(&rest[8..14], b"packet", "{perf}");
    assert_eq!(number(&perf, "cpu"), number(&ring["value"], "cpu"));
    let apart = perf["t"].as_f64().unwrap() - ring["t"].as_f64().unwrap();
    assert!(apart.abs() < 10.0, "both are seconds since the start: {ring} {perf}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_event_whose_type_is_not_certain_or_too_long_is_shown_as_bytes() {
    let (ring, perf) = two_events(&[]);
    // Two structs have eight bytes, and none has the perf event's.
    for event in [&ring, &perf] {
        assert_eq!((&event["type"], &event["value"]), (&Json::Null, &Json::Null), "{event}");
    }
    let (ring, _) = two_events(&["--event-type", "numbers=event"]);
    assert_eq!((&ring["type"], text(&ring, "bytes").len()), (&Json::Null, 16), "{ring}");
}

#[test]
fn a_wrong_event_type_is_a_usage_error_that_lists_what_there_is() {
    let made = two_maps();
    let path = made.path();
    let refused = |event_type: &str| {
        let args = ["load", &path, "--listen", "udp:127.0.0.1:0", "--dry-run", "--json", "--event-type", event_type];
        let ran = run(args).expect(2);
        if ran.kind("error").is_empty() { ran.stderr } else { text(&ran.only("error"), "message").to_owned() }
    };
    let message = refused("nosuch=event");
    assert!(message.contains("no map `nosuch` is loaded; those with events are: "), "{message}");
    assert!(message.contains("events") && message.contains("numbers") && !message.contains("counts"), "{message}");
    let message = refused("counts=event");
    assert!(message.contains("map `counts` has no events; those that have are: "), "{message}");
    let message = refused("events=nosuch");
    assert!(message.contains("no struct `nosuch`; there are: "), "{message}");
    assert!(message.contains("event, ") && message.contains("length") && message.contains("twin"), "{message}");
    assert!(refused("events").contains("expected MAP=STRUCT"));
}

/// Loads what was compiled, in this process.
fn load_here(made: &Made) -> Kernel {
    let bytes = made.bytes();
    let object = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec)).unwrap();
    Kernel::load(&plan).unwrap()
}

/// Whether something can be read, without waiting.
fn is_readable(consumer: &Consumer<'_>) -> bool {
    poll(&mut [PollFd::new(consumer.as_fd(), PollFlags::POLLIN)], 0u8).unwrap() == 1
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_consumer_of_two_maps_is_readable_while_there_is_something_to_read_and_takes_turns() {
    let kernel = load_here(&two_maps());
    let mut consumer = Consumer::with_perf_pages(kernel.maps().map(|(_, map)| map), 1).unwrap();
    assert!(!consumer.is_empty() && consumer.slots().count() > 0);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    kernel.program_named("both").unwrap().attach(&socket).unwrap();
    assert!(!is_readable(&consumer));
    // 40 bytes of header and event, and 24 of packet: a page takes 56 of them, the ring buffer has room for all.
    send(socket.local_addr().unwrap(), 200);
    assert!(is_readable(&consumer));
    let (mut ring, mut perf, mut lost) = (0, 0, 0);
    let mut count = |event: Event<'_>| match event {
        Event::Record(record) if record.cpu.is_some() => perf += 1,
        Event::Record(record) => {
            assert_eq!(record.bytes.len(), 8);
            ring += 1;
        }
        Event::Lost(gone) => lost += gone.count,
    };
    assert_eq!(consumer.consume(150, &mut count), 150);
    let rest = consumer.consume(usize::MAX, &mut count);
    // Of each CPU's perf event it is still to be told that there was something; once.
    assert!((0..64).any(|_| !is_readable(&consumer)));
    assert!(!is_readable(&consumer));
    assert_eq!(consumer.drain(usize::MAX, &mut count), 0);
    assert_eq!((ring, perf + lost), (200, 200));
    assert!(perf >= 50 && lost > 0, "{perf} {lost}");
    assert_eq!(rest as u64, ring + perf - 150);
    assert_eq!(consumer.found_full().map(|(map, times)| (map.name(), times)).collect::<Vec<_>>(), [("numbers", 0)]);
}
