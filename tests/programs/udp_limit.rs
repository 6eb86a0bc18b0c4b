//! udp-limit: on packets, and on a server that one client floods while others wait.

use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::support::assertions::hold;
use crate::support::objects::program;
use crate::support::process::{Ran, Running};
use crate::support::{number, text};

#[test]
#[ignore = "needs CAP_BPF"]
fn each_client_has_its_burst_and_no_more() {
    hold("tests/run/programs/udp-limit.sh");
}

/// A server with the filter, and its address.
fn server(host: &str, every_us: u32, burst: u32) -> (Running, String) {
    let (every, burst) = (format!("every_us={every_us}"), format!("burst={burst}"));
    let listen = format!("udp:{host}:0");
    let args = ["load", &program("udp-limit"), "--listen", &listen, "--set", &every, "--set", &burst, "--json"];
    let running = Running::start(args);
    let address = text(&running.line("attached"), "local").to_owned();
    (running, address)
}

fn client(from: &str, to: &str) -> UdpSocket {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.connect(to).unwrap();
    socket
}

/// How much of a client was kept and dropped, by the last byte of its address.
fn shares(ran: &Ran) -> Vec<(i64, i64, i64)> {
    let entries = ran.map("clients")["entries"].as_array().unwrap().clone();
    let of = |entry: &serde_json::Value| {
        let last = entry["key"]["address"].as_array().unwrap().last().unwrap().as_i64().unwrap();
        (last, number(&entry["value"], "kept"), number(&entry["value"], "dropped"))
    };
    let mut shares: Vec<_> = entries.iter().map(of).collect();
    shares.sort_unstable();
    shares
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_client_that_floods_loses_its_own_datagrams_and_no_others() {
    let (running, address) = server("127.0.0.1", 3_600_000_000, 10);
    let (flood, modest) = (client("127.0.0.2", &address), client("127.0.0.3", &address));
    for number in 0..500 {
        flood.send(b"flood").unwrap();
        if number % 100 == 0 {
            modest.send(b"modest").unwrap();
        }
    }
    running.interrupt();
    let ran = running.end().expect(0);
    assert_eq!(shares(&ran), [(2, 10, 490), (3, 5, 0)]);
    // A drop by the filter is one of the socket.
    assert_eq!(number(&ran.summary(), "drops"), 490);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_bucket_fills_again_with_time_and_over_ipv6_too() {
    let (running, address) = server("[::1]", 400_000, 1);
    let client = client("::1", &address);
    for _ in 0..2 {
        client.send(b"taken").unwrap();
        client.send(b"too early").unwrap();
        thread::sleep(Duration::from_millis(450));
    }
    running.interrupt();
    assert_eq!(shares(&running.end().expect(0)), [(1, 2, 2)]);
}

/// Sends so many, no faster than loopback's queue (`net.core.netdev_max_backlog`) is emptied: what finds it full is lost before the filter.
fn send(client: &UdpSocket, count: u32) {
    for number in 0..count {
        client.send(b"x").unwrap();
        if number % 100 == 99 {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn no_token_is_taken_twice_when_all_cpus_ask_at_once() {
    let (running, address) = server("127.0.0.1", 3_600_000_000, 10_000);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = client("127.0.0.4", &address);
                send(&client, 5000);
            });
        }
    });
    running.interrupt();
    let shares = shares(&running.end().expect(0));
    assert_eq!(shares, [(4, 10_000, 10_000)]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_a_limit_nothing_is_dropped_however_many_cpus_ask_at_once() {
    let (running, address) = server("127.0.0.1", 0, 20);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = client("127.0.0.5", &address);
                send(&client, 20_000);
            });
        }
    });
    running.interrupt();
    assert_eq!(shares(&running.end().expect(0)), [(5, 80_000, 0)]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn more_clients_than_the_map_holds_are_limited_all_the_same() {
    let (running, address) = server("127.0.0.1", 3_600_000_000, 1);
    let count = 20_000_u32;
    for number in 0..count {
        let from = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + number).to_string();
        let client = client(&from, &address);
        client.send(b"kept").unwrap();
        client.send(b"dropped").unwrap();
    }
    running.interrupt();
    let ran = running.end().expect(0);
    assert!(shares(&ran).len() <= 16_384);
    let totals = ran.map(".bss")["entries"][0]["value"].clone();
    assert_eq!((number(&totals, "kept"), number(&totals, "dropped")), (count.into(), count.into()));
}
