//! `minibpf dump` of programs: as bpftool shows them, and beside the objects that they came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::bpffs::Bpffs;
use crate::support::bpftool::bpftool;
use crate::support::objects::{COMMITTED, bpf_src, compile_file, object};
use crate::support::process::{MINIBPF, Ran, Running, output_of, run};
use crate::support::{Json, PATIENCE, number, text, wait_for};

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(path)
}

/// Objects of all kinds of programs: the committed ones, the matrix, and one of everything that the verifier rewrites, by two compilers.
fn objects(dir: &Path) -> Vec<String> {
    let mut objects: Vec<_> = COMMITTED.iter().map(|name| object(name)).collect();
    let names = ["callbacks", "calls", "core", "data", "externs", "large", "maps"];
    let mut sources: Vec<_> = names.iter().map(|name| source(&format!("matrix/{name}.c"))).collect();
    sources.push(source("objects/rewrites.c"));
    for source in &sources {
        for (compiler, version) in [("clang-14", "v2"), ("clang-19", "v4")] {
            let name = source.file_stem().unwrap().to_str().unwrap();
            let object = dir.join(format!("{name}-{compiler}-{version}.o"));
            let mut clang = Command::new(compiler);
            clang.args(["--target=bpf", "-O2", "-g", &format!("-mcpu={version}"), "-I"]).arg(bpf_src());
            output_of(clang.arg("-c").arg(source).arg("-o").arg(&object));
            objects.push(object.to_str().unwrap().to_owned());
        }
    }
    objects
}

/// Loads an object, and shows each of its programs by its pin; returns how many there were.
fn with_pins(object: &str, mut show: impl FnMut(&str)) -> usize {
    let fs = Bpffs::mount();
    let loaded = run(["check", object, "--json", "--pin", &fs.path("x")]).expect(0).kind("program");
    for program in &loaded {
        show(&fs.path(&format!("x/{}", text(program, "name"))));
    }
    loaded.len()
}

/// The instructions of a dump, without what stands above them.
fn body(dump: &Ran) -> Vec<String> {
    let dump = String::from_utf8(dump.stdout.clone()).unwrap();
    dump.lines().skip(1).skip_while(|line| line.starts_with('\t')).map(str::to_owned).collect()
}

/// What the kernel has words for, and a bpftool of 2022 has not.
fn is_younger_than_bpftool(line: &str) -> bool {
    ["(s8", "(s16", "(s32", "__percpu", "bswap", "gotol", "s/=", "s%="].iter().any(|word| line.contains(word))
}

#[test]
#[ignore = "needs CAP_BPF, clang 14 and 19"]
fn every_line_is_as_bpftool_has_it_with_bytes_and_with_places_too() {
    let dir = tempfile::tempdir().unwrap();
    let (mut programs, mut lines, mut younger) = (0, 0, 0);
    for object in objects(dir.path()) {
        programs += with_pins(&object, |pin| {
            for (ours, theirs) in [(None, None), (Some("--bytes"), Some("opcodes")), (Some("-v"), Some("linum"))] {
                let ours = body(&run(["dump", pin].into_iter().chain(ours)).expect(0));
                let mut bpftool = Command::new("bpftool");
                let theirs = output_of(bpftool.args(["prog", "dump", "xlated", "pinned", pin]).args(theirs));
                assert_eq!(ours.len(), theirs.lines().count(), "{object} {pin}");
                for (ours, theirs) in ours.iter().zip(theirs.lines()) {
                    lines += 1;
                    if is_younger_than_bpftool(ours) {
                        younger += 1;
                    } else {
                        assert_eq!(ours, theirs, "{object} {pin}");
                    }
                }
            }
        });
    }
    assert!(programs > 60 && lines > 4000 && younger * 50 < lines, "{programs} {lines} {younger}");
}

/// Where a jump leads, by its text.
fn target(at: i64, text: &str) -> Option<i64> {
    let (_, distance) = text.split_once("goto pc").or_else(|| text.split_once("gotol pc"))?;
    Some(at + 1 + distance.parse::<i64>().unwrap())
}

/// Checks the lines of both sides against one another, and returns how often each kind of change is there.
fn check_both_sides(lines: &[Json], slots: i64) -> BTreeMap<String, usize> {
    let mut changes = BTreeMap::new();
    let (mut given_at, mut xlated_at) = (0, 0);
    // By given slot: the xlated one where what became of it begins; of what was cut out the next one.
    let mut became = BTreeMap::new();
    let mut jumps = Vec::new();
    for line in lines {
        if line["why"].is_string() && !line["given"].as_array().unwrap().is_empty() {
            *changes.entry(text(line, "change").to_owned()).or_default() += 1;
        }
        for given in line["given"].as_array().unwrap() {
            assert_eq!(number(given, "n"), given_at, "{line}");
            given_at += text(given, "bytes").len() as i64 / 16;
            became.insert(number(given, "n"), xlated_at);
            let pair = target(number(given, "n"), text(given, "text")).zip(line["text"].as_str());
            jumps.extend(pair.and_then(|(g, xlated)| Some((g, target(number(line, "n"), xlated)?))));
        }
        if !line["n"].is_null() {
            assert_eq!(number(line, "n"), xlated_at, "{line}");
            xlated_at += text(line, "bytes").len() as i64 / 16;
        }
    }
    assert_eq!(xlated_at, slots);
    for (given, xlated) in jumps {
        assert_eq!(became[&given], xlated, "a jump to {given}");
    }
    changes
}

