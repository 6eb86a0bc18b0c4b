//! Ways through a program that have no end, or are too many.

use super::super::when::When::{Always, Recursion};
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "recursion",
        &["the call stack of {#count} frames is too deep", "back-edge from insn {#insn} to {#to}"],
        Recursion,
        "this call is under way already when it is made again: a function calls itself, directly or through others; eight functions may be under way at a time",
        "write it as a loop; `always_inline` cannot help, as a function does not fit into itself",
    ),
    row(
        "endless-loop",
        &["infinite loop detected at insn {#insn}", "back-edge from insn {#insn} to {#to}"],
        Always,
        "the loop comes back to where it was with the same values, so it would never end",
        "change what the loop's condition looks at in every round: `for (i = 0; i < 10; i++)`",
    ),
    row(
        "too-many-branches",
        &["The sequence of {#count} jumps is too complex"],
        Always,
        "at each branch the verifier follows one way and keeps the other for later, and 8192 are all that it keeps; a loop whose number of rounds nothing limits adds one in each round",
        "give the loop a limit that is a constant: `for (i = 0; i < 64 && i < skb->len; i++)`; or use bpf_loop() (Linux 5.17)",
    ),
    row(
        "too-complex",
        &["BPF program is too large. Processed {#count} insn"],
        Always,
        "the verifier walks every path and every round of every loop, and gives up after 1000000 instructions",
        "make the loop shorter, use bpf_loop() (Linux 5.17), whose body is walked once, or move branches into functions that are not static",
    )
    .met_in(&["cilium/cilium#9809", "cilium/cilium#18591"]),
];
