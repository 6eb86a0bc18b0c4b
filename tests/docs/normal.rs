//! What differs from run to run, and does not count.

use std::sync::LazyLock;

use regex::Regex;

/// Each rule, and what stands for what it matches. Ports, ids, descriptors, addresses and times are the kernel's to choose.
static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r"127\.0\.0\.1:\d{2,5}", "127.0.0.1:PORT"),
        (r"htons\(\d+\)", "htons(PORT)"),
        (r"(?m)^\d+: (socket_filter|array|hash)  ", "ID: $1  "),
        (r"(?m)^ *\d+\.\d s(:|  ran)", "T s$1"),
        (r"\bmemlock \d+B", "memlock NB"),
        (r#""id":\d+"#, "\"id\":ID"),
        (r"\b(btf_id|program id) \d+", "$1 ID"),
        (r"\bmap_ids [0-9,]+", "map_ids IDS"),
        (r"\bmap\[id:\d+\]", "map[id:ID]"),
        (r"shown is its number, \d+", "shown is its number, ID"),
        (r"\bloaded_at \S+", "loaded_at TIME"),
        (r"(\(85\) call \w+)#\d{4,}", "$1#ADDRESS"),
        (r"\bof program \d+", "of program ID"),
        (r"\bpid:\d+", "pid:PID"),
        (r"\bprocess \d+", "process PID"),
        (r"(?m)^ *\d+  python3", "PID  python3"),
        (r"(?m)^(minibpf|python3) \d+ (udp|tcp) ", "$1 FD $2 "),
        // How often TCP sends again, and so how much arrives piece by piece, is a matter of time.
        (r"\b\d+ of (\d+) arrived, and TCP sent", "N of $1 arrived, and TCP sent"),
        (
            r"\b\d+ of (\d+) that were sent arrived, TCP sent again \d+ times",
            "N of $1 that were sent arrived, TCP sent again N times",
        ),
        (r"\b\d+ ns\b", "N ns"),
        (r"\) = \d+", ") = FD"),
        (r"\b(setsockopt|connect)\(\d+", "$1(FD"),
        (r"SO_ATTACH_BPF, \[\d+\]", "SO_ATTACH_BPF, [FD]"),
        (r"(?m)^( *)\d+: \{packets=\d+ bytes=\d+\}", "$1 PORT: {packets=N bytes=N}"),
        (r"\b(total_packets|total_bytes|smallest_packet) = \d+", "$1 = N"),
        (r"\bran \d+ times", "ran N times"),
        (r"\b\d+ runs", "N runs"),
        (r"(?m)^ *\d+\.\d{3}  ", "TIME  "),
    ];
    rules.into_iter().map(|(rule, name)| (Regex::new(rule).unwrap(), name)).collect()
});

/// Replaces what differs from run to run.
pub(crate) fn normal(text: &str) -> String {
    RULES.iter().fold(text.to_owned(), |text, (rule, name)| rule.replace_all(&text, *name).into_owned())
}
