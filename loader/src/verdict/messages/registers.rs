//! What a register holds where something else is wanted.

use super::super::when::When::{Always, Argument, Variable};
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "ringbuf-leak",
        &["Unreleased reference id={#id} alloc_insn={#alloc}"],
        Always,
        "what insn {alloc} took has not been given back when the program ends here",
        "give it back on every way out: bpf_ringbuf_submit() or bpf_ringbuf_discard(), bpf_sk_release() for a socket",
    ),
    row(
        "not-constant",
        &["{reg} is not a known constant", "{reg} must be a known constant"],
        Always,
        "{reg} must be the same number every time, known when the program is loaded: this helper reserves as much as it says",
        "pass a constant: `sizeof(struct event)`; for sizes that vary use bpf_ringbuf_output()",
    ),
    row(
        "argument",
        &["{reg} !read_ok"],
        Argument,
        "{reg} is read as an argument of the program; a filter gets one, the context in R1, and the others hold nothing",
        "declare the program with one argument: `int filter(struct __sk_buff *skb)`; other values reach it in a map or a global variable",
    ),
    row(
        "uninitialised",
        &["{reg} !read_ok"],
        Always,
        "{reg} is read, and nothing has written it on this way; a call of a helper leaves only R0 and R6 to R9 as they should be",
        "give the variable a value on every way; end every way with return",
    ),
    row(
        "map-section",
        &["{reg} type=map_value expected=map_ptr"],
        Variable,
        "this helper wants a map in {reg}, and {variable} is a variable in {section}: what has no `SEC(\".maps\")` is not made a map",
        "put `SEC(\".maps\")` behind the name where it is defined: `} map SEC(\".maps\");`",
    ),
    row(
        "map-expected",
        &["{reg} type={type} expected=map_ptr"],
        Always,
        "this helper wants a map in {reg} and gets a {type}; a loader puts maps in where the object has relocation records",
        "pass the address of a variable in `SEC(\".maps\")`: `&map`",
    )
    .met_in(&["cilium/ebpf#179"]),
    row(
        "pointer-expected",
        &["{reg} type={type} expected={expected}"],
        Always,
        "this helper wants an address in {reg} and gets a {type}",
        "pass the address of a variable, not its value: `&key`",
    ),
    row(
        "map-kind",
        &["cannot pass map_type {#map_type} into func {helper}#{#number}"],
        Always,
        "{helper} does not work on maps of type {map_type} ({map_type_name})",
        "give the map the type that the helper is for, or use the helper for maps of this type",
    ),
    row(
        "map-arithmetic",
        &["{reg} pointer arithmetic on {type} prohibited"],
        Always,
        "{reg} is a {type}: a handle for helpers, not memory, so nothing can be added to it",
        "pass it as it is; what a map holds is reached with bpf_map_lookup_elem()",
    ),
    row(
        "pointer-bits",
        &["{reg} bitwise operator {operator} on pointer prohibited", "{reg} pointer arithmetic with {operator} operator prohibited"],
        Always,
        "{reg} holds an address, and only adding and subtracting keeps an address one",
        "do the arithmetic on the index before it is added",
    )
    .met_in(&["h3xduck/TripleCross#49"]),
];
