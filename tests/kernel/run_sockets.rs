//! `minibpf run --as`: packets through real sockets.

use crate::run::try_on;
use crate::support::objects::{Made, compile, keeping, object};
use crate::support::{number, text};

/// A filter that remembers the longest packet that it saw: its length and its first four bytes, as they lie there.
fn longest() -> Made {
    compile(
        "__u32 longest, start, runs; const volatile __u32 keep = 0xffffffff;
         SEC(\"socket\") int longest_seen(struct __sk_buff *skb)
         {
             runs += 1;
             if (skb->len > longest) {
                 __u32 word = 0;
                 bpf_skb_load_bytes(skb, 0, &word, 4);
                 longest = skb->len;
                 start = word;
             }
             return keep;
         }",
    )
}

const PAYLOAD: &str = "a payload that is longer than any header of TCP, so that its packet is the longest one";

#[test]
#[ignore = "needs CAP_BPF"]
fn on_each_real_socket_the_filter_sees_the_length_and_byte_0_that_are_reported() {
    let filter = longest();
    for version in ["", "6"] {
        for (how, byte0, headers, start) in [
            // The ports: 49152 and 80.
            ("tcp", "TCP header", 32, [0xc0, 0x00, 0, 80]),
            ("udp", "UDP header", 8, [0xc0, 0x00, 0, 80]),
            ("packet", "Ethernet header", if version.is_empty() { 14 + 20 + 8 } else { 14 + 40 + 8 }, [0; 4]),
            ("unixgram", "payload", 0, *b"a pa"),
        ] {
            let len = headers + PAYLOAD.len();
            let packet = format!("udp{version}:80:{PAYLOAD}");
            let (length, start) = (format!("longest={len}"), format!("start={}", u32::from_le_bytes(start)));
            let args =
                ["--as", how, &packet, "--json", "--expect", "keep", "--expect-map", &length, "--expect-map", &start];
            let ran = try_on(&filter.path(), &args).expect(0);
            let packet = ran.only("packet");
            assert_eq!(number(&packet, "len"), len as i64, "{how}");
            assert_eq!(number(&packet, "kept"), len as i64, "{how}");
            let whole = if how == "packet" { len } else { PAYLOAD.len() } as i64;
            assert_eq!((number(&packet, "payload"), number(&packet, "received")), (whole, whole), "{how}");
            assert_eq!(text(&ran.summary(), "byte0"), byte0);
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_is_trimmed_or_dropped_is_seen_from_what_arrives() {
    let filter = longest();
    for (how, keep, verdict, ret, kept, received) in [
        ("tcp", 34, "trim", Some(34), 34, 2), // the finding that HE of HELLO arrives
        ("tcp", 1, "trim", None, 32, 0),
        ("udp", 10, "trim", Some(10), 10, 2),
        ("udp", 3, "trim", None, 8, 0),
        ("udp", 0, "drop", Some(0), 0, 0),
        ("packet", 20, "trim", Some(20), 20, 20),
        ("packet", 0, "drop", Some(0), 0, 0),
        ("unixgram", 2, "trim", Some(2), 2, 2),
        ("unixgram", 0, "drop", Some(0), 0, 0),
    ] {
        let set = format!("keep={keep}");
        let args = ["--as", how, "tcp:80:HELLO", "--set", &set, "--json", "--expect", verdict];
        let packet = try_on(&filter.path(), &args).expect(0).only("packet");
        assert_eq!((number(&packet, "kept"), packet["ret"].as_i64()), (kept, ret), "{how}, keep={keep}: {packet}");
        let arrived = number(&packet, "received");
        // What was cut off TCP sends again, and of that two more bytes arrive.
        let again = how == "tcp" && keep == 34;
        assert!(arrived == received || again && arrived > received && arrived < 5, "{how}, keep={keep}: {packet}");
        if how == "tcp" {
            assert!(number(&packet, "retransmits") > 0, "{packet}");
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_that_drops_handshakes_is_attached_to_a_connection_that_stands() {
    let filter = longest();
    let args =
        ["--as", "tcp", "tcp:80:one", "tcp:80:one", "tcp6:80:two", "--set", "keep=0", "--json", "--expect", "drop"];
    let ran = try_on(&filter.path(), &args).expect(0);
    for packet in ran.kind("packet") {
        assert_eq!((text(&packet, "handshake"), number(&packet, "kept")), ("drop", 0));
        assert!(number(&packet, "retransmits") > 0);
    }
    let warned = ran.kind("warning").iter().filter(|warning| warning["code"] == "handshake").count();
    assert_eq!(warned, 1, "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_handshake_whose_last_packet_is_dropped_is_one_that_the_filter_drops() {
    // A header with timestamps and nothing else: an acknowledgement.
    let filter = keeping("no_acks", "skb->len == 32 ? 0 : -1");
    let packet = try_on(&filter.path(), &["--as", "tcp", "tcp:80:hello", "--json"]).expect(0).only("packet");
    assert_eq!((text(&packet, "handshake"), number(&packet, "received")), ("drop", 5));
    // On a socket of its own nothing would arrive.
    let ran = try_on(&filter.path(), &["--as", "tcp", "tcp:80:hello", "--expect", "keep"]).expect(1);
    assert!(ran.stderr.contains("expected keep, but the filter drops the handshake"), "{}", ran.stderr);
}

/// The classic filter for HTTP requests, as it is in many tutorials: it counts from the Ethernet header.
fn http_over_ethernet() -> Made {
    compile(
        "SEC(\"socket\") int http_over_ethernet(struct __sk_buff *skb)
         {
             __u16 type = 0; __u8 version = 0, protocol = 0, offset = 0; __u32 ip = 14, tcp, word = 0;
             if (bpf_skb_load_bytes(skb, 12, &type, 2) < 0 || type != htons(ETH_P_IP))
                 return 0;
             bpf_skb_load_bytes(skb, ip, &version, 1);
             bpf_skb_load_bytes(skb, ip + 9, &protocol, 1);
             if (protocol != 6)
                 return 0;
             tcp = ip + (version & 15) * 4;
             bpf_skb_load_bytes(skb, tcp + 12, &offset, 1);
             bpf_skb_load_bytes(skb, tcp + (offset >> 4) * 4, &word, 4);
             return word == 0x20544547 /* GET */ ? -1 : 0;
         }",
    )
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_classic_filter_passes_as_packet_and_fails_as_tcp_and_run_says_why() {
    let filter = http_over_ethernet();
    let packets = ["tcp:80:GET / HTTP/1.1\\r\\n\\r\\n", "tcp:80:HTTP/1.1 200 OK\\r\\n\\r\\n", "udp:53:x"];
    let expected = ["--expect", "0:keep", "--expect", "1:drop", "--expect", "2:drop"];
    let ran = try_on(&filter.path(), &[&["--as", "packet"], &packets[..], &expected].concat()).expect(0);
    // A test run is as wrong as a TCP socket, and that is said.
    assert!(ran.stderr.contains("packet 0: a test run says drop"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("byte 0 is the network header in a test run, the Ethernet header here"),
        "{}",
        ran.stderr
    );

    let ran = try_on(&filter.path(), &[&["--as", "tcp"], &packets[..], &expected].concat()).expect(1);
    assert!(ran.stderr.contains("packet 0: expected keep, found drop"), "{}", ran.stderr);
    assert!(ran.stderr.contains("byte 0 of a packet was the TCP header"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("takes bytes 12 and 13 for an EtherType, but byte 0 is the TCP header"),
        "{}",
        ran.stderr
    );
}

#[test]
#[ignore = "needs CAP_BPF"]
fn sockets_are_in_a_namespace_of_their_own() {
    // A port that is taken here is free there, for TCP and UDP.
    let tcp = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = tcp.local_addr().unwrap().port();
    let udp = std::net::UdpSocket::bind(("127.0.0.1", port));
    let packet = format!("udp:{port}:hello");
    try_on(&object("pass"), &["--as", "tcp", &packet, "--expect", "keep"]).expect(0);
    try_on(&object("pass"), &["--as", "udp", &packet, "--expect", "keep"]).expect(0);
    tcp.set_nonblocking(true).unwrap();
    assert!(tcp.accept().is_err(), "nobody connected to the port here");
    drop(udp);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_packet_that_cannot_travel_says_so_and_ports_that_are_equal_are_no_obstacle() {
    for how in ["tcp", "udp", "unixgram"] {
        let ran = try_on(&object("pass"), &["--as", how, "icmp"]).expect(1);
        assert!(ran.stderr.contains("neither TCP nor UDP"), "{}", ran.stderr);
        let same = ["udp:49152:x", "udp6:49152:x", "udp:0:x", "--expect", "keep"];
        try_on(&object("pass"), &[&["--as", how], &same[..]].concat()).expect(0);
    }
    let ran = try_on(&object("pass"), &["--as", "tcp", "tcp:80"]).expect(1);
    assert!(ran.stderr.contains("no payload"), "{}", ran.stderr);
    let ran = try_on(&object("pass"), &["--as", "packet", "--data", "00"]).expect(1);
    assert!(ran.stderr.contains("Ethernet header of 14"), "{}", ran.stderr);
    let ran = try_on(&object("pass"), &["--as", "udp", "icmp", "--repeat", "2"]).expect(2);
    assert!(ran.stderr.contains("--repeat is for test runs"), "{}", ran.stderr);
    // The largest packets.
    let large = format!("udp:80:{}", "x".repeat(65_507));
    for how in ["udp", "packet", "unixgram"] {
        try_on(&object("pass"), &["--as", how, &large, "--expect", "keep"]).expect(0);
    }
    let large = format!("tcp:80:{}", "x".repeat(32_000));
    try_on(&object("pass"), &["--as", "tcp", &large, "--expect", "keep"]).expect(0);
    // Of several segments each has a verdict of its own.
    let larger = format!("tcp:80:{}", "x".repeat(65_000));
    let ran = try_on(&object("pass"), &["--as", "tcp", &larger]).expect(1);
    assert!(ran.stderr.contains("segments, each of which the filter judges by itself"), "{}", ran.stderr);
}

/// What is cut off is sent again, in pieces that may be short enough to pass whole; what came first counts.
#[test]
#[ignore = "needs CAP_BPF"]
fn a_part_that_is_cut_off_counts_though_it_passes_when_it_is_sent_again() {
    // The header has 32 bytes, the segment 42.
    for keep in [33, 36, 37, 40, 41] {
        let filter = keeping("trims", &keep.to_string());
        let expect = keep.to_string();
        let args = ["--as", "tcp", "tcp:80:0123456789", "--expect", "trim", "--expect", &expect, "--json"];
        let packet = try_on(&filter.path(), &args).expect(0).only("packet");
        assert_eq!((number(&packet, "len"), number(&packet, "kept")), (42, keep), "{packet}");
    }
}

/// The kernel takes the tag out of the frame before a packet socket sees it.
#[test]
#[ignore = "needs CAP_BPF"]
fn a_frame_with_a_vlan_tag_is_kept_whole() {
    let frame = format!("{}8100 0005 0800 45{}", "00".repeat(12), "00".repeat(32));
    let packet = try_on(&object("pass"), &["--as", "packet", "--data", &frame, "--expect", "keep", "--json"]);
    let packet = packet.expect(0).only("packet");
    assert_eq!((number(&packet, "len"), number(&packet, "kept")), (47, 47), "{packet}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn nobody_answers_a_frame_so_the_filter_sees_each_once() {
    let packets = ["tcp:1:x", "tcp6:1:x", "udp:1:x", "icmp", "icmp6"];
    try_on(&longest().path(), &[&["--as", "packet"], &packets[..], &["--expect-map", "runs=5"]].concat()).expect(0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_summary_counts_bytes_kept_cut_off_dropped_and_received() {
    let filter = compile(
        "SEC(\"socket\") int by_length(struct __sk_buff *skb)
         { return skb->len > 20 ? 0 : skb->len > 12 ? 10 : skb->len; }",
    );
    let packets = ["udp:53:abc", "udp:53:abcdefgh", "udp:53:abcdefghijklmnopq"];
    let summary = try_on(&filter.path(), &[&["--as", "udp", "--json"], &packets[..]].concat()).expect(0).summary();
    let count = |field: &str| number(&summary, field);
    assert_eq!((count("kept"), count("trimmed"), count("dropped")), (1, 1, 1));
    // 8 bytes of header each: 11 kept whole, 10 of 16 kept, 25 dropped.
    assert_eq!((count("bytes_kept"), count("bytes_cut"), count("bytes_dropped")), (11 + 10, 6, 25));
    assert_eq!((count("bytes_sent"), count("bytes_received")), (3 + 8 + 17, 3 + 2));
}
