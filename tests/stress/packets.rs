//! A long load, as fast as packets go.

use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::memory::{SLACK, descriptors, resident};
use crate::support::objects::{Made, compile, object};
use crate::support::process::{MINIBPF, json_lines};
use crate::support::{number, wait_for};
use crate::{alone, figure, scale};

/// Datagrams that are sent before memory is looked at for the first time.
const FIRST: u32 = 20_000;

/// Sends so many; all of them reach the filter, though the socket may drop what it has no room for.
fn send(to: &str, count: u32) {
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.connect(to).unwrap();
    for _ in 0..count {
        // A full queue of the machine's is no end of the test.
        while sender.send(b"sixteen bytes ..").is_err() {}
    }
}

/// Loads a filter on a UDP socket, sends, and says how memory went and how often the filter ran.
fn load(what: &str, object: &str, count: u32) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let start = Instant::now();
    let mut child = Command::new(MINIBPF)
        .args(["load", object, "--listen", "udp:127.0.0.1:0", "--json", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(std::fs::File::create(&out).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let text = || std::fs::read_to_string(&out).unwrap();
    let local = wait_for("the socket", crate::support::PATIENCE, || {
        let text = text();
        let line = text.lines().find(|line| line.contains("\"kind\":\"attached\""))?;
        Some(json_lines(line)[0]["local"].as_str().unwrap().to_owned())
    });
    send(&local, FIRST);
    let before = (resident(child.id()), descriptors(child.id()));
    send(&local, count);
    let after = (resident(child.id()), descriptors(child.id()));
    let took = start.elapsed();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), nix::sys::signal::Signal::SIGINT)
        .unwrap();
    assert!(child.wait().unwrap().success());
    let text = text();
    let summary = json_lines(text.lines().last().unwrap()).remove(0);
    assert_eq!(summary["kind"], "summary");
    // Everybody who has switched the statistics on counts them.
    assert!(number(&summary, "run_cnt") >= i64::from(FIRST + count), "{summary}");
    assert!(after.0 <= before.0 + SLACK, "resident memory grew from {} kB to {} kB", before.0, after.0);
    assert_eq!(after.1, before.1, "descriptors");
    let (ran, events) = (number(&summary, "run_cnt"), number(&summary, "events"));
    figure(
        what,
        &format!(
            "the filter ran {ran} times in {:.0} s, {events} events read; resident memory {} kB, then {} kB",
            took.as_secs_f64(),
            before.0,
            after.0
        ),
    );
}

/// Reports every packet.
fn reporting() -> Made {
    compile(
        "struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 16); } seen SEC(\".maps\");
         SEC(\"socket\") int report(struct __sk_buff *skb)
         {
             __u32 len = skb->len;
             bpf_ringbuf_output(&seen, &len, sizeof(len), 0);
             return skb->len;
         }",
    )
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_long_load_keeps_its_memory_and_its_descriptors() {
    let _alone = alone();
    load("a long load of `count`", &object("count"), scale(100_000, 1_000_000));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_long_load_that_reports_every_packet_keeps_its_memory_and_its_descriptors() {
    let _alone = alone();
    load("a long load that reports every packet", &reporting().path(), scale(100_000, 1_000_000));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn whoever_reads_slowly_slows_the_load_down_and_does_not_fill_its_memory() {
    let _alone = alone();
    let count = scale(100_000, 1_000_000);
    // Nobody reads its standard output, of which a pipe takes 64 KiB.
    let mut command = Command::new(MINIBPF);
    command.args(["load", &object("pass"), "--listen", "udp:127.0.0.1:0"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    while !said.contains("attached to") {
        std::io::BufRead::read_line(&mut stderr, &mut said).unwrap();
    }
    let local = said.split("udp ").nth(1).unwrap().split([',', ';', ' ']).next().unwrap().to_owned();
    send(&local, FIRST);
    let before = resident(child.id());
    send(&local, count);
    let after = resident(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(after <= before + SLACK, "resident memory grew from {before} kB to {after} kB");
    figure(
        "a load whose output nobody reads",
        &format!("{count} datagrams sent; resident memory {before} kB, then {after} kB"),
    );
}
