//! Whatever an object, a packet, an event, a peer, a process or a pin is called or says, it commands no terminal, and nothing is
//! written but what the command line names.

use std::io::Write;
use std::net::UdpSocket;
use std::process::Command;

use crate::support::bpffs::Bpffs;
use crate::support::objects::{Made, compile, object};
use crate::support::process::{MINIBPF, Ran, Running, output_of, run};
use crate::support::server::serve;
use crate::support::{number, text};

/// Stand-ins as long as what they stand for, which no compiler would let pass: `ESC [31m BEL`, and U+009B, U+202E, DEL.
const STAND_INS: [(&str, &[u8]); 2] = [("QQQQQQ", b"\x1b[31m\x07"), ("ZZZZZZ", b"\xc2\x9b\xe2\x80\xae\x7f")];

/// Everything that an object names is named to command the terminal: programs, sections, maps, variables, types, members,
/// enumerators, source files and source lines.
const NAMES: &str = r#"
    enum QQQQQQ_kind { QQQQQQ_one = 1, ZZZZZZ_two };
    struct QQQQQQ_event { __u32 QQQQQQ_len; enum QQQQQQ_kind ZZZZZZ_kind; char text[12]; };
    struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, struct QQQQQQ_event); __type(value, __u64); } QQQQQQ_map SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ZZZZZZ_ring SEC(".maps");
    struct QQQQQQ_event ZZZZZZ_variable = { 7, ZZZZZZ_two, "\x1b]0;x\x07" };
"#;

const GOOD: &str = r#"
    #line 1 "QQQQQQ_ZZZZZZ.c"
    SEC("socket/QQQQQQ") int QQQQQQ_ZZZZZZ(struct __sk_buff *skb)
    {
        struct QQQQQQ_event event = { skb->len, QQQQQQ_one, "\x1b[2J\x9b" };
        __u64 one = 1; /* QQQQQQ ZZZZZZ */
        bpf_map_update_elem(&QQQQQQ_map, &event, &one, 0); /* QQQQQQ ZZZZZZ */
        ZZZZZZ_variable.QQQQQQ_len = skb->len; /* QQQQQQ ZZZZZZ */
        bpf_ringbuf_output(&ZZZZZZ_ring, &event, sizeof(event), 0);
        return skb->len;
    }"#;

/// It reads beyond the context, in a line that commands as well.
const BAD: &str = r#"
    static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
    SEC("socket/ZZZZZZ") int QQQQQQ_bad(struct __sk_buff *skb)
    { return *(__u32 *)((char *)skb + 76) + bpf_map_delete_elem(&QQQQQQ_map, &ZZZZZZ_variable); /* QQQQQQ ZZZZZZ */ }
    extern int ZZZZZZ_extern(int) __attribute__((section(".ksyms")));
    SEC("socket/QQQQQQ_extern") int QQQQQQ_unlinkable(struct __sk_buff *skb) { return ZZZZZZ_extern(1); }"#;

fn hostile(source: &str) -> Made {
    let mut bytes = compile(source).bytes();
    for (stand_in, name) in STAND_INS {
        assert_eq!(stand_in.len(), name.len());
        for at in 0..bytes.len() - name.len() {
            if bytes[at..].starts_with(stand_in.as_bytes()) {
                bytes[at..at + name.len()].copy_from_slice(name);
            }
        }
    }
    Made::of(&bytes)
}

