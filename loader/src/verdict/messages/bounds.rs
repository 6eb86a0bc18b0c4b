//! Sizes and indices that may lead out of what they are for.

use super::super::when::When::Always;
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "size-zero",
        &["{reg} invalid zero-sized read", "invalid zero-sized read"],
        Always,
        "{reg} is a size and may be 0, as far as the verifier knows; this helper copies at least one byte",
        "test it right before the call: `if (len > 0)`; where the compiler loses the test, put `barrier_var(len)` after the last change of `len`",
    )
    .met_in(&["aya-rs/aya#1207"]),
    row(
        "size-negative",
        &["{reg} min value is negative, either use unsigned or 'var &= const'"],
        Always,
        "{reg} is a size and may be negative, as far as the verifier knows",
        "count in unsigned numbers, or test for both ends: `if (len < 0 || len > 64) return 0;`",
    )
    .met_in(&["libbpf/libbpf-bootstrap#254"]),
    row(
        "size-unbounded",
        &["{reg} unbounded memory access, use 'var &= const' or 'if (var < const)'"],
        Always,
        "{reg} is a size, and nothing on the way here has limited it",
        "limit it to the buffer: `if (len > sizeof(buffer)) return 0;`",
    )
    .met_in(&["bytedance/netcap#2"]),
    row(
        "value-far",
        &["value {#value} makes {type} pointer be out of bounds"],
        Always,
        "as far as the verifier knows, {value} may be added to the address, and that leads further away than any memory reaches",
        "make the index unsigned, and test it right before you use it: `if (i < sizeof(array)) array[i] = 1;`",
    ),
    row(
        "value-negative",
        &[
            "math between {type} pointer and register with unbounded min value is not allowed",
            "{reg} min value is negative, either use unsigned index or do a if (index >=0) check",
        ],
        Always,
        "the number that is added to the address may be negative, as far as the verifier knows",
        "make the index unsigned, or test for both ends: `if (i < 0 || i >= 8) return skb->len;`",
    )
    .met_in(&["falcosecurity/libs#940"]),
    row(
        "value-index",
        &["{reg} max value is outside of the allowed memory range"],
        Always,
        "the index has a limit, but one that is too large: at its highest, {size} bytes at offset {off} are accessed, and there are {value_size}",
        "test for what the array really has: `if (i >= 8) return skb->len;`; an index is smaller than the number of elements",
    ),
    row(
        "value-end",
        &["{reg} min value is outside of the allowed memory range"],
        Always,
        "{size} bytes at offset {off} lie outside the memory that {reg} points to, which has {value_size} bytes",
        "stay inside: the last element is the number of elements less one",
    ),
    row(
        "value-unbounded",
        &["{reg} unbounded memory access, make sure to bounds check any such access"],
        Always,
        "an index without a limit was added to {reg}: it may point anywhere",
        "limit the index before you use it: `i &= 7`, or `if (i >= 8) return skb->len;`; and use the variable that was tested",
    )
    .met_in(&["microsoft/SysmonForLinux#65"]),
    row(
        "rodata-write",
        &["write into map forbidden, value_size={#value_size} off={#off} size={#size}"],
        Always,
        "the program writes to a map that is read-only for programs: constants (`const`, .rodata) lie in one, which the loader freezes",
        "leave out `const`: then the variable lies in .data or .bss",
    ),
];
