//! steer: the hash on known packets, the queues of a tap device, and the sockets of a reuseport group.

use std::net::{IpAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crate::support::assertions::hold;
use crate::support::netns::Netns;
use crate::support::objects::program;
use crate::support::process::{Ran, Running, run};
use crate::support::text;

/// Longer than what was sent takes to be read.
const MOMENT: Duration = Duration::from_millis(300);

/// The key of the object.
const KEY: [u8; 40] = [
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b,
    0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac,
    0x01, 0xfa,
];

/// Toeplitz's hash, bit by bit as it is defined.
fn toeplitz(flow: &[u8]) -> u32 {
    let bit = |bytes: &[u8], at: usize| bytes[at / 8] >> (7 - at % 8) & 1 == 1;
    let mut hash = 0;
    for at in (0..flow.len() * 8).filter(|at| bit(flow, *at)) {
        hash ^= (0..32).fold(0, |word, next| word << 1 | u32::from(bit(&KEY, at + next)));
    }
    hash
}

/// The slot of a flow.
fn slot(from: &str, port: u16, to: &str, to_port: u16) -> usize {
    let octets = |host: &str| match host.parse().unwrap() {
        IpAddr::V4(host) => host.octets().to_vec(),
        IpAddr::V6(host) => host.octets().to_vec(),
    };
    let flow = [octets(from), octets(to), port.to_be_bytes().to_vec(), to_port.to_be_bytes().to_vec()].concat();
    toeplitz(&flow) as usize % 16
}

fn end(running: Running) -> Ran {
    std::thread::sleep(MOMENT);
    running.interrupt();
    running.end().expect(0)
}

/// What each queue or socket got.
fn members(ran: &Ran) -> Vec<usize> {
    ran.summary()["members"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap() as usize).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn its_hash_is_that_of_the_verification_suite_and_its_slot_the_queue() {
    hold("tests/run/programs/steer.sh");
}

/// A namespace in which a tap of several queues is to be, and nobody speaks of himself.
fn with_tap(name: &str) -> Netns {
    let netns = Netns::new();
    netns.run(&["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"]);
    netns.run(&["ip", "tuntap", "add", name, "mode", "tap", "multi_queue"]);
    netns.run(&["ip", "address", "add", "10.77.0.1/24", "dev", name]);
    netns
}

/// Starts it on a tap with four queues.
fn on_tap(netns: &Netns, name: &str, set: &[&str]) -> Running {
    let at = format!("tun-steer:{name}");
    let object = program("steer");
    let args = ["load", &object, "--attach", &at, "--sockets", "4", "--json"];
    let running = netns.minibpf(&args.into_iter().chain(set.iter().copied()).collect::<Vec<_>>());
    running.line("attached");
    netns.run(&["ip", "link", "set", name, "up"]);
    // Somebody must have the address, or ARP asks for it in vain.
    netns.run(&["ip", "neighbour", "replace", "10.77.0.2", "lladdr", "02:00:00:00:00:02", "dev", name]);
    running
}

/// What sets the table.
fn table(queues: [u32; 16]) -> String {
    format!("table={queues:?}").replace(',', "")
}

/// Sends `count` datagrams into the tap from each of these ports, by turns, to port 7.
fn flows(netns: &Netns, ports: &[u16], count: usize) {
    let script = format!(
        "import socket as s
sockets = [s.socket(s.AF_INET, s.SOCK_DGRAM) for _ in {ports:?}]
for one, port in zip(sockets, {ports:?}): one.bind(('10.77.0.1', port))
for _ in range({count}):
    for one in sockets: one.sendto(b'hello', ('10.77.0.2', 7))"
    );
    netns.run(&["python3", "-c", &script]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_datagrams_of_a_flow_come_out_of_one_queue_of_a_tap_and_the_flows_of_several() {
    let netns = with_tap("tap1");
    let running = on_tap(&netns, "tap1", &[]);
    let ports: Vec<u16> = (40001..=40012).collect();
    flows(&netns, &ports, 5);
    let ran = end(running);
    let (mut queues, mut slots) = (vec![0; 4], [0; 16]);
    for port in ports {
        let slot = slot("10.77.0.1", port, "10.77.0.2", 7);
        slots[slot] += 5;
        // There is no queue 4 to 15: the device takes the number modulo 4.
        queues[slot % 4] += 5;
    }
    assert!(queues.iter().all(|count| *count > 0), "the flows of this test are for every queue: {queues:?}");
    assert_eq!(members(&ran), queues);
    assert_eq!(ran.map(".bss")["entries"][0]["value"]["slots"], serde_json::json!(slots));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_ports_all_flows_between_two_machines_come_out_of_one_queue() {
    let netns = with_tap("tap2");
    let running = on_tap(&netns, "tap2", &["--set", "with_ports=false"]);
    flows(&netns, &(40001..=40012).collect::<Vec<_>>(), 5);
    let members = members(&end(running));
    assert_eq!(members.iter().sum::<usize>(), 60);
    assert!(members.contains(&60), "{members:?}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_slot_that_is_changed_while_it_runs_moves_its_flows_and_no_others() {
    let netns = with_tap("tap3");
    // Ports whose slots differ.
    let mut ports: Vec<u16> = Vec::new();
    for port in 40001.. {
        let of = |port| slot("10.77.0.1", port, "10.77.0.2", 7);
        if ports.iter().all(|other| of(*other) != of(port)) {
            ports.push(port);
        }
        if ports.len() == 3 {
            break;
        }
    }
    let running = on_tap(&netns, "tap3", &["--set", &table([0; 16])]);
    flows(&netns, &ports, 5);
    std::thread::sleep(MOMENT);
    let mut moved = [0; 16];
    moved[slot("10.77.0.1", ports[1], "10.77.0.2", 7)] = 3;
    run(["set", &format!("pid:{}:.data", running.pid()), &table(moved)]).expect(0);
    flows(&netns, &ports, 5);
    assert_eq!(members(&end(running)), [15 + 10, 0, 0, 5]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_is_not_ip_comes_out_of_queue_0() {
    let netns = with_tap("tap4");
    let running = on_tap(&netns, "tap4", &["--set", &table([3; 16])]);
    let script = "import socket as s
p = s.socket(s.AF_PACKET, s.SOCK_RAW); p.bind(('tap4', 0))
for _ in range(4): p.send(bytes.fromhex('020000000002 020000000001 88b5') + b'hello')";
    netns.run(&["python3", "-c", script]);
    flows(&netns, &[40001], 2);
    assert_eq!(members(&end(running)), [4, 0, 0, 2]);
}

/// Three sockets, and a table that names each of them.
const THREE: [&str; 4] = ["--sockets", "3", "--set", "table=[0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0]"];

fn group(at: &str, more: &[&str]) -> (Running, String) {
    let object = program("steer");
    let args = ["load", &object, "--attach", at, "--json"];
    let running = Running::start(args.into_iter().chain(THREE).chain(more.iter().copied()));
    let local = text(&running.line("attached"), "local").to_owned();
    (running, local)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_reuseport_group_gives_a_flow_to_the_socket_that_its_slot_says() {
    for host in ["127.0.0.1", "::1"] {
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let (running, local) = group(&format!("reuseport:udp:{bracketed}:0"), &[]);
        let server: u16 = local.rsplit(':').next().unwrap().parse().unwrap();
        let mut expected = vec![0; 3];
        let clients: Vec<_> = (0..12).map(|_| UdpSocket::bind((host, 0)).unwrap()).collect();
        for client in clients {
            let port = client.local_addr().unwrap().port();
            for _ in 0..3 {
                client.send_to(b"hello", &local).unwrap();
            }
            expected[slot(host, port, host, server) % 3] += 3;
        }
        assert_eq!(members(&end(running)), expected, "{host}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_ports_a_client_always_gets_the_same_listener() {
    let (running, local) = group("reuseport:127.0.0.1:0", &["--set", "with_ports=false"]);
    for _ in 0..6 {
        drop(TcpStream::connect(&local).unwrap());
    }
    let members = members(&end(running));
    assert_eq!(members.iter().sum::<usize>(), 6);
    assert!(members.contains(&6), "{members:?}");
}
