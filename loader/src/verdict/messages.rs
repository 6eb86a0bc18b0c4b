//! The verifier's messages: what each means, and how to mend the program. One row for each, and for each row an object in
//! `bpf-src/broken` that gets the message, with a patch that mends it; `docs/verifier.md` is made of this table.

use super::when::When;

/// A message of the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Its name: the object in `bpf-src/broken`, and the place in `docs/verifier.md`.
    pub name: &'static str,
    /// How it begins, with holes; the newest kernel's words first.
    pub texts: &'static [&'static str],
    /// What else must be so: one message can have several reasons.
    pub when: When,
    /// What it means. Holes are filled with what the message says.
    pub why: &'static str,
    /// What to do.
    pub mend: &'static str,
    /// Where people met it: `owner/repository#number` on GitHub.
    pub threads: &'static [&'static str],
}

impl Message {
    const fn met_in(self, threads: &'static [&'static str]) -> Self {
        Self { threads, ..self }
    }
}

const fn row(
    name: &'static str,
    texts: &'static [&'static str],
    when: When,
    why: &'static str,
    mend: &'static str,
) -> Message {
    Message { name, texts, when, why, mend, threads: &[] }
}

/// Why and mend of `helper-type` where all that is missing is a privilege.
pub(super) const NEEDS_PERFMON: (&str, &str) = (
    "{helper} is open to socket filters, but only if the process that loads them has CAP_PERFMON; CAP_BPF is not enough",
    "load it with CAP_PERFMON too, or as root; or do without {helper}",
);

use When::{
    Always, Argument, ClosedField, FromMap, MapElement, MissingFunction, MissingType, PacketPointer, Recursion,
    Released, Store, Variable,
};

/// All rows; the first that fits counts.
pub const MESSAGES: &[Message] = &[
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
    row(
        "indirect-call",
        &["unknown opcode 8d"],
        Always,
        "a function is called whose address is in a register (`callx`), and programs can only call what is known when they are loaded",
        "call each function by its name: `return i ? two(x) : one(x);`",
    ),
    row(
        "opcode",
        &["unknown opcode {code}", "Invalid insn code at line_info[{#record}]"],
        Always,
        "the eight bytes here are no instruction that this kernel knows",
        "compile for an older instruction set, `-mcpu=v3` or v2, which every kernel knows; where a loader or assembly wrote the bytes, see that lddw kept both its slots",
    ),
    row(
        "lddw-halves",
        &["invalid bpf_ld_imm64 insn"],
        Always,
        "lddw takes two slots, and of the second one only the immediate counts: the rest of it must be 0, and here it is another instruction, or the program's end",
        "write `r0 = 1 ll` in assembly, and keep both slots where instructions are copied or cut",
    ),
    row(
        "lddw-source",
        &["unrecognized bpf_ld_imm64 insn"],
        Always,
        "src of lddw says what its number is, and this pair of src and number means nothing: with src 1, a map's descriptor, the second slot must be 0",
        "put a descriptor into the first slot alone; with src 2 (BPF_PSEUDO_MAP_VALUE) the second one is an offset into the map's value",
    ),
    row(
        "lddw-middle",
        &["jump into the middle of ldimm64 insn {#insn}"],
        Always,
        "lddw takes two slots, and a jump leads to the second one, which is no instruction",
        "in assembly jump to a label; distances count slots, and lddw is two of them",
    ),
    row(
        "map-fd",
        &["fd {#fd} is not pointing to valid bpf_map"],
        Always,
        "lddw names a map by its descriptor, and {fd} is no descriptor of a map in the process that loads the program (EBADF: nothing is open there; EINVAL: something else is)",
        "name the map in C, `&map`, and leave the hole to the loader; a loader puts in what BPF_MAP_CREATE has returned to it, and keeps that open until the program is loaded",
    ),
    row(
        "no-exit",
        &["last insn is not an exit or jmp", "jump out of range from insn {#insn} to {#to}"],
        Always,
        "a function runs on behind its last instruction; a call that a loader left unpatched looks the same, since it leads to a slot where no function begins",
        "end every function with `return`, and assembly with `exit`",
    )
    .met_in(&["cilium/ebpf#72"]),
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
