//! What the unit tests make their objects of: an ELF file, its types and its line records, each built piece by piece.
//!
//! Nothing here reads: what the builders write, the product alone takes apart.

use object::elf::RelocationType;
use object::write::{self, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use crate::elf::Object;
use crate::link::{Options, PlanError};
use crate::plan::{Held, PinStep, Plan, ProgLoad, SlotUpdate, Step};
use crate::spec::Spec;
use crate::target::Target;

/// `r1 = 0 ll`: an address to be filled in, of the symbol itself.
pub(crate) const LDDW: &[u8] = &[
    0x18, 0x01, 0, 0, 0x00, 0, 0, 0, // lddw r1, 0
    0x00, 0x00, 0, 0, 0x00, 0, 0, 0, //   second slot
];
/// `r1 = 8 ll`: eight bytes after the symbol.
pub(crate) const LDDW_8: &[u8] = &[
    0x18, 0x01, 0, 0, 0x08, 0, 0, 0, // lddw r1, 8
    0x00, 0x00, 0, 0, 0x00, 0, 0, 0, //   second slot
];
/// `call -1` with src = BPF_PSEUDO_CALL: the function that the symbol names.
pub(crate) const CALL: &[u8] = &[0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff];
/// `call 1` with src = BPF_PSEUDO_CALL: two slots after the symbol, or after the next slot without one.
pub(crate) const CALL_1: &[u8] = &[0x85, 0x10, 0, 0, 0x01, 0, 0, 0];
/// `r0 = 0`.
pub(crate) const R0: &[u8] = &[0xb7, 0x00, 0, 0, 0, 0, 0, 0];
/// `exit`.
pub(crate) const EXIT: &[u8] = &[0x95, 0x00, 0, 0, 0, 0, 0, 0];

/// Where the address of a map, a variable or a function goes.
pub(crate) const R_BPF_64_64: u32 = 1;
/// Where the distance to a function goes.
pub(crate) const R_BPF_64_32: u32 = 10;

/// The committed objects, by name.
pub(crate) const OBJECTS: [(&str, &[u8]); 4] = [
    ("count", include_bytes!("bpf/count.bpf.o")),
    ("drop", include_bytes!("bpf/drop.bpf.o")),
    ("http", include_bytes!("bpf/http.bpf.o")),
    ("pass", include_bytes!("bpf/pass.bpf.o")),
];

/// Bytes → plan.
pub(crate) fn plan_with(bytes: &[u8], options: &Options, target: &Target) -> Result<Plan, PlanError> {
    let object = Object::parse(bytes).expect("the object is readable");
    Plan::new(&Spec::read(&object), options, target)
}

/// Bytes → plan, with nothing chosen and no kernel in mind.
pub(crate) fn plan(bytes: &[u8]) -> Result<Plan, PlanError> {
    plan_with(bytes, &Options::default(), &Target::none())
}

/// The program of that name.
pub(crate) fn program<'plan>(plan: &'plan Plan, name: &str) -> &'plan ProgLoad {
    plan.prog_loads().find(|program| program.name == name).expect("the program is linked")
}

/// The steps of a plan, each in one line.
pub(crate) fn steps(plan: &Plan) -> Vec<String> {
    let name = |id| plan.map(id).map_or("?", |map| map.name.as_str());
    let line = |step: &Step| match step {
        Step::BtfLoad(_) => "btf".to_owned(),
        Step::MapCreate(map) => format!("create {}", map.name),
        Step::MapUpdate(update) => format!("write {} {:?}", name(update.map), update.value),
        Step::MapFreeze(freeze) => format!("freeze {}", name(freeze.map)),
        Step::ProgLoad(program) => format!("load {}", program.name),
        Step::SlotUpdate(SlotUpdate { map, index, holds: Held::Map(held) }) => {
            format!("put {} into {}[{index}]", name(*held), name(*map))
        }
        Step::SlotUpdate(SlotUpdate { map, index, holds: Held::Prog(held) }) => {
            let program = plan.prog_loads().find(|program| program.id == *held).unwrap();
            format!("put {} into {}[{index}]", program.name, name(*map))
        }
        Step::Pin(PinStep::MakeDir { path }) => format!("mkdir {}", path.display()),
        Step::Pin(PinStep::Pin { name, path, .. }) => format!("pin {name} at {}", path.display()),
        Step::Pin(PinStep::Get { name, path, .. }) => format!("get {name} from {}", path.display()),
        Step::Pin(PinStep::Compare { map, .. }) => format!("compare {}", map.name),
    };
    plan.steps.iter().map(line).collect()
}

