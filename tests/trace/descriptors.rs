//! Numbers that stand for things: each descriptor is the one that the kernel returned for what it stands for.

use std::collections::BTreeMap;

use crate::load_under_strace;
use crate::strace::{Call, Node};
use crate::support::bpftool::bpftool;
use crate::support::objects::{COMMITTED, object};
use crate::support::process::{Running, run};
use crate::support::server::reading;
use crate::support::{Json, number, text, unhex};

fn field<'a>(call: &'a Call, name: &str) -> &'a Node {
    let fields = call.attr().unwrap();
    fields.iter().find_map(|(field, value)| (field == name).then_some(value)).unwrap_or_else(|| panic!("no {name}"))
}

fn name_of(call: &Call, name: &str) -> String {
    let Node::Text(bytes) = field(call, name) else { panic!("{name} is no text: {call:?}") };
    String::from_utf8(bytes.clone()).unwrap()
}

/// The two immediates of each `lddw` that names a map, by slot.
fn map_immediates(insns: &[u8]) -> Vec<(usize, u8, i32, i32)> {
    let imm = |slot: &[u8]| i32::from_le_bytes(slot[4..8].try_into().unwrap());
    let slots: Vec<_> = insns.chunks(8).collect();
    let lddw = slots.windows(2).enumerate().filter(|(_, pair)| pair[0][0] == 0x18 && matches!(pair[0][1] >> 4, 1 | 2));
    lddw.map(|(at, pair)| (at, pair[0][1] >> 4, imm(pair[0]), imm(pair[1]))).collect()
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn each_descriptor_is_the_one_that_was_returned_for_what_it_stands_for() {
    for name in COMMITTED {
        let (seen, _) = load_under_strace(name);
        let with = |command: &'static str| seen.iter().filter(move |call| call.command() == command);
        let btf = with("BPF_BTF_LOAD").next().unwrap().ret;
        let maps: BTreeMap<_, _> = with("BPF_MAP_CREATE").map(|map| (map.ret, name_of(map, "map_name"))).collect();
        let program = with("BPF_PROG_LOAD").next().unwrap();
        let attach = with("setsockopt").next().unwrap();

        for map in with("BPF_MAP_CREATE") {
            let typed = field(map, "btf_key_type_id").number() != 0 || field(map, "btf_value_type_id").number() != 0;
            assert_eq!(field(map, "btf_fd").number(), if typed { btf } else { 0 }, "{map:?}");
        }
        for update in with("BPF_MAP_UPDATE_ELEM").chain(with("BPF_MAP_FREEZE")) {
            let map = &maps[&field(update, "map_fd").number()];
            assert!(map == ".data" || map == ".rodata", "only variables have contents: {map}");
        }
        assert_eq!(field(program, "prog_btf_fd").number(), btf);
        assert_eq!(attach.args[3], Node::Array(vec![Node::Word(program.ret.to_string())]), "the program is attached");

        // What the plan says each hole is for, and what is in it.
        let plan = run(["check", &object(name), "--dry-run", "--json"]).expect(0);
        let insns = crate::insns::encode_all(field(program, "insns"));
        let filled = map_immediates(&insns);
        let patches: Vec<_> = plan.kind("patch");
        assert_eq!(filled.len(), patches.len(), "{name}");
        for ((slot, src, imm, _), patch) in filled.iter().zip(&patches) {
            assert_eq!(*slot as i64, number(patch, "insn"));
            let map = &maps[&i64::from(*imm)];
            // A map by its own name; a variable by that of its section.
            if *src == 1 {
                assert_eq!(map, text(patch, "symbol"));
            } else {
                assert!([".data", ".bss", ".rodata"].contains(&map.as_str()), "{map}");
            }
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn bpftool_finds_the_same_maps_offsets_and_lines_in_the_loaded_program() {
    for name in COMMITTED {
        let server = reading();
        let args = ["load", &object(name), "--connect", &server.target(), "--json", "--trace"];
        let running = Running::start(args);
        let loaded = running.line("loaded");
        running.line("attached");
        let xlated = bpftool(&["prog", "dump", "xlated", "id", &number(&loaded, "id").to_string(), "linum"]);
        running.interrupt();
        let calls = running.end().expect(0).kind("syscall");
        let program = calls.iter().find(|call| call["call"] == "BPF_PROG_LOAD").unwrap();

        // Our numbers: descriptor → name → id.
        let created = calls.iter().filter(|call| call["call"] == "BPF_MAP_CREATE");
        let by_fd: BTreeMap<_, _> = created.map(|map| (number(map, "ret"), text(&map["attr"], "map_name"))).collect();
        let maps = loaded["maps"].as_array().unwrap().iter();
        let ids: BTreeMap<_, _> = maps.map(|map| (text(map, "name"), number(map, "id"))).collect();
        let insns = unhex(text(&program["attr"], "insns"));
        let ours = map_immediates(&insns).into_iter().map(|(_, src, fd, offset)| {
            let id = ids[by_fd[&i64::from(fd)]];
            if src == 1 { format!("map[id:{id}]") } else { format!("map[id:{id}][0]+{offset}") }
        });
        let theirs =
            xlated.as_array().unwrap().iter().filter_map(|insn| Some(text(insn, "disasm").split_once("= map")?.1));
        let theirs: Vec<_> = theirs.map(|rest| format!("map{rest}")).collect();
        // Where the verifier knows a constant it removes what nobody reaches: drop counts nothing while its limit is the largest.
        let ours: Vec<_> = ours.collect();
        if name == "drop" {
            assert!(theirs.iter().all(|map| ours.contains(map)), "{theirs:?} in {ours:?}");
        } else {
            assert_eq!(ours, theirs, "{name}");
        }

        let records = unhex(text(&program["attr"], "line_info"));
        let ours: Vec<_> = records
            .chunks(16)
            .map(|record| i64::from(u32::from_le_bytes(record[12..].try_into().unwrap()) >> 10))
            .collect();
        let lines: Vec<_> = xlated.as_array().unwrap().iter().filter_map(|insn| insn["line_num"].as_i64()).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| ours.contains(line)), "{name}: {lines:?} in {ours:?}");
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn what_was_written_into_a_map_is_what_bpftool_finds_there() {
    // Over this connection nothing is ever sent, and the filter is attached after its handshake.
    let server = reading();
    let made = crate::compile(
        "volatile __u32 numbers[3] = { 1, 0xdeadbeef, 3 };
         const volatile char name[8] = \"minibpf\";
         SEC(\"socket\") int reads(struct __sk_buff *skb) { return numbers[skb->len & 1] + name[skb->len & 1]; }",
    );
    let args = ["load", &made.path(), "--connect", &server.target(), "--after-connect", "--json", "--trace"];
    let running = Running::start(args);
    let loaded = running.line("loaded");
    running.line("attached");
    let maps: Vec<Json> = loaded["maps"].as_array().unwrap().clone();
    let dumps: Vec<_> =
        maps.iter().map(|map| bpftool(&["map", "dump", "id", &number(map, "id").to_string()])).collect();
    let frozen: Vec<_> =
        maps.iter().map(|map| bpftool(&["map", "show", "id", &number(map, "id").to_string()])).collect();
    running.interrupt();
    let calls = running.end().expect(0).kind("syscall");

    let mut compared = Vec::new();
    for update in calls.iter().filter(|call| call["call"] == "BPF_MAP_UPDATE_ELEM") {
        let fd = &update["attr"]["map_fd"];
        let create = calls.iter().find(|call| call["call"] == "BPF_MAP_CREATE" && call["ret"] == *fd).unwrap();
        let map = text(&create["attr"], "map_name");
        let at = maps.iter().position(|one| one["name"] == map).unwrap();
        let bytes = dumps[at][0]["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|byte| u8::from_str_radix(byte.as_str().unwrap().trim_start_matches("0x"), 16).unwrap());
        assert_eq!(unhex(text(&update["attr"], "value")), bytes.collect::<Vec<_>>(), "{map}");
        let is_frozen = calls.iter().any(|call| call["call"] == "BPF_MAP_FREEZE" && call["attr"]["map_fd"] == *fd);
        assert_eq!(i64::from(is_frozen), number(&frozen[at], "frozen"), "{map}");
        compared.push(map);
    }
    compared.sort_unstable();
    assert_eq!(compared, [".data", ".rodata"]);
}