/// What a terminal obeys: control characters but newline and tab, and what turns the order of text around.
fn commands(c: char) -> bool {
    let is_control = c.is_control() && !matches!(c, '\n' | '\t');
    is_control || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn is_harmless(said: &[u8]) {
    let said = std::str::from_utf8(said).expect("what is printed is UTF-8");
    if let Some(at) = said.find(commands) {
        panic!("{:?} at byte {at} of:\n{}", said[at..].chars().next().unwrap(), said.escape_debug());
    }
}

#[track_caller]
fn harmless(ran: Ran) -> Ran {
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    is_harmless(&ran.stdout);
    is_harmless(ran.stderr.as_bytes());
    ran
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_object_whose_every_name_commands_a_terminal_does_so_in_no_command() {
    let (good, bad) = (hostile(&format!("{NAMES}{GOOD}")), hostile(&format!("{NAMES}{BAD}")));
    let page = tempfile::NamedTempFile::new().unwrap();
    let page = page.path().to_str().unwrap();
    let mut tried = 0;
    for path in [good.path(), bad.path()] {
        for command in [
            &["check", &path][..],
            &["check", &path, "--trace", "-v"],
            &["check", &path, "--dry-run"],
            &["check", &path, "--verifier-log=2"],
            &["check", &path, "--raw-log"],
            &["check", &path, &path],
            &["check", &path, "--program", "nothing"],
            &["check", &path, "--set", "nothing=1"],
            &["check", &path, "--map", "nothing=/nowhere"],
            &["explain", &path],
            &["explain", &path, "-v", "--bytes"],
            &["explain", &path, "--ascii"],
            &["report", &path, "-o", page],
            &["report", &path, "-o", page, "--source", "/tmp"],
            &["run", &path, "icmp", "tcp:80:GET /"],
            &["run", &path, "icmp", "--trace"],
            &["load", &path, "--listen", "udp:127.0.0.1:0", "--duration", "100ms", "--trace"],
        ] {
            for json in [&[][..], &["--json"], &["--pretty"]] {
                harmless(run(command.iter().chain(json)));
                tried += 1;
            }
        }
        is_harmless(&std::fs::read(page).unwrap());
    }
    assert_eq!(tried, 2 * 17 * 3);
    let said = harmless(run(["check", &good.path(), "-v"])).expect(0).text();
    assert!(said.contains("\\u{1b}[31m\\u{7}_\\u{9b}\\u{202e}\\u{7f}"), "its name is shown all the same: {said}");
    let said = harmless(run(["check", &bad.path()])).expect(5).text();
    assert!(said.contains("/* \\u{1b}[31m"), "so is the line of source: {said}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn events_and_maps_that_hold_commands_are_shown_escaped() {
    let good = hostile(&format!("{NAMES}{GOOD}"));
    for json in [&[][..], &["--json"]] {
        let path = good.path();
        let args = ["load", &path, "--listen", "udp:127.0.0.1:0", "--count", "1", "--watch", "10ms"];
        let running = Running::start(args.iter().chain(json));
        running.says("attached");
        let said = running.said() + &running.narration();
        let port: u16 = said
            .split("127.0.0.1:")
            .nth(1)
            .unwrap()
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap()
            .parse()
            .unwrap();
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"\x1b[2J", ("127.0.0.1", port)).unwrap();
        let ran = running.end().expect(0);
        is_harmless(ran.stderr.as_bytes());
        if json.is_empty() {
            assert!(ran.stderr.contains("\\x1b[2J"), "the event's text: {}", ran.stderr);
        } else {
            is_harmless(&ran.stdout);
            assert_eq!(ran.kind("event").len(), 1);
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_is_pinned_and_dumped_commands_nothing_and_lies_where_it_was_to() {
    let (fs, good) = (Bpffs::mount(), hostile(&format!("{NAMES}{GOOD}")));
    harmless(run(["check", &good.path(), "--pin", &fs.path("x"), "--trace"])).expect(0);
    let pins: Vec<_> = fs.listing().into_iter().filter(|name| name.matches('/').count() > 0).collect();
    assert_eq!(pins.len(), 5, "a program, the directory of the maps, and three maps: {pins:?}");
    for pin in pins.iter().map(|pin| fs.path(pin)) {
        for more in [&[][..], &["--json"], &["--bytes"], &["-v"], &["--trace"]] {
            harmless(run(["dump", &pin].iter().chain(more)));
        }
        harmless(run(["set", &pin, "nothing=1"]));
        harmless(run(["attach", &pin, "--attach", "fd:0", "--trace"]));
    }
    let object = good.path();
    let program = pins.iter().find(|pin| !pin.contains("maps")).unwrap();
    harmless(run(["dump", &fs.path(program), "--object", &object])).expect(0);
    for name in ["maps/a\x1b[31m", "b\u{9b}"] {
        harmless(run(["dump", &fs.path(name)])).expect(1);
        harmless(run(["attach", &fs.path(name), "--connect", "127.0.0.1:9"]));
    }
}

/// Names that climb, of programs and of maps.
#[test]
#[ignore = "needs CAP_BPF"]
fn a_name_with_slashes_and_dots_is_pinned_in_the_directory_all_the_same() {
    let source = "
        struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); __uint(pinning, 1); } QQQQQQ_map SEC(\".maps\");
        SEC(\"socket\") int ZZZZZZ_program(struct __sk_buff *skb)
        { __u32 key = 0; return bpf_map_lookup_elem(&QQQQQQ_map, &key) ? skb->len : 0; }";
    let mut bytes = compile(source).bytes();
    for at in 0..bytes.len() - 6 {
        match &bytes[at..at + 6] {
            b"QQQQQQ" => bytes[at..at + 6].copy_from_slice(b"../../"),
            b"ZZZZZZ" => bytes[at..at + 6].copy_from_slice(b"/../x/"),
            _ => {}
        }
    }
    let (fs, made) = (Bpffs::mount(), Made::of(&bytes));
    run(["check", &made.path(), "--pin", &fs.path("deep/er")]).expect(2);
    assert_eq!(fs.listing(), Vec::<String>::new(), "the directory above is not made unasked");
    std::fs::create_dir(fs.path("deep")).unwrap();
    run(["check", &made.path(), "--pin", &fs.path("deep/er")]).expect(0);
    let expected = ["deep", "deep/er", "deep/er/____x__program", "deep/er/maps", "deep/er/maps/_______map"];
    assert_eq!(fs.listing(), expected);
}

/// What `script` shows is what a terminal gets.
#[track_caller]
fn on_a_terminal(args: &[&str]) -> String {
    let command = format!("NO_COLOR=1 {MINIBPF} {} 2>/dev/null </dev/null", args.join(" "));
    output_of(Command::new("script").args(["-qec", &command, "/dev/null"]))
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_a_server_sends_commands_no_terminal_and_a_pipe_gets_it_unchanged() {
    let pass = object("pass");
    let evil = b"a\x1b[31m\x07\r\n\x9b2J \xc2\x9b2J \xe2\x80\xae \xff\xc3\xa9\xe2\x82";
    // The terminal's own line discipline writes `\r\n` for a newline.
    let shown = on_a_terminal(&["load", &pass, "--connect", &answers(evil)]).replace("\r\n", "\n");
    is_harmless(shown.as_bytes());
    assert_eq!(shown, "a\\x1b[31m\\x07\\x0d\n\\x9b2J \\xc2\\x9b2J \\xe2\\x80\\xae \\xffé\\xe2\\x82");
    let ran = run(["load", &pass, "--connect", &answers(evil)]).expect(0);
    assert_eq!(ran.stdout, evil);
    let ran = harmless(run(["load", &pass, "--connect", &answers(evil), "--json"])).expect(0);
    assert_eq!(number(&ran.summary(), "bytes_received"), evil.len() as i64);
}

/// A server that says this, and then closes.
fn answers(bytes: &'static [u8]) -> String {
    serve("127.0.0.1", move |mut stream| stream.write_all(bytes).unwrap()).target()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_name_of_a_process_that_is_attached_to_commands_nothing() {
    let line = "import ctypes, socket, sys\nctypes.CDLL(None).prctl(15, b'\\x1b[31m\\x07\\xc2\\x9b', 0, 0, 0)\n\
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('\\0minibpf-\\x1b[31m-%d' % __import__('os').getpid())\n\
                print('ready', s.fileno(), flush=True)\nsys.stdin.read()";
    let owner = Running::command(Command::new("python3").args(["-c", line]));
    owner.says("ready");
    let pid = owner.pid().to_string();
    let fd = owner.said().split_whitespace().last().unwrap().to_owned();
    let (at, absent) = (format!("pid:{pid}:{fd}"), format!("pid:{pid}:99"));
    let count = object("count");
    for json in [&[][..], &["--json"]] {
        for args in [
            &["load", &count, "--attach", &at, "--duration", "100ms", "--trace"][..],
            &["load", &count, "--attach", &absent],
            &["detach", "--attach", &at],
            &["detach", "--attach", &absent],
            &["sockets", &pid],
            &["sockets", &pid, "-v"],
            &["dump", &format!("pid:{pid}")],
        ] {
            harmless(run(args.iter().chain(json)));
        }
    }
    let found = run(["sockets", &pid, "--json"]).expect(0).only("socket");
    assert!(text(&found, "command").starts_with("\u{1b}[31m"), "{found}");
}

/// Arguments come from somewhere too: from a script that takes them from a file.
#[test]
fn arguments_that_command_are_shown_escaped() {
    let evil = "\u{1b}[31m\u{9b}";
    for args in [
        &["check", evil][..],
        &["explain", evil],
        &["load", evil, "--connect", "127.0.0.1:9"],
        &["run", &object("pass"), evil],
        &["dump", evil],
        &["attach", evil, "--packet", "lo"],
        &["explain", &object("pass"), "--section", evil],
        &["explain", &object("pass"), "--program", evil],
        &["load", &object("pass"), "--packet", evil],
        &["load", &object("pass"), "--connect", evil],
        &["load", &object("pass"), "--attach", evil],
        &[evil],
        &["check", "--", evil],
        &["check", &format!("--{evil}")],
    ] {
        for json in [&[][..], &["--json"]] {
            let ran = harmless(run(args.iter().chain(json)));
            assert!(ran.code.is_some_and(|code| code > 0), "{args:?}");
        }
    }
}

/// Each call that opens a file for writing, makes, removes or renames one, as strace records it.
fn written(args: &[&str]) -> Vec<String> {
    let record = tempfile::NamedTempFile::new().unwrap();
    let calls = "trace=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,truncate,chmod,fchmodat,mknod,mknodat,mount";
    output_of(Command::new("strace").args(["-f", "-qq", "-e", calls, "-o"]).arg(record.path()).arg(MINIBPF).args(args));
    let record = std::fs::read_to_string(record.path()).unwrap();
    let changes = record.lines().filter(|line| {
        let for_writing = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| line.contains(flag));
        let is_call = !line.contains("+++") && !line.contains("---");
        is_call && (for_writing || !line.contains("open"))
    });
    // The process's number, then the call.
    changes.map(|line| line.split_once(' ').unwrap().1.trim().to_owned()).collect()
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_hostile_object_has_nothing_written_but_what_the_command_line_names() {
    let (good, dir) = (hostile(&format!("{NAMES}{GOOD}")), tempfile::tempdir().unwrap());
    let (object, page, kept) = (good.path(), dir.path().join("page.html"), dir.path().join("kept"));
    let (page, kept) = (page.to_str().unwrap(), kept.to_str().unwrap());
    for args in [
        &["check", &object][..],
        &["explain", &object],
        &["run", &object, "icmp"],
        &["load", &object, "--listen", "udp:127.0.0.1:0", "--duration", "50ms"],
    ] {
        assert_eq!(written(args), Vec::<String>::new(), "{args:?}");
    }
    let server = answers(b"\x1b[2J");
    let named = [
        // Beside it, and then renamed: whoever reads it never sees half of it.
        (&["report", &object, "-o", page][..], "page.html"),
        (&["load", &object, "--connect", &server, "--json", "--output", kept], kept),
    ];
    for (args, path) in named {
        let calls = written(args);
        assert!(!calls.is_empty() && calls.iter().all(|call| call.contains(path)), "{calls:?}");
    }
    assert_eq!(std::fs::read(kept).unwrap(), b"\x1b[2J", "a file gets what came, unchanged");
    let mut there: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    there.sort();
    assert_eq!(there, ["kept", "page.html"]);
}
