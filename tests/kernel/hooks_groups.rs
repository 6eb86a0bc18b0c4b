//! Where the return value chooses: `SO_REUSEPORT` groups, packet fanout, and the queues of a tap device; and the filter of such a device.

use std::net::{TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use crate::support::everybody::{Everybody, root_without};
use crate::support::netns::Netns;
use crate::support::objects::object;
use crate::support::probe::{ALL, Probe, Seen, end, socket_calls};
use crate::support::process::{Ran, Running, run};
use crate::support::{number, text};

/// Longer than what was sent takes to be read.
const MOMENT: Duration = Duration::from_millis(300);

/// What each member of a group got.
fn members(ran: &Ran) -> Vec<i64> {
    ran.summary()["members"].as_array().unwrap().iter().map(|count| count.as_i64().unwrap()).collect()
}

fn names(ran: &Ran) -> Vec<String> {
    let calls = socket_calls(ran);
    assert!(calls.iter().all(|(_, ret)| *ret >= 0), "{calls:?}");
    calls.into_iter().map(|(name, _)| name).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_reuseport_group_gives_each_datagram_to_the_socket_of_the_index_that_was_returned() {
    let probe = Probe::new();
    for (at, from) in [("reuseport:udp:127.0.0.1:0", "127.0.0.1:0"), ("reuseport:udp:[::1]:0", "[::1]:0")] {
        for index in [0, 1, 2, 3] {
            let (running, attached) = probe.watch(&["--attach", at, "--sockets", "3"], index);
            assert_eq!((text(&attached, "hook"), text(&attached, "byte0")), ("reuseport", "payload"));
            for _ in 0..6 {
                UdpSocket::bind(from).unwrap().send_to(b"hello", text(&attached, "local")).unwrap();
            }
            std::thread::sleep(MOMENT);
            let (ran, seen) = end(running);
            assert_eq!(seen.len(), 6);
            assert!(seen.iter().all(|seen| seen.len == 5 && seen.bytes.starts_with(b"hello")), "{seen:?}");
            let mut expected = vec![0; 3];
            match expected.get_mut(index as usize) {
                Some(member) => {
                    *member = 6;
                    assert_eq!(members(&ran), expected, "{at}");
                }
                // There is no fourth socket, so a hash decides.
                None => assert_eq!(members(&ran).iter().sum::<i64>(), 6, "{at}"),
            }
            let names = names(&ran);
            let at = |name: &str| names.iter().position(|one| one == name).unwrap();
            assert!(at("SO_ATTACH_REUSEPORT_EBPF") < at("bind"), "the program is there first: {names:?}");
            assert_eq!(names.last().unwrap(), "SO_DETACH_REUSEPORT_BPF");
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_reuseport_group_of_listeners_gets_its_connections_by_index() {
    let (running, attached) = Probe::new().watch(&["--attach", "reuseport:127.0.0.1:0", "--sockets", "3"], 1);
    for _ in 0..4 {
        drop(TcpStream::connect(text(&attached, "local")).unwrap());
    }
    std::thread::sleep(MOMENT);
    let (ran, seen) = end(running);
    assert_eq!(members(&ran), [0, 4, 0]);
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen.len == 0), "a SYN has no payload: {seen:?}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_group_of_a_running_process_is_steered_and_goes_back_to_the_hash() {
    let script = "import socket as s, select
a, b = (s.socket(s.AF_INET, s.SOCK_DGRAM) for _ in '12')
for one in (a, b): one.setsockopt(s.SOL_SOCKET, s.SO_REUSEPORT, 1)
a.bind(('127.0.0.1', 0)); b.bind(a.getsockname())
print('port', a.getsockname()[1], a.fileno(), flush=True)
while True:
    for one in select.select([a, b], [], [])[0]: print('first' if one is a else 'second', one.recv(99).decode(), flush=True)";
    let owner = Running::command(Command::new("python3").args(["-c", script]));
    owner.says("port ");
    let words: Vec<String> = owner.said().lines().next().unwrap().split(' ').map(str::to_owned).collect();
    let (port, at) = (&words[1], format!("reuseport:pid:{}:{}", owner.pid(), words[2]));
    let send = |n: usize| {
        UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .send_to(format!("{n};").as_bytes(), format!("127.0.0.1:{port}"))
            .unwrap();
    };
    for (index, name) in [(1, "second"), (0, "first")] {
        let (running, attached) = Probe::new().watch(&["--attach", &at], index);
        assert_eq!(text(&attached, "hook"), "reuseport");
        for n in 0..6 {
            send(n);
            owner.says(&format!("{name} {n};"));
        }
        let (ran, seen) = end(running);
        assert_eq!(seen.len(), 6);
        assert_eq!(names(&ran).last().unwrap(), "SO_DETACH_REUSEPORT_BPF");
        assert_eq!(ran.only("warning")["code"], "unrecoverable", "nobody knows whether there was another program");
    }
    let error = run(["detach", "--attach", &at, "--json"]).expect(6).only("error");
    assert!(text(&error, "message").contains("ENOENT"), "{error}");
}

/// Sends this many datagrams over the loopback interface of a namespace.
fn datagrams(netns: &Netns, to: &str, count: usize) {
    netns.run(&[
        "python3",
        "-c",
        &format!(
            "import socket as s\nfor _ in range({count}): s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'hello', ('{to}', 7))"
        ),
    ]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_fanout_group_gives_each_packet_to_the_socket_of_the_index_modulo_their_number() {
    let (netns, probe) = (Netns::new(), Probe::new());
    for (index, expected) in [(0, 0), (1, 1), (5, 2)] {
        let running = netns.minibpf(&probe.args(&["--attach", "fanout:lo:7", "--sockets", "3"], index));
        assert_eq!(text(&running.line("attached"), "hook"), "fanout");
        datagrams(&netns, "127.0.0.1", 3);
        std::thread::sleep(MOMENT);
        let (ran, seen) = end(running);
        // Going out with the Ethernet header, coming in at the network header; what answers the datagrams is longer.
        let going = |seen: &&Seen| seen.len == 47 && seen.bytes.starts_with(&[&[0; 12][..], &[8, 0, 0x45]].concat());
        let coming = |seen: &&Seen| seen.len == 33 && seen.bytes[0] == 0x45;
        assert_eq!((seen.iter().filter(going).count(), seen.iter().filter(coming).count()), (3, 3), "{seen:?}");
        let members = members(&ran);
        assert_eq!(members[expected], members.iter().sum::<i64>(), "{members:?}");
        assert_eq!(names(&ran)[..4], ["socket", "bind", "PACKET_FANOUT", "socket"]);
        assert!(names(&ran).contains(&"PACKET_FANOUT_DATA".to_owned()));
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_fanout_group_that_chooses_otherwise_is_6_and_named() {
    let netns = Netns::new();
    let holder = netns.start(&[
        "python3",
        "-c",
        "import socket as s, time
p = s.socket(s.AF_PACKET, s.SOCK_RAW, s.htons(3)); p.bind(('lo', 3)); p.setsockopt(263, 18, 9); print('joined', flush=True); time.sleep(30)",
    ]);
    holder.says("joined");
    let error = netns.minibpf(&["load", &object("pass"), "--attach", "fanout:lo:9", "--json"]).end().expect(6);
    let error = error.only("error");
    assert!(text(&error, "message").contains("group 9") && text(&error, "hint").contains("another number"), "{error}");
}

/// Brings a tap device up, and sends datagrams into it.
fn into_tap(netns: &Netns, name: &str, count: usize) {
    netns.run(&["ip", "link", "set", name, "up"]);
    netns.run(&["sysctl", "-qw", &format!("net.ipv6.conf.{name}.disable_ipv6=1")]);
    netns.run(&["ip", "address", "replace", "10.77.0.1/24", "dev", name]);
    // Somebody must have the address, or ARP asks for it in vain.
    netns.run(&["ip", "neighbour", "replace", "10.77.0.2", "lladdr", "02:00:00:00:00:02", "dev", name]);
    datagrams(netns, "10.77.0.2", count);
}

/// The datagrams among what a tap's filter saw.
fn udp(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| seen.u16_at(12) == 0x0800 && seen.bytes[23] == 17).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_taps_filter_finds_the_ethernet_header_and_keeps_trims_or_drops_frames() {
    let (netns, probe) = (Netns::new(), Probe::new());
    let whole = 14 + 20 + 8 + 5;
    for (keep, left) in [(ALL, whole), (20, 20), (0, 0)] {
        let running = netns.minibpf(&probe.args(&["--attach", "tun-filter:tap7"], keep));
        assert_eq!(text(&running.line("attached"), "byte0"), "Ethernet header");
        into_tap(&netns, "tap7", 2);
        std::thread::sleep(MOMENT);
        let (ran, seen) = end(running);
        let udp = udp(&seen);
        assert_eq!(udp.iter().map(|seen| i64::from(seen.len)).collect::<Vec<_>>(), [whole, whole], "{seen:?}");
        assert_eq!(udp[0].bytes[..6], [2, 0, 0, 0, 0, 2]);
        if seen.len() == 2 {
            assert_eq!(number(&ran.summary(), "bytes_received"), 2 * left, "{keep} kept");
        }
        let all: i64 = seen.iter().map(|seen| i64::from(seen.len.min(keep))).sum();
        assert_eq!(number(&ran.summary(), "bytes_received"), all, "{keep} kept");
        assert_eq!(names(&ran), ["ioctl", "ioctl", "ioctl"]);
        netns.fails(&["ip", "link", "show", "tap7"]);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_taps_steering_program_chooses_the_queue() {
    let (netns, probe) = (Netns::new(), Probe::new());
    netns.run(&["ip", "tuntap", "add", "tap8", "mode", "tap", "multi_queue"]);
    for (index, expected) in [(1, 1), (5, 2)] {
        let running = netns.minibpf(&probe.args(&["--attach", "tun-steer:tap8", "--sockets", "3"], index));
        running.line("attached");
        into_tap(&netns, "tap8", 4);
        std::thread::sleep(MOMENT);
        let (ran, seen) = end(running);
        assert!(udp(&seen).len() >= 4, "{seen:?}");
        let members = members(&ran);
        assert!(members[expected] >= 4, "{members:?}");
        assert_eq!(members[expected], members.iter().sum::<i64>(), "{members:?}");
    }
    netns.run(&["ip", "link", "show", "tap8"]);
    let error = netns.minibpf(&["load", &object("pass"), "--attach", "tun-filter:lo", "--json"]).end().expect(6);
    assert!(text(&error.only("error"), "message").contains("lo: this interface is no tun"), "{}", error.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_tap_that_another_process_holds_is_reached_by_its_descriptor_only() {
    let netns = Netns::new();
    let holder = netns.start(&[
        "python3",
        "-uc",
        "import fcntl, os, struct
q = os.open('/dev/net/tun', os.O_RDWR); fcntl.ioctl(q, 0x400454ca, struct.pack('16sH22x', b'tap9', 0x1002))
print('fd', q)
while True:
    f = os.read(q, 2048)
    if f[12:14] == b'\\x08\\x00' and f[23:24] in (b'', b'\\x11'): print('got', len(f))",
    ]);
    holder.says("fd ");
    let fd = holder.said().lines().next().unwrap().replace("fd ", "");
    let busy = netns.minibpf(&["load", &object("pass"), "--attach", "tun-filter:tap9", "--json"]).end().expect(6);
    let busy = busy.only("error");
    assert!(
        text(&busy, "message").contains("EBUSY") && text(&busy, "hint").contains("tun-filter:pid:PID:FD"),
        "{busy}"
    );

    let at = format!("tun-filter:pid:{}:{fd}", holder.pid());
    let (running, _) = Probe::new().watch(&["--attach", &at], 20);
    into_tap(&netns, "tap9", 1);
    holder.says("got 20\n");
    let undo = text(&running.line("undo"), "command").to_owned();
    // Killed, it leaves the program where it is.
    drop(running);
    assert_eq!(undo, format!("minibpf detach --attach {at}"));
    let detached = run(["detach", "--attach", &at, "--json"]).expect(0).only("detached");
    assert_eq!(text(&detached, "hook"), "tun-filter");
    datagrams(&netns, "10.77.0.2", 1);
    holder.says("got 47\n");

    let wrong = format!("tun-filter:pid:{}:1", holder.pid());
    let error = run(["detach", "--attach", &wrong, "--json"]).expect(6).only("error");
    assert!(text(&error, "message").contains("not one of /dev/net/tun: it is pipe:"), "{error}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_new_tap_takes_cap_net_admin() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    let args = ["load", &pass, "--json", "--attach", "tun-filter:tapnot"];
    let error = everybody.run(&root_without("CAP_NET_ADMIN"), &args).expect(4).only("error");
    assert!(text(&error, "hint").contains("CAP_NET_ADMIN"), "{error}");
}
