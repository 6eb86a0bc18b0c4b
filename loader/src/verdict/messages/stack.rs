//! The stack: what lies on it, and how many functions share it.

use super::super::when::When::{Always, MapElement};
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "stack-index",
        &[
            "invalid variable-offset {access} stack {reg} ",
            "invalid unbounded variable-offset {access} stack {reg}",
            "{reg} variable stack access prohibited",
        ],
        Always,
        "the index into an array on the stack may lie outside it, as far as the verifier knows",
        "limit the index to the array's size: `i &= 15`, or `if (i >= sizeof(array)) return skb->len;`",
    ),
    row(
        "map-key",
        &[
            "invalid {access} stack {reg} off={#off} size={#size}",
            "invalid stack type {reg} off={#off} access_size={#size}",
        ],
        MapElement,
        "the {part} of map `{map}` has {size} bytes, and {reg} points to {room}; {helper} is told no size: it takes what the map says",
        "pass the address of a variable of the type that the map's definition names: `__type(key, __u64)` wants a `__u64`",
    ),
    row(
        "stack-buffer",
        &[
            "invalid {access} stack {reg} off={#off} size={#size}",
            "invalid stack type {reg} off={#off} access_size={#size}",
        ],
        Always,
        "{size} bytes at offset {off} of the stack do not fit: offset 0 is its end",
        "make the buffer as large as what is copied, and pass `sizeof(buffer)` as the size",
    ),
    row(
        "stack-align",
        &["misaligned stack access off {off} size {#size}"],
        Always,
        "on the stack {size} bytes are accessed at an address that is no multiple of {size}; the verifier follows values there, and wants them whole",
        "copy with `__builtin_memcpy()`, or align the buffer: `__attribute__((aligned(8)))`",
    ),
    row(
        "stack-frames",
        &["combined stack size of {#count} calls is {#bytes}. Too large"],
        Always,
        "the functions that are under way at this call use {bytes} bytes of the stack together, each rounded up, and there are 512",
        "make the buffers smaller, or keep them in a map of one entry",
    ),
    row(
        "call-depth",
        &["the call stack of {#count} frames is too deep"],
        Always,
        "eight functions may be under way at a time, the program itself among them; this call would be the next",
        "let the compiler put small functions into their callers: `static __attribute__((always_inline))`",
    ),
];
