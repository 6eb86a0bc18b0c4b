//! `minibpf load`: what passes, what is counted, and what the kernel holds meanwhile.

use std::fs;

use crate::support::bpftool::{bpftool, wait_until_gone};
use crate::support::objects::{COMMITTED, object};
use crate::support::process::{Ran, Running, run_with_input};
use crate::support::server::{HttpServer, answering, reading, serve};
use crate::support::{Json, number, text};

/// An HTTP answer without the one line that differs from second to second.
fn without_date(answer: &[u8]) -> String {
    let text = String::from_utf8(answer.to_vec()).unwrap();
    text.split_inclusive('\n').filter(|line| !line.starts_with("Date:")).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn every_committed_filter_lets_a_request_and_its_answer_through_unchanged() {
    let server = HttpServer::start();
    let plain = server.answer();
    for name in COMMITTED {
        let ran = run_with_input(["load", &object(name), "--connect", &server.target()], HttpServer::REQUEST).expect(0);
        assert_eq!(without_date(&ran.stdout), without_date(&plain), "{name}");
        assert!(ran.stderr.contains("detached: peer closed"), "{}", ran.stderr);
        let sent = format!("{} bytes sent, {} bytes received", HttpServer::REQUEST.len(), plain.len());
        assert!(ran.stderr.contains(&sent), "no `{sent}` in {}", ran.stderr);
        assert!(!ran.stderr.contains("warning:"), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn bytes_of_every_value_pass_unchanged_and_output_keeps_them() {
    static ALL: [u8; 256] = {
        let mut all = [0; 256];
        let mut at = 0;
        while at < 256 {
            all[at] = at as u8;
            at += 1;
        }
        all
    };
    let server = answering("127.0.0.1", &ALL);
    let ran = run_with_input(["load", &object("pass"), "--connect", &server.target()], b"\x00\xff").expect(0);
    assert_eq!(ran.stdout, ALL);

    let server = answering("127.0.0.1", &ALL);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("received");
    let file = file.to_str().unwrap();
    let args = ["load", &object("pass"), "--connect", &server.target(), "--json", "--output", file];
    let ran = run_with_input(args, b"x").expect(0);
    assert_eq!(fs::read(file).unwrap(), ALL);
    assert_eq!(number(&ran.summary(), "bytes_received"), 256);
}

/// Starts a load whose connection stays open until the test ends it.
fn held(name: &str) -> (Running, Json) {
    let server = reading();
    let running = Running::start(["load", &object(name), "--connect", &server.target(), "--json"]);
    running.line("attached");
    let loaded = running.line("loaded");
    (running, loaded)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn while_it_runs_bpftool_sees_what_the_loaded_line_says_and_after_ctrl_c_nothing() {
    for name in COMMITTED {
        let (running, loaded) = held(name);
        let id = number(&loaded, "id");
        let seen = bpftool(&["prog", "show", "id", &id.to_string()]);
        for field in ["id", "type", "name", "tag", "gpl_compatible", "bytes_xlated", "bytes_jited", "btf_id"] {
            assert_eq!(loaded[field], seen[field], "{name}: {field}");
        }
        assert_eq!(loaded["tag_computed"], true, "{name}");
        let map_ids: Vec<_> = loaded["map_ids"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect();
        assert_eq!(map_ids.len(), seen["map_ids"].as_array().map_or(0, Vec::len), "{name}");
        for map in loaded["maps"].as_array().unwrap() {
            let seen = bpftool(&["map", "show", "id", &number(map, "id").to_string()]);
            for field in ["id", "type", "name", "bytes_key", "bytes_value", "max_entries", "flags"] {
                assert_eq!(map[field], seen[field], "{name}: map {}: {field}", map["name"]);
            }
        }

        running.interrupt();
        let ran = running.end().expect(0);
        assert_eq!(ran.summary()["ended"], "interrupted");
        wait_until_gone("prog", id);
        for id in map_ids {
            wait_until_gone("map", id);
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_the_maps_count_is_what_came() {
    static ANSWER: [u8; 20_000] = [b'x'; 20_000];
    let server = answering("127.0.0.1", &ANSWER);
    let port = i64::from(server.address.port());
    let ran = run_with_input(["load", &object("count"), "--connect", &server.target(), "--json"], b"go").expect(0);
    assert_eq!(number(&ran.summary(), "bytes_received"), 20_000);
    assert_eq!(number(&ran.summary(), "bytes_sent"), 2);

    let ports = ran.map("ports");
    assert_eq!(ports["entries"].as_array().unwrap().len(), 1, "{ports}");
    assert_eq!(number(&ports["entries"][0], "key"), port, "packets come from the server's port");
    let seen = &ports["entries"][0]["value"];
    let globals = &ran.map(".bss")["entries"][0]["value"];
    let packets = number(seen, "packets");
    assert_eq!(number(globals, "total_packets"), packets);
    assert_eq!(number(&ran.summary(), "run_cnt"), packets, "the kernel counted as many runs");
    assert_eq!(globals["total_bytes"], seen["bytes"]);

    // Each packet is a TCP header and its part of the answer. All headers are equally long but the SYN-ACK's, which says MSS,
    // window scale and "SACK permitted": 8 bytes more beside timestamps, 12 without.
    let header = number(&ran.map(".data")["entries"][0]["value"], "smallest_packet");
    assert!(header == 32 || header == 20, "a TCP header of {header} bytes");
    let syn_ack = header + if header == 32 { 8 } else { 12 };
    assert_eq!(number(seen, "bytes"), 20_000 + (packets - 1) * header + syn_ack);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn statistics_that_are_not_wanted_are_null() {
    let server = answering("127.0.0.1", b"answer");
    let args = ["load", &object("pass"), "--connect", &server.target(), "--json", "--no-stats", "--trace"];
    let ran = run_with_input(args, b"x").expect(0);
    assert_eq!(ran.summary()["run_cnt"], Json::Null);
    assert!(!ran.text().contains("BPF_ENABLE_STATS"), "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_variable_that_was_set_is_what_the_filter_finds() {
    let server = answering("127.0.0.1", b"answer");
    let args = ["load", &object("count"), "--connect", &server.target(), "--json", "--set", "smallest_packet=7"];
    let ran = run_with_input(args, b"x").expect(0);
    // No packet is smaller than 7 bytes, so it stays; unset it starts at 0xffffffff and falls.
    assert_eq!(ran.map(".data")["entries"][0]["value"]["smallest_packet"], 7);
}

const HTTP_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";

fn the_http_event(ran: &Ran) -> Json {
    let event = ran.only("event");
    assert_eq!((text(&event, "map"), text(&event, "type")), ("events", "http_event"));
    event
}

#[test]
#[ignore = "needs CAP_BPF"]
fn http_reports_an_answer_by_the_name_of_its_kind() {
    let server = answering("127.0.0.1", HTTP_ANSWER);
    let ran = run_with_input(["load", &object("http"), "--connect", &server.target(), "--json"], b"GET /").expect(0);
    let event = the_http_event(&ran);
    assert_eq!(event["value"]["kind"], "HTTP_RESPONSE");
    assert_eq!(number(&event["value"], "payload"), HTTP_ANSWER.len() as i64);
    assert!(text(&event, "bytes").starts_with("02000000"), "{event}");
    assert_eq!(number(&ran.summary(), "events"), 1);
    assert_eq!(ran.summary()["ended"], "peer closed");

    // As text the same goes to standard error, and standard output has the answer alone.
    let server = answering("127.0.0.1", HTTP_ANSWER);
    let ran = run_with_input(["load", &object("http"), "--connect", &server.target()], b"GET /").expect(0);
    assert!(ran.stderr.contains("http_event") && ran.stderr.contains("HTTP_RESPONSE"), "{}", ran.stderr);
    assert_eq!(ran.stdout, HTTP_ANSWER);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn count_stops_after_so_many_events_and_duration_after_so_long() {
    let keeps_open = || {
        serve("127.0.0.1", |mut stream| {
            use std::io::{Read, Write};
            for _ in 0..3 {
                let _ = stream.write_all(HTTP_ANSWER);
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            let _ = stream.read(&mut [0; 16]);
        })
    };
    let server = keeps_open();
    let ran = Running::start(["load", &object("http"), "--connect", &server.target(), "--json", "--count", "1"])
        .end()
        .expect(0);
    the_http_event(&ran);
    assert_eq!(ran.summary()["ended"], "count reached");

    let server = keeps_open();
    let started = std::time::Instant::now();
    let args = ["load", &object("pass"), "--connect", &server.target(), "--json", "--duration", "700ms"];
    let ran = Running::start(args).end().expect(0);
    assert_eq!(ran.summary()["ended"], "duration over");
    assert!(started.elapsed().as_millis() >= 700, "{:?}", started.elapsed());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn when_the_input_ends_the_peer_is_told_and_may_go_on_answering() {
    let server = serve("127.0.0.1", |mut stream| {
        use std::io::{Read, Write};
        let mut request = Vec::new();
        stream.read_to_end(&mut request).unwrap();
        stream.write_all(&request.to_ascii_uppercase()).unwrap();
    });
    let ran = run_with_input(["load", &object("count"), "--connect", &server.target()], b"to the very end").expect(0);
    assert_eq!(ran.text(), "TO THE VERY END");
}
