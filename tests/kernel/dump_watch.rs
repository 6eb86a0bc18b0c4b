//! What changes, and what is reported, while somebody looks: `dump --watch`, `dump --follow`, `load --watch`.

use crate::dump::{Pinned, dump};
use crate::support::bpffs::Bpffs;
use crate::support::netns::Netns;
use crate::support::objects::{compile, object};
use crate::support::process::{Running, run};
use crate::support::server::HttpServer;
use crate::support::{Json, PATIENCE, number, text, wait_for};

#[test]
#[ignore = "needs CAP_BPF"]
fn what_changes_is_shown_with_the_difference() {
    let pinned = Pinned::new();
    pinned.put(80, 1, 60);
    pinned.put(22, 1, 70);
    let watching = Running::start(["dump", &pinned.map("ports"), "--watch", "200ms", "--json"]);
    watching.line("summary");
    pinned.put(80, 3, 160);
    pinned.put(443, 5, 50);
    pinned.bpftool("delete", 22, &[]);
    // Three changes, in one round or several.
    let changes = wait_for("three changes", PATIENCE, || {
        let lines: Vec<Json> = watching.said().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let changes: Vec<_> = lines.into_iter().filter(|line| line["kind"] == "change").collect();
        (changes.len() >= 3).then_some(changes)
    });
    watching.interrupt();
    watching.end().expect(0);
    let of = |port: i64| changes.iter().find(|change| number(&change["formatted"], "key") == port).unwrap();
    assert_eq!(
        (text(of(80), "change"), &of(80)["delta"]),
        ("changed", &serde_json::json!({ "packets": 2, "bytes": 100 }))
    );
    assert_eq!((text(of(443), "change"), &of(443)["delta"]), ("added", &Json::Null));
    assert_eq!(text(of(22), "change"), "removed");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn watching_ends_after_its_rounds_or_its_time() {
    let pinned = Pinned::new();
    let ports = pinned.map("ports");
    pinned.put(1, 2, 3);
    let rounds = dump(&[&ports, "--watch", "50ms", "--count", "2", "--top", "1"]);
    assert_eq!(rounds.kind("change").len(), 2);
    assert_eq!(rounds.kind("change")[0]["change"], "none");
    let text = run(["dump", &ports, "--watch", "50ms", "--duration", "200ms", "--top", "1"]).expect(0).text();
    assert!(text.contains(" s: 1 entry, 0 new, 0 changed, 0 gone\n  1: {packets=2 bytes=3}"), "{text}");
}

/// A filter that nobody reads the events of: attached to somebody's socket, and left there.
#[test]
#[ignore = "needs CAP_BPF"]
fn the_events_of_a_filter_that_was_left_on_a_socket_are_followed() {
    let (fs, server) = (Bpffs::mount(), HttpServer::start());
    run(["check", &object("http"), "--pin", &fs.path("x")]).expect(0);
    let pid = server.pid();
    run(["attach", &fs.path("x/http"), "--attach", &format!("pid:{pid}:tcp:{}", server.target())]).expect(0);
    let events = fs.path("x/maps/events");
    let following = Running::start(["dump", &events, "--follow", "--count", "2", "--json"]);
    for _ in 0..2 {
        server.answer();
    }
    let ran = following.end().expect(0);
    let kinds: Vec<_> = ran.kind("event").iter().map(|event| text(&event["value"], "kind").to_owned()).collect();
    assert_eq!((kinds, number(&ran.summary(), "events")), (vec!["HTTP_REQUEST".to_owned(); 2], 2));

    let nothing =
        run(["dump", &events, "--follow", "--event-type", "http_event", "--duration", "100ms", "--json"]).expect(0);
    assert_eq!(number(&nothing.summary(), "events"), 0);
    let wrong = run(["dump", &events, "--follow", "--event-type", "nothing"]).expect(2);
    assert!(wrong.stderr.contains("no such struct; there are: http_event"), "{}", wrong.stderr);
    let pinned = Pinned::new();
    let wrong = run(["dump", &pinned.map("ports"), "--follow"]).expect(2);
    assert!(wrong.stderr.contains("--follow is for ring buffers and perf event arrays"), "{}", wrong.stderr);
    assert!(run(["dump", &events, "--count", "1"]).expect(2).stderr.contains("go with --watch or --follow"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_load_says_every_so_often_what_program_and_socket_have_counted() {
    let net = Netns::new();
    let running = net.minibpf(&["load", &object("pass"), "--packet", "lo", "--watch", "100ms", "--json"]);
    running.line("attached");
    let send = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor _ in range(5): s.sendto(b'x', ('127.0.0.1', 9))";
    net.run(&["python3", "-c", send]);
    // Each goes out and comes in, and is answered by a refusal that does.
    let seen = wait_for("packets", PATIENCE, || {
        let lines: Vec<Json> = running.said().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter().rfind(|line| line["kind"] == "stats" && line["socket"]["packets"].as_i64() >= Some(10))
    });
    assert!(number(&seen, "run_cnt") >= 10, "{seen}");
    running.interrupt();
    let ran = running.end().expect(0);
    let runs: i64 = ran.kind("stats").iter().map(|line| number(line, "runs")).sum();
    let summary = ran.summary();
    assert!(runs >= 10 && runs <= number(&summary, "run_cnt"), "{}", ran.text());
    assert_eq!(summary["socket"]["packets"], summary["datagrams"], "each packet that is kept is read");
}

/// A filter that drops everything drops the acknowledgements, too.
#[test]
#[ignore = "needs CAP_BPF"]
fn segments_that_tcp_sends_again_are_counted() {
    let server = HttpServer::start();
    let made = compile("SEC(\"socket\") int nothing(struct __sk_buff *skb) { return 0; }");
    let args = ["load", &made.path(), "--connect", &server.target(), "--after-connect", "--json", "--watch", "100ms"];
    let mut running = Running::start(args);
    running.line("attached");
    running.send(HttpServer::REQUEST);
    wait_for("a segment that is sent again", PATIENCE, || {
        let lines: Vec<Json> = running.said().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter().find(|line| line["kind"] == "stats" && line["socket"]["retransmitted"].as_i64() > Some(0))
    });
    running.interrupt();
    let ran = running.end().expect(0);
    assert!(ran.summary()["socket"]["retransmitted"].as_i64() > Some(0), "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_second_reader_of_a_ring_is_refused_for_it_would_spoil_both() {
    let load = Running::start(["load", &object("http"), "--listen", "127.0.0.1:0", "--json"]);
    load.line("attached");
    let refused = run(["dump", &format!("pid:{}:events", load.pid()), "--follow"]).expect(1);
    assert!(refused.stderr.contains("a second reader would spoil both"), "{}", refused.stderr);
    load.interrupt();
    load.end().expect(0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_a_section_only_the_variables_that_have_changed_are_watched() {
    let pinned = Pinned::new();
    let data = pinned.map("_data");
    let watching = Running::start(["dump", &data, "--watch", "100ms"]);
    watching.says("title = ");
    run(["set", &data, "limit=8"]).expect(0);
    watching.says("limit = 8  (+3)");
    run(["set", &data, "title=other"]).expect(0);
    watching.says("title = \"other\"  (was \"\\x1b[31m\")");
    watching.interrupt();
    let text = watching.end().expect(0).text();
    assert_eq!(text.matches("title = ").count(), 2, "once at first, and once when it has changed: {text}");
}
