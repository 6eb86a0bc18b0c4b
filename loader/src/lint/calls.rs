//! Calls of helpers that this type of program, or its licence, does not get.

use super::rules::{HELPER_LICENSE, HELPER_TYPE};
use super::walk::instructions;
use super::{Lint, Place};
use crate::insn::Insn;
use crate::uapi::Helper;

/// Kernel: `license_is_gpl_compatible()`, `include/linux/license.h`.
const GPL_COMPATIBLE: [&str; 6] =
    ["GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"];

/// In `src` of `call`: a helper.
const HELPER: u8 = 0;

pub(super) fn lints(at: &Place<'_>, insns: &[Insn]) -> Vec<Lint> {
    let license = at.program.license.as_str();
    let is_gpl = GPL_COMPATIBLE.contains(&license);
    let mut lints = Vec::new();
    for (slot, insn) in instructions(insns).filter(|(_, insn)| insn.code == Insn::CALL && insn.src() == HELPER) {
        let Some(helper) = Helper::of(insn.imm.into()) else { continue };
        let calls = format!("calls {} (helper {})", helper.name(), insn.imm);
        if !helper.is_open_to_socket_filters() {
            lints.push(at.lint(HELPER_TYPE, Some(slot), calls, instead(&helper.name())));
        } else if helper.is_gpl_only() && !is_gpl {
            let has =
                if license.is_empty() { "has no licence".to_owned() } else { format!("has the licence \"{license}\"") };
            lints.push(at.lint(HELPER_LICENSE, Some(slot), format!("{calls} and {has}"), None));
        }
    }
    lints
}

/// What to call instead, where there is something.
fn instead(name: &str) -> Option<&'static str> {
    match name {
        "bpf_probe_read" => Some("bpf_probe_read_kernel or bpf_probe_read_user; of the packet bpf_skb_load_bytes"),
        "bpf_probe_read_str" => Some("bpf_probe_read_kernel_str or bpf_probe_read_user_str"),
        "bpf_skb_output" => Some("bpf_perf_event_output(skb, &map, flags, data, size), or a ring buffer"),
        "bpf_skb_pull_data" => Some("do without it: bpf_skb_load_bytes reads beyond the linear part too"),
        "bpf_ktime_get_tai_ns" => Some("bpf_ktime_get_ns"),
        _ => None,
    }
}