/// An ELF file for BPF: REL records, little-endian.
pub(crate) struct Elf(pub(crate) write::Object<'static>);

impl Elf {
    pub(crate) fn new() -> Self {
        Self(write::Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little))
    }

    pub(crate) fn section(&mut self, name: &str, kind: SectionKind, bytes: &[u8]) -> SectionId {
        let section = self.0.add_section(vec![], name.into(), kind);
        self.0.append_section_data(section, bytes, 8);
        section
    }

    /// A code section.
    pub(crate) fn code(&mut self, name: &str, bytes: &[u8]) -> SectionId {
        self.section(name, SectionKind::Text, bytes)
    }

    /// A code section that is one global function.
    pub(crate) fn program(&mut self, section: &str, name: &str, bytes: &[u8]) -> SectionId {
        let id = self.code(section, bytes);
        self.func(id, name, 0, bytes.len() as u64);
        id
    }

    /// A section of variables.
    pub(crate) fn data(&mut self, name: &str, bytes: &[u8]) -> SectionId {
        self.section(name, SectionKind::Data, bytes)
    }

    /// A section of `size` zeros that are not in the file.
    pub(crate) fn bss(&mut self, name: &str, size: u64) -> SectionId {
        let section = self.0.add_section(vec![], name.into(), SectionKind::UninitializedData);
        self.0.append_section_bss(section, size, 8);
        section
    }

    /// `.BTF`.
    pub(crate) fn btf(&mut self, types: &Types) {
        self.section(".BTF", SectionKind::Other, &types.build());
    }

    /// A global function.
    pub(crate) fn func(&mut self, section: SectionId, name: &str, offset: u64, size: u64) -> SymbolId {
        self.symbol(SymbolSection::Section(section), name, SymbolKind::Text, offset, size, SymbolScope::Dynamic)
    }

    /// A `static` function; clang's records name the section in its stead.
    pub(crate) fn static_func(&mut self, section: SectionId, name: &str, offset: u64, size: u64) -> SymbolId {
        self.symbol(SymbolSection::Section(section), name, SymbolKind::Text, offset, size, SymbolScope::Compilation)
    }

    /// A global variable or map.
    pub(crate) fn var(&mut self, section: SectionId, name: &str, offset: u64, size: u64) -> SymbolId {
        self.symbol(SymbolSection::Section(section), name, SymbolKind::Data, offset, size, SymbolScope::Dynamic)
    }

    /// A `static` variable or map; clang's records name the section in its stead.
    pub(crate) fn static_var(&mut self, section: SectionId, name: &str, offset: u64, size: u64) -> SymbolId {
        self.symbol(SymbolSection::Section(section), name, SymbolKind::Data, offset, size, SymbolScope::Compilation)
    }

    pub(crate) fn symbol(
        &mut self,
        section: SymbolSection,
        name: &str,
        kind: SymbolKind,
        value: u64,
        size: u64,
        scope: SymbolScope,
    ) -> SymbolId {
        let name = name.into();
        self.0.add_symbol(Symbol { name, value, size, kind, scope, weak: false, section, flags: SymbolFlags::None })
    }

    /// A symbol that is declared and not defined.
    pub(crate) fn undefined(&mut self, name: &str, weak: bool) -> SymbolId {
        let scope = SymbolScope::Dynamic;
        let id = self.symbol(SymbolSection::Undefined, name, SymbolKind::Unknown, 0, 0, scope);
        self.0.symbol_mut(id).weak = weak;
        id
    }

    /// The symbol that stands for a section: nameless, at its start.
    pub(crate) fn section_symbol(&mut self, section: SectionId) -> SymbolId {
        self.0.section_symbol(section)
    }

    /// At this byte of the section something about the symbol is to be filled in.
    pub(crate) fn reloc(&mut self, section: SectionId, offset: u64, r_type: u32, symbol: SymbolId) {
        let flags = RelocationFlags::Elf { r_type: RelocationType(r_type) };
        self.0.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).expect("a record");
    }

    /// The file.
    pub(crate) fn build(&self) -> Vec<u8> {
        self.0.write().expect("a file")
    }
}

