//! What cannot be linked: where, why, and how to mend it.

use serde::Serialize;

use crate::insn::Insn;
use crate::plan::{LinkError, LinkErrorKind, Plan};
use crate::spec::Spec;

/// Why a program, or the whole object, cannot be given to a kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The program; `None` of the whole object.
    pub program: Option<String>,
    /// The section that the instruction is in.
    pub section: Option<String>,
    /// The slot, counted from the start of that section.
    pub insn: Option<u64>,
    /// Where that slot lies in the file, in bytes.
    pub file_offset: Option<u64>,
    /// The source line that it came from: file, number, text.
    pub source: Option<(String, u32, String)>,
    /// What was found.
    pub what: String,
    /// Why a loader can do nothing with it.
    pub why: String,
    /// How to mend it.
    pub mend: String,
}

impl Refusal {
    /// Those of a plan, by program.
    pub fn all(spec: &Spec<'_>, plan: &Plan) -> Vec<Self> {
        plan.unlinkable().map(|(program, error)| Self::of(spec, &program.name, error)).collect()
    }

    fn of(spec: &Spec<'_>, program: &str, error: &LinkError) -> Self {
        let (why, mend) = lesson(&error.kind);
        let sections = &spec.object.sections;
        let section = sections.iter().find(|section| section.is_code && section.name == error.section);
        let offset = error.insn.saturating_mul(Insn::SIZE as u64);
        let inside = section.filter(|section| offset < section.size);
        Self {
            program: Some(program.to_owned()),
            section: Some(error.section.clone()),
            insn: Some(error.insn),
            file_offset: inside.map(|section| section.file_offset.saturating_add(offset)),
            source: inside.and_then(|section| source(spec, section.index, offset)),
            what: error.kind.to_string(),
            why: why.to_owned(),
            mend: mend.to_owned(),
        }
    }
}

/// The last line record at or before a byte of a section.
fn source(spec: &Spec<'_>, section: usize, offset: u64) -> Option<(String, u32, String)> {
    let records = spec.line_info.get(&section)?;
    let after = records.partition_point(|record| u64::from(record.insn_off) <= offset);
    let record = records.get(after.checked_sub(1)?)?;
    let btf = spec.btf.as_ref()?;
    let file = btf.string(record.file_name_off)?.to_owned();
    Some((file, record.line(), btf.string(record.line_off).unwrap_or_default().to_owned()))
}

/// Why a loader can do nothing with it, and how to mend it.
fn lesson(kind: &LinkErrorKind) -> (&'static str, &'static str) {
    use LinkErrorKind as Kind;
    const BROKEN: &str = "no compiler writes this: the file is damaged, or was made by hand";
    const AGAIN: &str = "compile it again with clang --target=bpf";
    match kind {
        Kind::Unaligned { .. } | Kind::Twice { .. } | Kind::CutShort | Kind::OutsideData { .. } => (BROKEN, AGAIN),
        Kind::NotPatchable { .. } => (
            "only lddw has room for an address, and only call for a distance: there is no field that the loader could fill",
            "compile with clang --target=bpf -O2; a symbol can be used as an address, or called, and nothing else",
        ),
        Kind::ByteOrder => (
            "instructions and records are stored in the other byte order",
            "compile with clang --target=bpf, which takes the byte order of the machine",
        ),
        Kind::Undefined(_) => (
            "each object is loaded alone: a loader has no other one in which the symbol could be",
            "define it in this object (static __always_inline for a function), join objects with bpftool gen object, or declare it __ksym or __kconfig for the kernel to provide",
        ),
        Kind::Extern { .. } => (
            "the kernel is to provide it, and this one does not",
            "declare it __weak and test it before use, or run on a kernel that has it; --btf FILE names another kernel's types",
        ),
        Kind::HiddenAddress(_) => (
            "the kernel has the symbol, and tells its address only who may see it: the file of addresses is full of zeros",
            "load it with CAP_SYSLOG, or as root",
        ),
        Kind::Common(_) => (
            "a COMMON symbol has a size, but no section to lie in: its place is given by linkers that join objects",
            "initialise it (= 0), or compile with -fno-common",
        ),
        Kind::NoPlace(_) | Kind::UnknownSection { .. } => (
            "a program can refer to its maps, its globals and its functions: nothing else becomes a descriptor or a distance",
            "put it into .data, .bss or .rodata, or, a map, into SEC(\".maps\")",
        ),
        Kind::Arena(_) => (
            "an arena is memory that program and user space share; its variables are laid out by a loader that knows arenas",
            "keep the variable in an ordinary global, or load the object with libbpf, which knows arenas",
        ),
        Kind::NoFunction { .. } => (
            "a call leads to the start of a function; between two there is no frame to enter",
            "call the function itself, not a place inside it; compiled again with -O2 and -g it has a symbol",
        ),
        Kind::NoMap { .. } => (
            "a descriptor stands for a whole map; there is none for a place inside a definition",
            "take the address of the map itself: &name",
        ),
        Kind::BrokenFunction(_) => ("its symbol contradicts the section that it lies in", AGAIN),
        Kind::BrokenMap(_) => (
            "from the definition the loader makes the arguments of BPF_MAP_CREATE, and here it cannot",
            "define the map with the macros of bpf_helpers.h (__uint, __type) and compile with -g",
        ),
        Kind::BadSlot { .. } => (
            "a slot is filled with a descriptor, and only maps and programs have one",
            "put the address of a map or of a program of this object there",
        ),
        Kind::Sibling { .. } => (
            "the array is filled before the program runs, so what it holds must be loaded first",
            "mend the other program; --program loads one that needs no array",
        ),
        Kind::Core(_) => (
            "the record says which member of a type is meant, and the types of this object do not have it so",
            "compile it again with clang -g; objects that were joined or stripped by other tools may have lost types",
        ),
        Kind::TooManyCopies => (
            "each program gets a copy of every function that it calls",
            "split the object, or load some of its programs with --program NAME",
        ),
        Kind::TooLong(_) => (
            "the kernel takes a million slots, functions included",
            "make it smaller: a loop instead of unrolled code, functions that are not inlined, or tail calls",
        ),
    }
}
