//! What is to be learnt from each kind of link error: why a loader can do nothing with it, and how to mend it.

use super::LinkErrorKind;

/// Why, and how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lesson {
    /// Why a loader can do nothing with it.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
}

const fn lesson(why: &'static str, mend: &'static str) -> Lesson {
    Lesson { why, mend }
}

impl LinkErrorKind {
    /// What is to be learnt from it; the words of the error itself say what was found.
    pub const fn lesson(&self) -> Lesson {
        match self {
            Self::Unaligned { .. } | Self::Twice { .. } | Self::CutShort => BROKEN,
            Self::ByteOrder => BYTE_ORDER,
            Self::NotPatchable { .. } => NOT_PATCHABLE,
            Self::Undefined(_) => UNDEFINED,
            Self::Extern { .. } => EXTERN,
            Self::HiddenAddress(_) => HIDDEN_ADDRESS,
            Self::Common(_) => COMMON,
            Self::NoPlace(_) | Self::UnknownSection { .. } => NO_PLACE,
            Self::Arena(_) => ARENA,
            Self::NoFunction { .. } => NO_FUNCTION,
            Self::NoMap { .. } => NO_MAP,
            Self::BrokenFunction(_) => BROKEN_FUNCTION,
            Self::BrokenMap(_) => BROKEN_MAP,
            Self::BadSlot { .. } => BAD_SLOT,
            Self::Sibling { .. } => SIBLING,
            Self::OutsideData { .. } => OUTSIDE_DATA,
            Self::Core(_) => CORE,
            Self::TooLong(_) => TOO_LONG,
            Self::TooManyCopies => TOO_MANY_COPIES,
        }
    }
}

const AGAIN: &str = "compile it again with clang --target=bpf";

const BROKEN: Lesson = lesson("no compiler writes this: the file is damaged, or was made by hand", AGAIN);

const BYTE_ORDER: Lesson = lesson(
    "instructions and records are stored in the other byte order",
    "compile with clang --target=bpf, which takes the byte order of the machine, or --target=bpfel",
);

const NOT_PATCHABLE: Lesson = lesson(
    "only lddw has room for an address, and only call for a distance: there is no field that the loader could fill",
    "compile with clang --target=bpf -O2; a symbol can be used as an address, or called, and nothing else",
);

const UNDEFINED: Lesson = lesson(
    "each object is loaded alone: a loader has no other one in which the symbol could be",
    "define it in this object (static __always_inline for a function), join objects with bpftool gen object, or declare it __ksym or __kconfig for the kernel to provide",
);

const EXTERN: Lesson = lesson(
    "the kernel is to provide it, and this one does not",
    "declare it __weak and test it before use, or run on a kernel that has it; --btf FILE names another kernel's types",
);

const HIDDEN_ADDRESS: Lesson = lesson(
    "the kernel has the symbol, and tells its address only who may see it: the file of addresses is full of zeros",
    "load it with CAP_SYSLOG, or as root",
);

const COMMON: Lesson = lesson(
    "a COMMON symbol has a size, but no section to lie in: its place is given by linkers that join objects",
    "initialise it (= 0), or compile with -fno-common",
);

const NO_PLACE: Lesson = lesson(
    "a program can refer to its maps, its globals and its functions: nothing else becomes a descriptor or a distance",
    "put it into .data, .bss or .rodata, or, a map, into SEC(\".maps\")",
);

const ARENA: Lesson = lesson(
    "an arena is memory that program and user space share; its variables are laid out by a loader that knows arenas",
    "keep the variable in an ordinary global, or load the object with libbpf, which knows arenas",
);

const NO_FUNCTION: Lesson = lesson(
    "a call leads to the start of a function; between two there is no frame to enter",
    "call the function itself, not a place inside it; compiled again with -O2 and -g it has a symbol",
);

const NO_MAP: Lesson = lesson(
    "a descriptor stands for a whole map; there is none for a place inside a definition",
    "take the address of the map itself: &name",
);

const BROKEN_FUNCTION: Lesson = lesson("its symbol contradicts the section that it lies in", AGAIN);

const BROKEN_MAP: Lesson = lesson(
    "from the definition the loader makes the arguments of BPF_MAP_CREATE, and here it cannot",
    "define the map with the macros of bpf_helpers.h (__uint, __type) and compile with -g",
);

const BAD_SLOT: Lesson = lesson(
    "a slot is filled with a descriptor, and only maps and programs have one",
    "put the address of a map or of a program of this object there",
);

const SIBLING: Lesson = lesson(
    "the array is filled before the program runs, so what it holds must be loaded first",
    "mend the other program; --program loads one that needs no array",
);

const OUTSIDE_DATA: Lesson = lesson(
    "a section becomes one value of a map, and this lies behind its end",
    "keep the index inside the array: clang has computed an address past the end of a variable",
);

const CORE: Lesson = lesson(
    "the record says which member of a type is meant, and the types of this object do not have it so",
    "compile it again with clang -g; objects that were joined or stripped by other tools may have lost types",
);

const TOO_LONG: Lesson = lesson(
    "the kernel takes a million slots, functions included",
    "make it smaller: a loop instead of unrolled code, functions that are not inlined, or tail calls",
);

const TOO_MANY_COPIES: Lesson = lesson(
    "each program gets a copy of every function that it calls",
    "split the object, or load some of its programs with --program NAME",
);
