//! http-count: on packets, on a server's and on a client's socket, and beside both.

use crate::support::Json;
use crate::support::assertions::hold;
use crate::support::objects::{compile, program};
use crate::support::process::{Ran, Running, run};
use crate::support::server::HttpServer;

/// The entries of a map, as `key=value`, sorted.
fn counted(ran: &Ran, map: &str) -> Vec<String> {
    let plain = |value: &Json| value.to_string().trim_matches('"').to_owned();
    let entries = ran.map(map)["entries"].as_array().unwrap().clone();
    let mut all: Vec<_> =
        entries.iter().map(|entry| format!("{}={}", plain(&entry["key"]), plain(&entry["value"]))).collect();
    all.sort();
    all
}

#[test]
#[ignore = "needs CAP_BPF"]
fn it_counts_methods_and_statuses_of_packets_and_nothing_else() {
    hold("tests/run/programs/http-count.sh");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_the_listener_of_a_running_server_it_counts_the_requests() {
    let server = HttpServer::start();
    let attach = format!("pid:{}:tcp:{}", server.pid(), server.target());
    let running =
        Running::start(["load", &program("http-count"), "--program", "http_socket", "--attach", &attach, "--json"]);
    running.line("attached");
    for _ in 0..3 {
        assert!(server.answer().ends_with(b"hello\n"), "the filter takes nothing away");
    }
    running.interrupt();
    let ran = running.end().expect(0);
    assert_eq!(counted(&ran, "methods"), ["GET=3"]);
    assert!(counted(&ran, "codes").is_empty(), "what a server sends does not pass its filter");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_a_client_it_counts_the_answers() {
    let server = HttpServer::start();
    for (request, code, class) in [
        ("HEAD /hello.txt HTTP/1.0\r\n\r\n", "200=1", "SUCCESS=1"),
        ("GET /missing HTTP/1.0\r\n\r\n", "404=1", "CLIENT_ERROR=1"),
        ("BREW / HTTP/1.0\r\n\r\n", "501=1", "SERVER_ERROR=1"),
    ] {
        let args =
            ["load", &program("http-count"), "--program", "http_socket", "--connect", &server.target(), "--json"];
        let mut running = Running::start(args);
        running.send(request.as_bytes());
        running.end_input();
        let ran = running.end().expect(0);
        assert_eq!((counted(&ran, "codes"), counted(&ran, "classes")), (vec![code.into()], vec![class.into()]));
        assert!(counted(&ran, "methods").is_empty());
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_request_that_is_sent_again_since_its_acknowledgement_is_lost_counts_again() {
    let server = HttpServer::start();
    let attach = format!("pid:{}:tcp:{}", server.pid(), server.target());
    let running =
        Running::start(["load", &program("http-count"), "--program", "http_socket", "--attach", &attach, "--json"]);
    running.line("attached");
    // A client that hears nothing more once it is connected, the acknowledgement of its request neither.
    let deaf = compile("SEC(\"socket\") int deaf(struct __sk_buff *skb) { return 0; }");
    let args = ["load", &deaf.path(), "--connect", &server.target(), "--after-connect", "--duration", "1500ms"];
    let mut client = Running::start(args);
    client.send(b"GET /hello.txt HTTP/1.0\r\n\r\n");
    client.end().expect(0);
    running.interrupt();
    let ran = running.end().expect(0);
    let count = ran.map("methods")["entries"][0]["value"].as_i64().unwrap();
    assert!(count > 1, "{count}: the filter is asked before TCP looks whether it has the bytes");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_message_counts_once_however_its_segments_fall_but_not_if_its_first_twelve_bytes_are_torn() {
    let whole = "tcp:80:GET / HTTP/1.1\\r\\n";
    let object = program("http-count");
    for (packets, expected) in [
        // The rest of a head, and a body, begin no message.
        ([whole, "tcp:80:Host: example\\r\\n\\r\\n"], "methods[GET]=1"),
        // Two in one segment are one: the second is not looked for.
        ([whole, "tcp:80:GET /1 HTTP/1.1\\r\\n\\r\\nGET /2 HTTP/1.1\\r\\n\\r\\n"], "methods[GET]=2"),
        (["tcp:80:GET ", "tcp:80:/ HTTP/1.1\\r\\n\\r\\n"], "methods[GET]=absent"),
        // A body is not known from a head.
        (["tcp:80:PUT /x HTTP/1.1\\r\\n\\r\\n", "tcp:80:GET / HTTP/1.1 is text"], "methods[GET]=1"),
    ] {
        let args = ["run", &object, "--program", "http_socket", "--as", "tcp", "--expect-map", expected];
        run(args.iter().copied().chain(packets)).expect(0);
    }
}
