//! Examples of each command, for `--help` and the manual. The tests run every one of them, as it stands; PID is then a running
//! `minibpf load`, or for the commands that reach somebody's socket, a server.

use std::fmt::Write as _;

/// A line to type, and what it is for.
pub(crate) struct Example {
    pub(crate) line: &'static str,
    pub(crate) says: &'static str,
}

const fn example(line: &'static str, says: &'static str) -> Example {
    Example { line, says }
}

/// The examples of a command, or of the program as a whole.
pub(crate) fn of(command: &str) -> &'static [Example] {
    match command {
        "demo" => DEMO,
        "check" => CHECK,
        "load" => LOAD,
        "run" => RUN,
        "explain" => EXPLAIN,
        "report" => REPORT,
        "doctor" => DOCTOR,
        "attach" => ATTACH,
        "detach" => DETACH,
        "sockets" => SOCKETS,
        "dump" => DUMP,
        "set" => SET,
        "completions" => COMPLETIONS,
        _ => PROGRAM,
    }
}

/// As a part of `--help`: what a line is for beside it, or below where one is too wide for that on a terminal of 80 columns.
pub(crate) fn text(examples: &[Example]) -> String {
    const WIDTH: usize = 80;
    let column = examples.iter().map(|example| example.line.len()).max().unwrap_or_default();
    let is_narrow = examples.iter().all(|example| 2 + column + 2 + example.says.len() < WIDTH);
    let mut text = String::from("Examples:\n");
    for Example { line, says } in examples {
        // Memory takes everything.
        let _ = if is_narrow {
            writeln!(text, "  {line:<column$}  {says}")
        } else {
            writeln!(text, "  {line}\n      {says}")
        };
    }
    text
}

const PROGRAM: &[Example] = &[
    example("minibpf demo", "the whole journey"),
    example("minibpf check bpf-src/count.bpf.o", "would the kernel take it?"),
    example("minibpf explain bpf-src/count.bpf.o", "each step of its load, and why"),
    example("minibpf run bpf-src/pass.bpf.o icmp 'tcp:80:GET /'", "try a filter on packets, before it meets traffic"),
    example(
        "minibpf load bpf-src/count.bpf.o --connect 127.0.0.1:8000",
        "talk to a server through a filter, as nc would without",
    ),
    example("minibpf sockets", "whose sockets there are"),
    example("minibpf dump pid:PID", "what a running load has counted"),
    example("minibpf doctor", "what this kernel allows"),
];

const DEMO: &[Example] = &[
    example("minibpf demo", "needs nothing else"),
    example("minibpf demo -v", "with every argument in full"),
    example("minibpf demo --json", "the same as data"),
];

const CHECK: &[Example] = &[
    example("minibpf check bpf-src/count.bpf.o", "would the kernel take it?"),
    example("minibpf check bpf-src/*.bpf.o --json", "several, as data"),
    example("minibpf check bpf-src/drop.bpf.o --set longer_than=100", "with a constant that the verifier then knows"),
    example("minibpf check bpf-src/count.bpf.o --verifier-log=2 --raw-log", "all that the verifier says"),
    example("minibpf check bpf-src/count.bpf.o --dry-run", "without the system calls"),
    example("minibpf check bpf-src/count.bpf.o --pin /sys/fs/bpf/count", "and keep it loaded, by name"),
];

const LOAD: &[Example] = &[
    example(
        "minibpf load bpf-src/count.bpf.o --connect 127.0.0.1:8000",
        "a connection to a server, as nc, through a filter",
    ),
    example(
        "minibpf load bpf-src/count.bpf.o --connect 127.0.0.1:8000 --trace",
        "the same with each system call as it happens, in strace's words",
    ),
    example(
        "minibpf load bpf-src/count.bpf.o --listen udp:127.0.0.1:5353 --duration 2s",
        "a UDP server, filtered, for two seconds",
    ),
    example("minibpf load bpf-src/pass.bpf.o --packet lo --count 10", "ten packets of an interface"),
    example(
        "minibpf load bpf-src/count.bpf.o --attach pid:PID:tcp:127.0.0.1:8000",
        "on the socket of a server that is running already, until Ctrl-C",
    ),
    example(
        "minibpf load bpf-src/count.bpf.o --connect 127.0.0.1:8000 -j --output answer",
        "for a script: events and the summary as data, what comes in to a file",
    ),
];

