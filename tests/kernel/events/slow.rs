//! A reader that does not keep up is told so.

use std::net::SocketAddr;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{EACH, load, others, perf_filter, ring_filter, send, summary};
use crate::support::process::Running;
use crate::support::{Json, number};

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
