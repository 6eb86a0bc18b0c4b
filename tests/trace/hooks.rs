//! The calls by which a filter gets onto each kind of socket, and off again, as strace saw them.

use std::process::Command;

use crate::compare;
use crate::strace::{Call, strace};
use crate::support::objects::{compile, object};
use crate::support::process::Running;
use crate::support::{Json, number, wait_for};

/// Runs minibpf under strace for a moment; returns the names of the options that it set, all of which must have succeeded.
fn options(args: &[&str], input: &[u8]) -> Vec<String> {
    let (seen, ran) = strace(args, input);
    compare::all(&seen, &ran.expect(0).lines());
    let set: Vec<&Call> = seen.iter().filter(|call| call.name == "setsockopt").collect();
    assert!(set.iter().all(|call| call.ret == 0), "{set:?}");
    set.iter().map(|call| call.args[2].word().to_owned()).collect()
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn each_kind_of_socket_is_filtered_by_the_calls_that_are_shown() {
    let (attach, detach) = ("SO_ATTACH_BPF", "SO_DETACH_FILTER");
    let reuse = "SO_REUSEPORT";
    let unixgram = format!("unixgram:@minibpf-strace-{}", std::process::id());
    for (target, expected) in [
        (&["--listen", "127.0.0.1:0"][..], vec![attach, "SO_REUSEADDR", detach]),
        (&["--listen", "udp:[::1]:0"], vec![attach, detach]),
        (&["--connect", "udp:127.0.0.1:9"], vec![attach, detach]),
        (&["--listen", &unixgram], vec![attach, detach]),
        (&["--listen", "raw:253"], vec![attach, detach]),
        (&["--packet", "lo"], vec![attach, detach]),
        (&["--packet", "lo", "--cooked"], vec![attach, detach]),
        (
            &["--attach", "reuseport:udp:127.0.0.1:0"],
            vec![reuse, reuse, "SO_ATTACH_REUSEPORT_EBPF", "SO_DETACH_REUSEPORT_BPF"],
        ),
        (
            &["--attach", "reuseport:127.0.0.1:0", "--sockets", "1"],
            vec![reuse, "SO_ATTACH_REUSEPORT_EBPF", "SO_DETACH_REUSEPORT_BPF"],
        ),
        (&["--attach", "fanout:lo:60000", "--sockets", "1"], vec!["PACKET_FANOUT", "PACKET_FANOUT_DATA"]),
    ] {
        let pass = object("pass");
        let args = ["load", &pass, "--json", "--trace", "--duration", "200ms"];
        let args: Vec<_> = args.iter().chain(target).copied().collect();
        assert_eq!(options(&args, b""), expected, "{target:?}");
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_classic_filter_is_put_back_by_the_call_that_is_shown() {
    let script = "import socket, struct, ctypes, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
b = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 10))
s.setsockopt(socket.SOL_SOCKET, 26, struct.pack('HxxxxxxQ', 1, ctypes.addressof(b)))
print('fd', s.fileno(), flush=True); time.sleep(30)";
    let owner = Running::command(Command::new("python3").args(["-c", script]));
    let fd = wait_for("the descriptor", crate::support::PATIENCE, || {
        owner.said().lines().next()?.strip_prefix("fd ")?.parse::<i32>().ok()
    });
    let (at, pass) = (format!("pid:{}:{fd}", owner.pid()), object("pass"));
    let args = ["load", &pass, "--json", "--trace", "--duration", "200ms", "--attach", &at, "--replace"];
    assert_eq!(options(&args, b""), ["SO_ATTACH_BPF", "SO_ATTACH_FILTER"]);
    // What is put back is what was there.
    let args = ["load", &pass, "--json", "--attach", &at];
    let error = crate::support::process::run(args).expect(6).only("error");
    assert!(error["message"].as_str().unwrap().contains("classic filter of 1 instructions"), "{error}");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_locked_filter_stays_until_its_socket_is_closed() {
    let made = compile("SEC(\"socket\") int locked(struct __sk_buff *skb) { return skb->len; }");
    let path = made.path();
    let args = ["load", &path, "--json", "--trace", "--duration", "200ms", "--listen", "udp:127.0.0.1:0", "--lock"];
    let (seen, ran) = strace(&args, b"");
    let lines = ran.expect(0).lines();
    compare::all(&seen, &lines);
    let set: Vec<_> = seen.iter().filter(|call| call.name == "setsockopt").collect();
    let results: Vec<_> = set.iter().map(|call| (call.args[2].word(), call.errno.as_deref())).collect();
    let expected = [("SO_ATTACH_BPF", None), ("SO_LOCK_FILTER", None), ("SO_DETACH_FILTER", Some("EPERM"))];
    assert_eq!(results, expected);
    let loaded: Vec<&Json> = lines.iter().filter(|line| line["kind"] == "loaded").collect();
    crate::support::bpftool::wait_until_gone("prog", number(loaded[0], "id"));
}
