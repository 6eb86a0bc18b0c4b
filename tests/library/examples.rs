//! Each example runs, ends by itself, and says what it is there to show.

use std::fs;
use std::process::Command;

use crate::root;

/// What each prints, beside numbers that differ from run to run.
const EXAMPLES: [(&str, &[&str]); 7] = [
    ("attach_tcp_stream", &["loaded program id ", "the peer said hello\\n", "ports: key "]),
    ("attach_udp_socket", &["received: short\nreceived: end\n", "dropped: 1\n"]),
    (
        "read_a_map",
        &["as a struct: 3 packets, 35 bytes\n", "by its types: {packets=3 bytes=35}, of which packets: Some(3)\n"],
    ),
    ("poll_events", &["events: GET /index.html HTTP/1.1\n"]),
    ("tokio_events", &["events: POST /form HTTP/1.1\\r\\n"]),
    (
        "embed_object",
        &[
            "count: 51 instructions, 5 of them to be patched\n",
            "loaded, with the maps [\".data\", \".bss\", \"ports\"]\n",
        ],
    ),
    ("test_a_filter", &["icmp: keeps 28 bytes\n", "tcp:80:GET / HTTP/1.0: keeps 0 bytes\n"]),
];
/// Not for users: measurements, which scripts/bench runs, and the manual, which scripts/man writes.
const TOOLS: [&str; 4] = ["bench_events", "bench_load", "bench_plan", "man"];

#[test]
#[ignore = "needs CAP_BPF"]
fn every_example_runs_and_says_what_it_shows() {
    // .../debug/deps/library-HASH: the examples lie beside deps.
    let built = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples");
    for (name, lines) in EXAMPLES {
        let ran = Command::new("timeout").arg("30").arg(built.join(name)).output().unwrap();
        let (out, err) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8_lossy(&ran.stderr).into_owned());
        assert!(ran.status.success(), "{name} (built by `cargo build --examples`): {}\n{out}{err}", ran.status);
        for line in lines {
            assert!(out.contains(line), "{name}: {line:?} is missing in\n{out}");
        }
        assert_eq!(err, "", "{name}");
    }
}

#[test]
fn no_example_is_left_out_and_each_says_how_it_is_run() {
    let mut names: Vec<String> = EXAMPLES.iter().map(|(name, _)| (*name).to_owned()).collect();
    for entry in fs::read_dir(root().join("loader/examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if TOOLS.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(lines <= 80, "{name} has {lines} lines: an example is short");
        assert!(text.contains(&format!("--example {name}")), "{name} does not say how it is run");
        let at = names.iter().position(|known| *known == name);
        names.remove(at.unwrap_or_else(|| panic!("no test runs {name}")));
    }
    assert_eq!(names, [""; 0], "examples that are not there");
}
