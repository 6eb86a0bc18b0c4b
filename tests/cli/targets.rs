//! Targets of `load`: how they are written, and what goes with which.

use crate::support::objects::object;
use crate::{NOBODY, fails};

#[test]
fn a_malformed_target_is_2() {
    for (target, says) in [
        ("127.0.0.1", "HOST:PORT"),
        ("::1:80", "[::1]:80"),
        (":80", "host is missing"),
        ("localhost:http", "`http`"),
        ("localhost:65536", "`65536`"),
        ("localhost:", "``"),
        ("localhost:0", "port 0"),
    ] {
        fails(2, &["load", &object("pass"), "--connect", target], &["--connect", says]);
    }
    for (target, says) in [
        ("udp:localhost", "HOST:PORT"),
        ("unix:/x", "unixgram:PATH"),
        ("unixgram:", "path"),
        ("raw:nosuch", "`nosuch`"),
        ("raw:0", "protocol 0"),
        ("raw:255", "only sends"),
    ] {
        fails(2, &["load", &object("pass"), "--listen", target], &["--listen", says]);
    }
    fails(2, &["load", &object("pass")], &["--connect", "--listen", "--packet"]);
}

#[test]
fn targets_and_options_that_do_not_go_together_are_2() {
    let fails = |args: &[&str], says: &str| {
        let object = object("pass");
        let args: Vec<_> = ["load", object.as_str()].iter().chain(args).copied().collect();
        fails(2, &args, &[says]);
    };
    fails(&["--connect", NOBODY, "--packet", "lo"], "--packet");
    fails(&["--listen", NOBODY, "--cooked"], "--packet");
    fails(&["--connect", "udp:127.0.0.1:9", "--after-connect"], "TCP");
    fails(&["--listen", NOBODY, "--count", "1"], "ring buffer");
    fails(&["--listen", NOBODY, "--replace"], "--attach");
    fails(&["--attach", "fd:x"], "`x`");
    fails(&["--attach", "reuseport:80"], "HOST:PORT");
    fails(&["--attach", "fanout:lo"], "GROUP");
    fails(&["--attach", "reuseport:127.0.0.1:0", "--lock"], "--lock");
    fails(&["--attach", "reuseport:127.0.0.1:0", "--sockets", "0"], "--sockets");
    fails(&["--attach", "reuseport:127.0.0.1:0", "--count", "1"], "ring buffer");
    fails(&["--attach", "fd:3", "--sockets", "2"], "--sockets");
    fails(&["--attach", "pid:1:tcp:localhost:80"], "in numbers");
    fails(&["--attach", "fd:3", "--count", "1"], "ring buffer");
    fails(&["--packet", "lo", "--output", "/dev/null"], "--output");
}

#[test]
fn a_malformed_duration_is_2() {
    for option in ["--duration", "--timeout"] {
        for value in ["5", "s", "5h", "-1s", "1e3s", ""] {
            let value = format!("{option}={value}");
            fails(2, &["load", &object("pass"), "--connect", NOBODY, &value], &[option]);
        }
    }
}
