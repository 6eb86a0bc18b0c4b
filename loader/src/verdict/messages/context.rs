//! The context, and structs of the kernel: which fields there are, and what may be done with them.

use super::super::when::When::{Always, ClosedField, PacketPointer, Store};
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "ctx-data",
        &["invalid bpf_context access off={#off} size={#size}"],
        PacketPointer,
        "`{field}` is not for socket filters: they cannot point into the packet, only copy bytes out of it",
        "copy what you want to look at: `bpf_skb_load_bytes(skb, offset, &header, sizeof(header))`",
    )
    .met_in(&["iovisor/bcc#1427", "foniod/redbpf#206"]),
    row(
        "ctx-write",
        &["invalid bpf_context access off={#off} size={#size}"],
        Store,
        "the program writes to `{field}`; of the context a socket filter may write cb[0] to cb[4] and nothing else",
        "use `skb->cb[]`, which the filter has for itself, a local variable, or a map",
    ),
    row(
        "ctx-field",
        &["invalid bpf_context access off={#off} size={#size}"],
        ClosedField,
        "`{field}` is a field of struct __sk_buff that socket filters cannot read; other program types can",
        "get it from the packet's headers with bpf_skb_load_bytes(), from `skb->sk`, or from a helper",
    ),
    row(
        "ctx-size",
        &["invalid bpf_context access off={#off} size={#size}"],
        Always,
        "this reads {size} bytes at offset {off} of the context, and that is no field: fields are read one at a time, whole or in part",
        "read the field by its name: `skb->len`",
    ),
    row(
        "ctx-moved",
        &["dereference of modified {type} ptr {reg} off={#off} disallowed"],
        Always,
        "{reg} does not point to the beginning of the context, but {off} bytes further on; a helper wants the beginning, and an access wants a constant offset",
        "pass the context as the program got it: `skb`, not `&skb->field`",
    ),
    row(
        "ctx-atomic",
        &["BPF_ATOMIC stores into {reg} {type} is not allowed", "BPF_XADD stores into {reg} {type} is not allowed"],
        Always,
        "the context belongs to one run of the filter: there is nobody to be atomic against, and the kernel has no such access",
        "use a plain assignment; to count over packets, use a map",
    ),
    row(
        "kernel-type",
        &[
            "cannot access ptr member {member} with moff {#moff} in struct {type} with off {#off} size {#size}",
            "access beyond the end of member {member} (mend:{#end}) in struct {type} with off {#off} size {#size}",
        ],
        Always,
        "a struct of the kernel is read at an offset that the object took from its own declaration; in the kernel `{member}` lies there, and {size} bytes at offset {off} do not fit it",
        "let the loader put in the kernel's offset (CO-RE): `__attribute__((preserve_access_index))` behind the closing brace of the struct",
    ),
];
