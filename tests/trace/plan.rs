//! The plan and the trace: what is explained is what is executed. And no call more than that.

use std::collections::BTreeMap;

use crate::load_under_strace;
use crate::strace::Call;
use crate::support::bpffs::Bpffs;
use crate::support::objects::{COMMITTED, object};
use crate::support::process::run;
use crate::support::{Json, number, text, unhex};

/// Puts numbers in place of what the plan says instead: `btf`, `map ports`, `program count`.
fn with_numbers(step: &Json, numbers: &BTreeMap<String, i64>) -> Json {
    let mut attr = step["attr"].clone();
    for (name, field) in attr.as_object_mut().unwrap() {
        if !name.ends_with("_fd") {
            continue;
        }
        if let Some(role) = field.as_str() {
            *field = numbers[role].into();
        }
    }
    attr
}

/// The call's attr with the maps' descriptors in its instructions set to zero, as the plan has them.
fn without_descriptors(call: &Json) -> Json {
    let mut attr = call["attr"].clone();
    if let Some(insns) = attr["insns"].as_str() {
        let mut bytes = unhex(insns);
        for slot in bytes.chunks_mut(8).filter(|slot| slot[0] == 0x18 && matches!(slot[1] >> 4, 1 | 2)) {
            slot[4..8].fill(0);
        }
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        attr["insns"] = hex.into();
    }
    attr
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn the_plan_is_what_is_executed_but_for_the_numbers_of_descriptors() {
    for name in COMMITTED {
        the_plan_is_executed(name, "BPF_PROG_LOAD", &[]);
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn pins_and_reused_maps_are_part_of_the_plan_that_is_executed() {
    let fs = Bpffs::mount();
    the_plan_is_executed("count", "BPF_OBJ_PIN", &["--pin", &fs.path("x")]);
    let reuse =
        [("ports", "x/maps/ports"), (".bss", "x/maps/_bss")].map(|(map, pin)| format!("{map}={}", fs.path(pin)));
    the_plan_is_executed("count", "BPF_OBJ_PIN", &["--map", &reuse[0], "--map", &reuse[1], "--pin", &fs.path("y")]);
}

/// Compares what is planned for an object with what is done, up to the last call of this kind.
#[track_caller]
fn the_plan_is_executed(name: &str, last: &str, options: &[&str]) {
    let path = object(name);
    let args = |how| ["check", &path, "--json", how].into_iter().chain(options.iter().copied());
    let plan = run(args("--dry-run")).expect(0).kind("step");
    let trace = run(args("--trace")).expect(0).kind("syscall");
    let end = 1 + trace.iter().rposition(|call| call["call"] == last).unwrap();
    assert_eq!(plan.len(), end, "{name}");
    let mut numbers = BTreeMap::new();
    for (step, call) in plan.iter().zip(&trace) {
        for field in ["syscall", "call", "size", "why", "n"] {
            assert_eq!(step[field], call[field], "{name}: {field}");
        }
        assert_eq!(with_numbers(step, &numbers), without_descriptors(call), "{name}");
        // A reused map has no name in its attr; its file has the map's, but for the dot.
        let role = match text(call, "call") {
            "BPF_BTF_LOAD" => "btf".to_owned(),
            "BPF_MAP_CREATE" => format!("map {}", text(&call["attr"], "map_name")),
            "BPF_PROG_LOAD" => format!("program {}", text(&call["attr"], "prog_name")),
            "BPF_OBJ_GET" => {
                format!("map {}", text(&call["attr"], "pathname").rsplit('/').next().unwrap().replace('_', "."))
            }
            _ => continue,
        };
        numbers.insert(role, number(call, "ret"));
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn load_and_check_give_the_kernel_the_same() {
    for name in COMMITTED {
        let (seen, _) = load_under_strace(name);
        let checked = run(["check", &object(name), "--dry-run", "--json"]).expect(0).kind("step");
        let loaded: Vec<_> = seen.iter().map(Call::command).take(checked.len()).collect();
        assert_eq!(loaded, checked.iter().map(|step| text(step, "call")).collect::<Vec<_>>(), "{name}");
    }
}

/// The calls up to the attach, with the names of maps.
fn up_to_the_attach(name: &str) -> Vec<String> {
    let (seen, lines) = load_under_strace(name);
    let end = 1 + seen.iter().position(|call| call.name == "setsockopt").unwrap();
    let said = crate::compare::traced(&lines);
    let names = seen[..end].iter().zip(said).map(|(call, said)| match said["attr"]["map_name"].as_str() {
        Some(map) => format!("{} {map}", call.command()),
        None => call.command().to_owned(),
    });
    names.collect()
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn until_it_is_attached_a_filter_without_maps_takes_three_calls() {
    assert_eq!(up_to_the_attach("pass"), ["BPF_BTF_LOAD", "BPF_PROG_LOAD", "setsockopt"]);
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn until_it_is_attached_count_takes_seven_calls_with_its_maps_in_the_order_of_the_file() {
    assert_eq!(
        up_to_the_attach("count"),
        [
            "BPF_BTF_LOAD",
            "BPF_MAP_CREATE .data",
            "BPF_MAP_CREATE .bss",
            "BPF_MAP_CREATE ports",
            "BPF_MAP_UPDATE_ELEM",
            "BPF_PROG_LOAD",
            "setsockopt",
        ]
    );
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn constants_are_written_and_frozen_before_the_program_is_loaded() {
    let calls = up_to_the_attach("drop");
    let at =
        |name: &str| calls.iter().position(|call| call == name).unwrap_or_else(|| panic!("no {name} in {calls:?}"));
    assert!(at("BPF_MAP_CREATE .rodata") < at("BPF_MAP_UPDATE_ELEM"));
    assert_eq!(at("BPF_MAP_UPDATE_ELEM") + 1, at("BPF_MAP_FREEZE"));
    assert!(at("BPF_MAP_FREEZE") < at("BPF_PROG_LOAD"));
    assert_eq!(
        calls.iter().filter(|call| *call == "BPF_MAP_UPDATE_ELEM").count(),
        1,
        "zeros are not written: {calls:?}"
    );
}