#[test]
#[ignore = "needs CAP_BPF, clang 14 and 19"]
fn both_sides_are_whole_every_jump_of_both_leads_to_one_place_and_every_change_has_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut changes: BTreeMap<String, usize> = BTreeMap::new();
    let mut programs = 0;
    for object in objects(dir.path()) {
        programs += with_pins(&object, |pin| {
            let ran = run(["dump", pin, "--object", &object, "--json"]).expect(0);
            assert_eq!(ran.stderr, "", "{object} {pin}");
            let program = ran.only("program");
            for (change, count) in check_both_sides(&ran.kind("insn"), number(&program, "bytes_xlated") / 8) {
                *changes.entry(change).or_default() += count;
            }
        });
    }
    assert!(programs > 60, "{programs}");
    assert_eq!(changes.get("rewritten"), None, "{changes:?}");
    for change in
        ["branch", "context", "dead", "distance", "division", "function", "helper", "inlined", "map", "packet_load"]
    {
        assert!(changes.get(change).is_some_and(|count| *count > 3), "{change}: {changes:?}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_object_of_another_program_is_2_and_both_tags_are_said() {
    with_pins(&object("count"), |pin| {
        let ran = run(["dump", pin, "--object", &object("drop")]).expect(2);
        let tag = text(&run(["dump", pin, "--json"]).expect(0).only("program"), "tag").to_owned();
        assert!(ran.stderr.contains(&tag) && ran.stderr.contains("`drop` has "), "{}", ran.stderr);
        let ran = run(["dump", pin, "--object", &object("count"), "--program", "nobody"]).expect(2);
        assert!(ran.stderr.contains("`nobody`"), "{}", ran.stderr);
        let ran = run(["dump", pin, "--object", "/dev/null"]).expect(3);
        assert!(ran.stderr.contains("/dev/null"), "{}", ran.stderr);
    });
}

#[test]
#[ignore = "needs CAP_BPF"]
fn options_of_maps_are_not_for_programs_nor_those_of_programs_for_maps() {
    let fs = Bpffs::mount();
    run(["check", &object("count"), "--pin", &fs.path("x")]).expect(0);
    let (program, map) = (fs.path("x/count"), fs.path("x/maps/ports"));
    for args in [["dump", &program, "80"], ["dump", &program, "--count-entries"]] {
        let ran = run(args).expect(2);
        assert!(ran.stderr.contains("that is a program, not a map"), "{}", ran.stderr);
    }
    let ran = run(["dump", &map, "--bytes"]).expect(2);
    assert!(ran.stderr.contains("that is a map, not a program"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_is_no_program_is_said_to_be_none() {
    for what in ["prog:4294967295", "/proc/self/exe"] {
        let ran = run(["dump", what]).expect(1);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    run(["dump", "prog:x"]).expect(2);
}

/// Runs minibpf without some capabilities.
fn without(capabilities: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--bounding-set", capabilities, "--inh-caps", "-all", MINIBPF]);
    let ran = setpriv.args(args).output().unwrap();
    (ran.status.code(), String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap())
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_privileges_it_says_which_are_missing_and_without_addresses_there_are_numbers() {
    with_pins(&object("count"), |pin| {
        let (code, said) = without("-all,+dac_override", &["dump", pin]);
        assert!(code == Some(4) && said.contains("CAP_BPF"), "{said}");
        // The kernel then says 0 for a helper's address, which is the number of a helper that does not exist.
        let (code, said) = without("-syslog", &["dump", pin, "--object", &object("count")]);
        assert!(
            code == Some(0) && said.contains("call bpf_unspec#0") && said.contains("which the kernel hides here"),
            "{said}"
        );
        assert!(said.contains("skb->len is `len`"), "{said}");
    });
}

#[test]
#[ignore = "needs CAP_BPF and clang 16"]
fn programs_of_other_types_are_shown_too() {
    let source =
        "int other(void *) __attribute__((section(\"xdp\")));\nint other(void *ctx) { (void)ctx; return 2; }\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.c");
    std::fs::write(&path, source).unwrap();
    let made = compile_file(&path);
    let fs = Bpffs::mount();
    output_of(Command::new("bpftool").args(["prog", "load", &made.path(), &fs.path("other"), "type", "xdp"]));
    let ran = run(["dump", &fs.path("other")]).expect(0);
    assert!(ran.text().contains(": xdp  name other  tag ") && ran.text().contains(" = 2\n"), "{}", ran.text());
    // The tag is that of the object's program, of whatever type.
    let ran = run(["dump", &fs.path("other"), "--object", &made.path(), "--section", "xdp"]).expect(0);
    assert!(ran.text().contains("nothing was changed"), "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn watching_a_program_counts_its_runs() {
    let fs = Bpffs::mount();
    run(["check", &object("pass"), "--pin", &fs.path("x")]).expect(0);
    let packet = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(packet.path(), [&[0; 12][..], &[8, 0, 0x45], &[0; 60]].concat()).unwrap();
    let watching = Running::start(["dump", &fs.path("x/pass"), "--watch", "100ms", "--duration", "60s", "--json"]);
    watching.line("stats");
    let pin = fs.path("x/pass");
    let test = ["prog", "run", "pinned", &pin, "data_in", packet.path().to_str().unwrap(), "repeat", "123"];
    bpftool(&test);
    let seen = wait_for("123 runs", PATIENCE, || {
        let said = watching.said();
        let mut rounds = said.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        rounds.find(|line| line["kind"] == "stats" && line["runs"] == 123)
    });
    assert!(number(&seen, "mean_ns") > 0 && number(&seen, "run_cnt") >= 123, "{seen}");
    watching.interrupt();
    watching.end().expect(0);
}
