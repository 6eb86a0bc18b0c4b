//! The commands that are made to fail, and what each leaves when it ends well.

use std::process::Command;

use crate::support::objects::object;
use crate::support::process::{MINIBPF, output_of};
use crate::world::World;

/// What a command leaves behind that ends with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    Nothing,
    Pins,
    Filter,
}

/// A command.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) args: Vec<String>,
    pub(crate) input: &'static [u8],
    pub(crate) leaves: Leaves,
    /// Whether the foreign socket has a filter already.
    filtered: bool,
}

impl Scenario {
    fn new(name: &'static str, args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { name, args, input: b"", leaves: Leaves::Nothing, filtered: false }
    }

    fn input(self, input: &'static [u8]) -> Self {
        Self { input, ..self }
    }

    fn leaves(self, leaves: Leaves) -> Self {
        Self { leaves, ..self }
    }

    /// Whether there is a filter before it begins, which may be there at the end.
    pub(crate) fn is_filtered(&self) -> bool {
        self.filtered
    }

    /// Before each run.
    pub(crate) fn prepare(&self, world: &World) {
        world.tidy();
        if self.filtered {
            let kept = world.kept.path("count/count");
            output_of(Command::new(MINIBPF).args(["attach", &kept, "--attach", &world.foreign_at()]));
        }
    }
}

const GET: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
/// How long what has no end by itself is watched.
const FOR: &str = "30ms";

/// All of them.
pub(crate) fn all(world: &World) -> Vec<Scenario> {
    let (rich, perf, asking) = (world.rich.path(), world.perf.path(), world.asking.path());
    let (pass, count) = (object("pass"), object("count"));
    let (dir, kept) = (world.pins.path("here"), |name: &str| world.kept.path(&format!("count/{name}")));
    let (foreign, tap) = (world.foreign_at(), format!("tun-filter:{}", world.tap()));
    let [udp, unix] = [format!("udp:{}", world.udp), format!("unixgram:@{}", world.tap())];
    let q = world.program("q");
    vec![
        Scenario::new("check", &["check", &rich, &asking]),
        Scenario::new("check --json --pin", &["check", &rich, "--json", "--pin", &dir]).leaves(Leaves::Pins),
        Scenario::new("load --connect", &["load", &rich, "--program", &q, "--connect", &world.tcp]).input(GET),
        Scenario::new(
            "load --json, pinned",
            &["load", &rich, "--program", &q, "--connect", &world.tcp, "--json", "--trace", "--pin", &dir],
        )
        .input(GET)
        .leaves(Leaves::Pins),
        Scenario::new("load --connect udp", &["load", &perf, "--connect", &udp, "--duration", FOR]).input(b"hello"),
        Scenario::new(
            "load --connect NAME",
            &["load", &pass, "--connect", &world.tcp.replace("127.0.0.1", "localhost")],
        )
        .input(GET),
        Scenario::new("load --listen", &["load", &count, "--listen", "127.0.0.1:0", "--duration", FOR]),
        Scenario::new(
            "load --listen udp",
            &["load", &rich, "--program", &q, "--listen", "udp:127.0.0.1:0", "--duration", FOR],
        ),
        Scenario::new("load --listen unixgram", &["load", &pass, "--listen", &unix, "--duration", FOR]),
        Scenario::new("load --listen raw", &["load", &pass, "--listen", "raw:253", "--duration", FOR]),
        Scenario::new("load --packet", &["load", &count, "--packet", "lo", "--duration", FOR, "--watch", "10ms"]),
        Scenario::new("load --attach pid", &["load", &rich, "--program", &q, "--attach", &foreign, "--duration", FOR]),
        Scenario {
            filtered: true,
            ..Scenario::new("load --replace", &["load", &pass, "--attach", &foreign, "--replace", "--duration", FOR])
        },
        Scenario::new(
            "load --attach reuseport",
            &["load", &pass, "--attach", "reuseport:udp:127.0.0.1:0", "--duration", FOR],
        ),
        Scenario::new(
            "load --attach fanout",
            &["load", &pass, "--attach", &format!("fanout:lo:{}", world.number()), "--duration", FOR],
        ),
        Scenario::new("load --attach tun-filter", &["load", &pass, "--attach", &tap, "--duration", FOR]),
        Scenario::new("run", &["run", &rich, "--program", &q, "icmp", "udp:53:hello"]),
        Scenario::new("run --as udp", &["run", &count, "udp:53:hello", "--as", "udp"]),
        Scenario::new("run --as tcp", &["run", &count, "tcp:80:hello", "--as", "tcp"]),
        Scenario::new("run --as packet", &["run", &count, "icmp", "--as", "packet"]),
        Scenario::new("attach", &["attach", &kept("count"), "--attach", &foreign]).leaves(Leaves::Filter),
        Scenario { filtered: true, ..Scenario::new("detach", &["detach", "--attach", &foreign]) },
        Scenario::new("dump a map", &["dump", &kept("maps/ports")]),
        Scenario::new("dump a program", &["dump", &kept("count"), "--object", &count]),
        Scenario::new("set", &["set", &kept("maps/_bss"), "total_packets=7"]),
        Scenario::new("sockets", &["sockets", &std::process::id().to_string()]),
        Scenario::new("doctor", &["doctor"]),
        Scenario::new("demo", &["demo"]),
        Scenario::new("explain", &["explain", &rich]),
        Scenario::new("report", &["report", &count, "-o", &world.page()]),
    ]
}