/// The kinds of `enum btf_kind` that the builders and the tests use.
pub(crate) mod kind {
    pub(crate) const INT: u32 = 1;
    pub(crate) const PTR: u32 = 2;
    pub(crate) const ARRAY: u32 = 3;
    pub(crate) const STRUCT: u32 = 4;
    pub(crate) const UNION: u32 = 5;
    pub(crate) const ENUM: u32 = 6;
    pub(crate) const FWD: u32 = 7;
    pub(crate) const TYPEDEF: u32 = 8;
    pub(crate) const VOLATILE: u32 = 9;
    pub(crate) const CONST: u32 = 10;
    pub(crate) const RESTRICT: u32 = 11;
    pub(crate) const FUNC: u32 = 12;
    pub(crate) const FUNC_PROTO: u32 = 13;
    pub(crate) const VAR: u32 = 14;
    pub(crate) const DATASEC: u32 = 15;
    pub(crate) const FLOAT: u32 = 16;
    pub(crate) const TYPE_TAG: u32 = 18;
    pub(crate) const ENUM64: u32 = 19;
    /// `kind_flag`: bit 31 of info, here as the kind's bit 7.
    pub(crate) const FLAG: u32 = 0x80;
}

/// BTF_INT_SIGNED in an integer's last word.
pub(crate) const SIGNED: u32 = 1 << 24;
/// BTF_INT_BOOL in an integer's last word.
pub(crate) const BOOL: u32 = 4 << 24;
/// BTF_VAR_STATIC.
pub(crate) const STATIC: u32 = 0;
/// BTF_VAR_GLOBAL_ALLOCATED.
pub(crate) const GLOBAL: u32 = 1;
/// BTF_VAR_GLOBAL_EXTERN, BTF_FUNC_EXTERN.
pub(crate) const EXTERN: u32 = 2;

/// Puts the 24 bytes of a header before types and strings.
pub(crate) fn btf_section(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let types_len = (types.len() * 4) as u32;
    let header = [0x0001_eb9f, 24, 0, types_len, types_len, strings.len() as u32];
    let words = header.iter().chain(types).flat_map(|word| word.to_le_bytes());
    words.chain(strings.iter().copied()).collect()
}

/// A growing `.BTF` section; each function returns the number of the type that it adds.
pub(crate) struct Types {
    words: Vec<u32>,
    strings: Vec<u8>,
    count: u32,
}

impl Types {
    pub(crate) fn new() -> Self {
        Self { words: Vec::new(), strings: vec![0], count: 0 }
    }

