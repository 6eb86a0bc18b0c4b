//! Each step of a plan as a [`Call`], with fields in the order of the attr, named as strace names them. The calls around them are in
//! [`super::around`].

use std::mem::size_of;

use super::fields::{Descriptors, bpf, constant, number, pointed, words};
use super::{Call, Fd, Field, pins};
use crate::btf::ext::{FuncInfo, LineInfo};
use crate::plan::{BtfLoad, Held, MapCreate, MapFreeze, MapUpdate, ProgLoad, SlotUpdate, Step, kernel_name};
use crate::sys::attr::{BtfLoadAttr, MapCreateAttr, MapElemAttr, MapFreezeAttr, ProgLoadAttr};
use crate::uapi::names;

/// The flag of `BPF_MAP_CREATE` with which `numa_node` counts.
const BPF_F_NUMA_NODE: u32 = 1 << 2;

/// A step as it is made first; a program without a log.
pub fn step(step: &Step, fds: &impl Descriptors) -> Call {
    step_attempt(step, fds, (0, 0))
}

/// A step as it was made in one attempt: types or a program with the log of that (level, size).
pub fn step_attempt(step: &Step, fds: &impl Descriptors, log: (u32, u32)) -> Call {
    match step {
        Step::BtfLoad(step) => btf_load(step, log),
        Step::MapCreate(step) => map_create(step, fds),
        Step::MapUpdate(step) => map_update(step, fds),
        Step::MapFreeze(step) => map_freeze(step, fds),
        Step::ProgLoad(step) => prog_load(step, fds, log),
        Step::SlotUpdate(step) => slot_update(step, fds),
        Step::Pin(step) => pins::pin_step(step, fds),
    }
}

fn btf_load(step: &BtfLoad, (log_level, log_size): (u32, u32)) -> Call {
    let fields = vec![
        ("btf", pointed(step.btf.clone())),
        ("btf_log_buf", if log_size == 0 { Field::Null } else { constant("...") }),
        ("btf_size", number(step.btf.len() as u64)),
        ("btf_log_size", number(log_size)),
        ("btf_log_level", number(log_level)),
    ];
    let why = match log_level {
        0 => "types and source lines, from section .BTF",
        _ => "the same again, with the kernel's reason",
    };
    bpf("BPF_BTF_LOAD", size_of::<BtfLoadAttr>(), fields, why)
}

fn map_create(step: &MapCreate, fds: &impl Descriptors) -> Call {
    let btf = fds.btf().filter(|_| step.is_typed());
    let types = btf.as_ref().map_or((0, 0), |_| (step.attr.btf_key_type_id, step.attr.btf_value_type_id));
    let mut fields = vec![
        ("map_type", constant(names::map_type(step.attr.map_type))),
        ("key_size", number(step.attr.key_size)),
        ("value_size", number(step.attr.value_size)),
        ("max_entries", number(step.attr.max_entries)),
        ("map_flags", constant(names::map_flags(step.attr.map_flags))),
        ("inner_map_fd", step.inner.map_or(number(0u32), |inner| Field::Fd(fds.map(inner)))),
        ("map_name", Field::Text(kernel_name(&step.name))),
        ("map_ifindex", number(0u32)),
        ("btf_fd", btf.map_or(number(0u32), Field::Fd)),
        ("btf_key_type_id", number(types.0)),
        ("btf_value_type_id", number(types.1)),
        ("btf_vmlinux_value_type_id", number(0u32)),
        ("map_extra", number(step.attr.map_extra)),
    ];
    if step.attr.map_flags & BPF_F_NUMA_NODE != 0 {
        fields.insert(6, ("numa_node", number(step.attr.numa_node)));
    }
    let why = match &step.adjusted {
        Some(adjusted) => format!("map `{}`; {adjusted}", step.name),
        None if step.is_pattern => format!("`{}`, the pattern of what the next map holds", step.name),
        None => format!("map `{}`", step.name),
    };
    bpf("BPF_MAP_CREATE", size_of::<MapCreateAttr>(), fields, why)
}

