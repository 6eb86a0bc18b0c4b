//! Helpers and functions of the kernel: those that are missing, and those that are closed.

use super::super::when::When::{Always, MissingFunction, MissingType};
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "core-missing",
        &["invalid func unknown#{#number}"],
        MissingType,
        "this kernel has no {symbol}; in place of the instruction a loader puts a call of a helper that does not exist, which is refused only if the program would get there",
        "ask first: `if (bpf_core_field_exists(…))`, or bpf_core_type_exists() or bpf_core_enum_value_exists(); or declare it as this kernel has it",
    )
    .met_in(&["libbpf/libbpf#371", "cilium/ebpf#1402"]),
    row(
        "kfunc-missing",
        &["invalid func unknown#{#number}"],
        MissingFunction,
        "this kernel has no function {symbol}; it is declared weak, so the loader goes on, and the program gets there unasked",
        "ask first: `if ({symbol})`; its address is 0 where it is missing",
    ),
    row(
        "helper-unknown",
        &["invalid func {helper}#{#number}"],
        Always,
        "this kernel has no helper {number}: it is from a newer kernel, or the number is wrong",
        "use another helper, or a newer kernel; `bpftool feature probe` lists what there is",
    )
    .met_in(&["eunomia-bpf/bpf-developer-tutorial#126"]),
    row(
        "helper-type",
        &["program of this type cannot use helper {helper}#{#number}", "unknown func {helper}#{#number}"],
        Always,
        "{helper} is a helper of this kernel, but not for this program: socket filters look at packets and never change them, and some helpers want more privileges",
        "do without it, or write a program of another type (tc, XDP); if the helper needs CAP_PERFMON, load with it",
    )
    .met_in(&["iovisor/bcc#2423"]),
    row(
        "helper-gpl",
        &[
            "cannot call GPL-restricted function from non-GPL compatible program",
            "cannot call GPL only function from proprietary program",
        ],
        Always,
        "{helper} is open only to programs whose licence is compatible with the GPL, and this one says \"{license}\"",
        "if you may: `char _license[] SEC(\"license\") = \"GPL\";`; \"Dual MIT/GPL\" and \"Dual BSD/GPL\" count as well",
    )
    .met_in(&["lizrice/learning-ebpf#20"]),
    row(
        "kfunc-type",
        &["calling kernel function {function} is not allowed"],
        Always,
        "{function} is a function of this kernel that socket filters may not call; the kernel keeps a list of them for each program type",
        "do without it, or write a program of a type that may call it",
    )
    .met_in(&["libbpf/libbpf#591"]),
];