const RUN: &[Example] = &[
    example(
        "minibpf run bpf-src/pass.bpf.o 'tcp:80:GET / HTTP/1.1\\r\\n\\r\\n' icmp udp6:53:x",
        "three packets, by name",
    ),
    example("minibpf run bpf-src/drop.bpf.o --set longer_than=9 icmp --expect drop", "a test: is it dropped?"),
    example(
        "minibpf run bpf-src/count.bpf.o icmp icmp --expect-map total_packets=2",
        "a test of what the filter counts",
    ),
    example("minibpf run bpf-src/pass.bpf.o --as tcp 'tcp:80:GET /'", "over a real TCP connection"),
    example(
        "minibpf run bpf-src/pass.bpf.o --pcap capture.pcap --repeat 1000",
        "captured packets, and how long the filter takes",
    ),
];

const EXPLAIN: &[Example] = &[
    example("minibpf explain bpf-src/count.bpf.o", "from the file to bpf(2)"),
    example("minibpf explain bpf-src/count.bpf.o --until elf", "the sections of the file alone"),
    example("minibpf explain bpf-src/count.bpf.o --bytes -q", "with the bytes, without lessons"),
    example("minibpf explain bpf-src/count.bpf.o --json", "steps and patches as data"),
    example("minibpf explain --hooks", "where a filter can be attached"),
];

const REPORT: &[Example] = &[
    example("minibpf report bpf-src/count.bpf.o -o count.html", "a page for a browser"),
    example(
        "minibpf report bpf-src/count.bpf.o -o count.html --source .",
        "with source files that do not lie beside the object",
    ),
    example("minibpf check bpf-src/count.bpf.o --verifier-log=2 --raw-log -j > run.json", "a run, recorded"),
    example(
        "minibpf report bpf-src/count.bpf.o -o count.html --from run.json",
        "the page, with what the verifier said",
    ),
    example("scripts/referees bpf-src/count.bpf.o > run.json", "and with what readelf, bpftool and strace say"),
];

const DOCTOR: &[Example] =
    &[example("minibpf doctor", "what this kernel allows"), example("minibpf doctor --json", "the same as data")];

const ATTACH: &[Example] = &[
    example(
        "minibpf attach /sys/fs/bpf/count/count --attach pid:PID:tcp:127.0.0.1:8000",
        "a pinned program (check --pin) to the socket of a running server",
    ),
    example("minibpf attach id:N --connect 127.0.0.1:8000", "by its number, to a connection"),
    example(
        "minibpf attach /sys/fs/bpf/count/count --listen udp:127.0.0.1:5353",
        "to a socket of its own, until Ctrl-C",
    ),
];

const DETACH: &[Example] = &[
    example(
        "minibpf detach --attach pid:PID:tcp:127.0.0.1:8000",
        "by the address of the socket; minibpf sockets lists all",
    ),
    example("minibpf detach --attach pid:PID:3", "by its descriptor"),
];

const SOCKETS: &[Example] = &[
    example("minibpf sockets", "everybody's"),
    example("minibpf sockets PID", "those of a process"),
    example("minibpf sockets -v", "with queues and segments"),
];

const DUMP: &[Example] = &[
    example("minibpf dump pid:PID", "all maps of a running load"),
    example("minibpf dump pid:PID:.bss total_packets", "one global variable"),
    example("minibpf dump map:N", "a map by its number; bpftool map lists all"),
    example(
        "minibpf dump pid:PID:ports --watch 1s --count 3 --sort value.bytes --top 10",
        "the ten largest, three times, and what has been added",
    ),
    example("minibpf dump /sys/fs/bpf/count/maps/ports", "a pinned map"),
    example("minibpf dump /sys/fs/bpf/count/count", "a program after the verifier"),
    example(
        "minibpf dump /sys/fs/bpf/count/count --object bpf-src/count.bpf.o",
        "the same beside what was given, and why it was changed",
    ),
    example("minibpf dump prog:N --watch 1s --count 3", "how often it runs"),
];

const SET: &[Example] = &[
    example("minibpf set /sys/fs/bpf/count/maps/_data smallest_packet=0xffffffff", "of a pinned map"),
    example("minibpf set pid:PID:.bss total_packets=0 total_bytes=0", "of a running load"),
];

const COMPLETIONS: &[Example] = &[
    example("source <(minibpf completions bash)", "in this shell"),
    example("minibpf completions bash > minibpf.bash", "for /etc/bash_completion.d"),
    example("minibpf completions zsh > _minibpf", "for a directory of $fpath"),
    example("minibpf completions fish > minibpf.fish", "for ~/.config/fish/completions"),
];
