//! What is taken for an address and is none, or may be NULL.

use super::super::when::When::{Always, FromMap, Released};
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "null-check",
        &["{reg} invalid mem access 'map_value_or_null'"],
        Always,
        "a lookup can miss, and then {reg} is NULL; the verifier follows both answers, and NULL reaches this access",
        "test the pointer before you use it: `if (!value) return skb->len;`",
    ),
    row(
        "ringbuf-null",
        &["{reg} invalid mem access 'ringbuf_mem_or_null'", "{reg} invalid mem access 'alloc_mem_or_null'"],
        Always,
        "a ring buffer can be full, and then bpf_ringbuf_reserve() returns NULL; here {reg} is used unseen",
        "test what was reserved before you write to it: `if (!event) return skb->len;`",
    ),
    row(
        "global-null",
        &["{reg} invalid mem access 'mem_or_null'"],
        Always,
        "a function that is not static is verified by itself, for any arguments: {reg} points to what a caller passes, and a caller may pass NULL",
        "test the argument for NULL, or make the function static: then it is verified with what is really passed",
    ),
    row(
        "sock-null",
        &["{reg} invalid mem access '{type}_or_null'"],
        Always,
        "{reg} is a {type}, or NULL where there is none, and nobody has tested which",
        "keep the pointer in a variable and test it before you use it",
    ),
    row(
        "released",
        &["{reg} invalid mem access 'scalar'", "{reg} invalid mem access 'inv'"],
        Released,
        "{reg} held what {taker}() returned, and that has been given back since: bpf_ringbuf_submit(), bpf_ringbuf_discard() and bpf_sk_release() end its use",
        "give it back last, after everything that reads or writes it",
    ),
    row(
        "pointer-in-map",
        &["{reg} invalid mem access 'scalar'", "{reg} invalid mem access 'inv'"],
        FromMap,
        "{reg} was read from a map, and global variables lie in maps, too: what is kept there comes back as a number, even if it was an address",
        "keep a key in the map and look it up again; name a global variable itself instead of a pointer to it",
    ),
    row(
        "number-as-pointer",
        &["{reg} invalid mem access 'scalar'", "{reg} invalid mem access 'inv'"],
        Always,
        "{reg} holds a number, not an address: only what a helper returned, the context, the stack and maps can be accessed",
        "read bytes of a packet with bpf_skb_load_bytes(), memory of the kernel with bpf_probe_read_kernel()",
    )
    .met_in(&["iovisor/bcc#3807"]),
];
