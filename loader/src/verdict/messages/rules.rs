//! What a socket filter, or a function that is called back, may not be or have.

use super::super::when::When::Always;
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "spin-lock",
        &["socket filter progs cannot use bpf_spin_lock yet"],
        Always,
        "a map of this program has values with a bpf_spin_lock in them, and socket filters cannot take locks",
        "take the lock out of the value, and count with `__sync_fetch_and_add()`",
    ),
    row(
        "callback-return",
        &["At callback return the register {reg} has "],
        Always,
        "a function that a helper calls back must return 0 (go on) or 1 (stop), and here it may return something else",
        "return 0 or 1",
    ),
    row(
        "callback-global",
        &["callback function not static"],
        Always,
        "a function that a helper calls back must be static: `{symbol}` is not, so the kernel verifies it by itself, for any arguments, and not for those that the helper passes",
        "write `static` before it",
    ),
    row(
        "callback-records",
        &["missing btf func_info"],
        Always,
        "a function that a helper calls back must be static, and the kernel knows that only from the program's records (.BTF.ext), which it was not given",
        "compile everything with `-g`; strip with `llvm-strip -g`, which keeps .BTF; a function without a record, such as one in assembly, costs all their records",
    ),
    row(
        "packet-write",
        &["the prog does not allow writes to packet data"],
        Always,
        "a socket filter looks at packets and never changes them, so it gets no memory of a packet to write to",
        "use bpf_dynptr_slice(), which gives it for reading",
    ),
];
