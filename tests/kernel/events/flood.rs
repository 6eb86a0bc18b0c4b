//! Under a flood, and interrupted at any time: every event is there, to the last, or is said to be lost.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{load, others, perf_filter, ring_filter, summary};
use crate::support::objects::Made;
use crate::support::process::Ran;
use crate::support::{number, unhex};

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

/// What the filter itself has counted, by CPU.
fn counted(ran: &Ran, variable: &str) -> Vec<u64> {
    let globals = others(ran, "map").into_iter().find(|map| map["name"] == ".bss").unwrap();
    let values = globals["entries"][0]["value"][variable].as_array().unwrap().clone();
    values.iter().map(|value| value.as_u64().unwrap()).collect()
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