    pub(crate) fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let offset = self.strings.len() as u32;
        self.strings.extend(text.bytes().chain([0]));
        offset
    }

    /// `struct btf_type`, then what the kind calls for.
    pub(crate) fn add(&mut self, name: &str, kind: u32, vlen: usize, size_or_type: u32, rest: &[u32]) -> u32 {
        let name = self.string(name);
        self.words.extend([name, kind << 24 | vlen as u32, size_or_type]);
        self.words.extend(rest);
        self.count += 1;
        self.count
    }

    /// `encoding`: 0, [`SIGNED`] or [`BOOL`].
    pub(crate) fn int(&mut self, name: &str, size: u32, encoding: u32) -> u32 {
        self.add(name, kind::INT, 0, size, &[encoding | (size * 8)])
    }

    pub(crate) fn ptr(&mut self, to: u32) -> u32 {
        self.add("", kind::PTR, 0, to, &[])
    }

    pub(crate) fn array(&mut self, element: u32, count: u32) -> u32 {
        self.add("", kind::ARRAY, 0, 0, &[element, 0, count])
    }

    /// A struct of pointers, as map definitions are: name and type of each member.
    pub(crate) fn pointers(&mut self, members: &[(&str, u32)]) -> u32 {
        let mut rest = Vec::new();
        for (number, (name, ty)) in members.iter().enumerate() {
            rest.extend([self.string(name), *ty, number as u32 * 64]);
        }
        self.add("", kind::STRUCT, members.len(), members.len() as u32 * 8, &rest)
    }

    /// An enum of 32 bits.
    pub(crate) fn enumeration(&mut self, name: &str, items: &[(&str, i32)]) -> u32 {
        let mut rest = Vec::new();
        for (name, value) in items {
            rest.extend([self.string(name), value.cast_unsigned()]);
        }
        let flag = if items.iter().any(|(_, value)| *value < 0) { kind::FLAG } else { 0 };
        self.add(name, kind::ENUM | flag, items.len(), 4, &rest)
    }

    /// `linkage`: [`STATIC`], [`GLOBAL`] or [`EXTERN`].
    pub(crate) fn var(&mut self, name: &str, ty: u32, linkage: u32) -> u32 {
        self.add(name, kind::VAR, 0, ty, &[linkage])
    }

    /// As clang writes it: of size 0; each variable with its number, offset and size.
    pub(crate) fn datasec(&mut self, name: &str, vars: &[[u32; 3]]) -> u32 {
        self.add(name, kind::DATASEC, vars.len(), 0, &vars.concat())
    }

    /// `int name(void)`.
    pub(crate) fn func(&mut self, name: &str) -> u32 {
        let proto = self.add("", kind::FUNC_PROTO, 0, 0, &[]);
        self.add(name, kind::FUNC, 0, proto, &[])
    }

    /// `int (*)[n]`: how a map definition hides a number.
    pub(crate) fn number(&mut self, n: u32) -> u32 {
        let array = self.array(0, n);
        self.ptr(array)
    }

    /// `.maps` with global maps of 32 bytes each, one after the other: name and type.
    pub(crate) fn maps(&mut self, maps: &[(&str, u32)]) -> u32 {
        let mut vars = Vec::new();
        for (number, (name, ty)) in maps.iter().enumerate() {
            vars.push([self.var(name, *ty, GLOBAL), number as u32 * 32, 32]);
        }
        self.datasec(".maps", &vars)
    }

    /// The section.
    pub(crate) fn build(&self) -> Vec<u8> {
        btf_section(&self.words, &self.strings)
    }
}

/// The records of one section: its name, and each record's words.
pub(crate) type Records<'a, const WORDS: usize> = (&'a str, &'a [[u32; WORDS]]);

/// `.BTF.ext`; the names of the sections are added to the strings of `types`.
pub(crate) fn btf_ext(
    types: &mut Types,
    funcs: &[Records<'_, 2>],
    lines: &[Records<'_, 4>],
    core: &[Records<'_, 4>],
) -> Vec<u8> {
    let parts = [part(types, funcs), part(types, lines), part(types, core)];
    let mut words = vec![0x0001_eb9f, 32]; // magic and version, header length
    let mut offset = 0;
    for part in &parts {
        let len = part.len() as u32 * 4;
        words.extend([offset, len]);
        offset += len;
    }
    words.into_iter().chain(parts.concat()).flat_map(u32::to_le_bytes).collect()
}

/// The size of a record, then for each section its name, the number of records, the records.
fn part<const WORDS: usize>(types: &mut Types, sections: &[Records<'_, WORDS>]) -> Vec<u32> {
    if sections.is_empty() {
        return Vec::new();
    }
    let mut words = vec![WORDS as u32 * 4];
    for (name, records) in sections {
        words.extend([types.string(name), records.len() as u32]);
        words.extend(records.as_flattened());
    }
    words
}