fn map_update(step: &MapUpdate, fds: &impl Descriptors) -> Call {
    let fields = vec![
        ("map_fd", Field::Fd(fds.map(step.map))),
        ("key", Field::Bytes(step.key.clone())),
        ("value", Field::Bytes(step.value.clone())),
        ("flags", constant("BPF_ANY")),
    ];
    bpf("BPF_MAP_UPDATE_ELEM", size_of::<MapElemAttr>(), fields, "the section's bytes become the map's only value")
}

fn slot_update(step: &SlotUpdate, fds: &impl Descriptors) -> Call {
    let (held, why) = match step.holds {
        Held::Map(id) => (fds.map(id), "a map of maps takes a map's descriptor"),
        Held::Prog(id) => (fds.prog(id), "a program array takes a program's descriptor"),
    };
    let value = match held {
        Fd::Number(number) => Field::Bytes(number.to_le_bytes().to_vec()),
        role @ Fd::Role(_) => Field::Fd(role),
    };
    let fields = vec![
        ("map_fd", Field::Fd(fds.map(step.map))),
        ("key", Field::Bytes(step.index.to_le_bytes().to_vec())),
        ("value", value),
        ("flags", constant("BPF_ANY")),
    ];
    bpf("BPF_MAP_UPDATE_ELEM", size_of::<MapElemAttr>(), fields, why)
}

fn map_freeze(step: &MapFreeze, fds: &impl Descriptors) -> Call {
    let fields = vec![("map_fd", Field::Fd(fds.map(step.map)))];
    bpf("BPF_MAP_FREEZE", size_of::<MapFreezeAttr>(), fields, "constants: the verifier may rely on them")
}

fn prog_load(step: &ProgLoad, fds: &impl Descriptors, (log_level, log_size): (u32, u32)) -> Call {
    let insns = step.resolve(|id| fds.map_number(id));
    let btf = fds.btf().filter(|_| step.has_records());
    let (funcs, lines) = match btf {
        Some(_) => (&step.func_info[..], &step.line_info[..]),
        None => (&[][..], &[][..]),
    };
    let record_size = |size: usize| number(if btf.is_some() { size as u64 } else { 0 });
    let fields = vec![
        ("prog_type", constant("BPF_PROG_TYPE_SOCKET_FILTER")),
        ("insn_cnt", number(insns.len() as u64)),
        ("insns", Field::Insns(insns)),
        ("license", Field::Text(step.license.clone())),
        ("log_level", number(log_level)),
        ("log_size", number(log_size)),
        ("log_buf", if log_size == 0 { Field::Null } else { constant("...") }),
        ("kern_version", constant("KERNEL_VERSION(0, 0, 0)")),
        ("prog_flags", number(0u32)),
        ("prog_name", Field::Text(kernel_name(&step.name))),
        ("prog_ifindex", number(0u32)),
        ("expected_attach_type", constant("BPF_CGROUP_INET_INGRESS")),
        ("prog_btf_fd", btf.clone().map_or(number(0u32), Field::Fd)),
        ("func_info_rec_size", record_size(size_of::<FuncInfo>())),
        ("func_info", pointed(words(funcs, |r| [r.insn_off, r.type_id]))),
        ("func_info_cnt", number(funcs.len() as u64)),
        ("line_info_rec_size", record_size(size_of::<LineInfo>())),
        ("line_info", pointed(words(lines, |r| [r.insn_off, r.file_name_off, r.line_off, r.line_col]))),
        ("line_info_cnt", number(lines.len() as u64)),
        ("attach_btf_id", number(0u32)),
        ("attach_prog_fd", number(0u32)),
        ("fd_array", Field::Null),
    ];
    let why = match log_level {
        0 => format!("program `{}`, from section {}; without a log: only a refusal needs one", step.name, step.section),
        _ => format!("program `{}`, with the verifier's log", step.name),
    };
    bpf("BPF_PROG_LOAD", size_of::<ProgLoadAttr>(), fields, why)
}
