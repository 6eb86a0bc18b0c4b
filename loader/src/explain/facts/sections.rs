//! The section map: what the file has, and what a loader does with each part.

use serde::Serialize;

use super::headers::{self, Header, SHT_STRTAB, SHT_SYMTAB};
use super::{Bytes, Readings};
use crate::elf::Section;
use crate::insn::Insn;
use crate::spec::{MapOrigin, Spec};

/// One section, and what becomes of it.
#[derive(Debug, Clone, Serialize)]
pub struct SectionFacts {
    /// Its number.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// SHT_* without the prefix.
    pub r#type: String,
    /// SHF_*, by readelf's letters.
    pub flags: String,
    /// Where it begins in the file, in bytes.
    pub file_offset: u64,
    /// Its size, in bytes.
    pub size: u64,
    /// Records that patch it.
    pub relocs: usize,
    /// What it is to a loader.
    pub role: Role,
    /// What the loader does with it, or why nothing.
    pub does: String,
    /// Its bytes; none where nothing is done with it.
    pub bytes: Bytes,
}

/// What a section is to a loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Socket filters.
    Program,
    /// Functions that programs may call.
    Code,
    /// Map definitions.
    Maps,
    /// Global variables.
    Data,
    /// The licence.
    License,
    /// BTF.
    Types,
    /// Function and line records, and CO-RE records.
    Lines,
    /// The symbol table.
    Symbols,
    /// Names of sections and symbols.
    Names,
    /// Relocation records that the loader obeys.
    Relocs,
    /// Nothing.
    Ignored,
}

/// Sections that say by their name that they are not for a loader: the name or how it begins, and why.
const IGNORED: [(&str, &str); 5] = [
    (".debug_", "debug information (DWARF): the kernel takes types from .BTF instead"),
    (".llvm_addrsig", "a hint for linkers"),
    (".eh_frame", "for unwinding stacks, which BPF does not do"),
    (".comment", "who compiled it"),
    ("version", "the kernel version, which the kernel has not asked for since 5.0"),
];

const NULL: &str = "entry 0 is empty in every ELF file";
const EMPTY: &str = "empty";
const NO_FUNCTION: &str = "code without a function symbol: nothing can call it";
const UNKNOWN: &str = "no name that a loader of socket filters knows";
const MISSPELT: &str = "a loader takes the licence from the section `license`, in these letters, and there is none";
const SHIFTS: &str = "for linkers that join objects; a loader fills in these offsets itself";

/// All sections.
pub(super) fn all(readings: &Readings<'_>) -> Vec<SectionFacts> {
    let headers = headers::read(readings.bytes);
    let sections = readings.spec.object.sections.iter();
    sections.map(|section| one(readings, section, headers.get(section.index).copied().unwrap_or_default())).collect()
}

fn one(readings: &Readings<'_>, section: &Section<'_>, header: Header) -> SectionFacts {
    let (role, does) = role(readings, section, header);
    let shown = !matches!(role, Role::Ignored | Role::Names | Role::Symbols);
    SectionFacts {
        index: section.index,
        name: section.name.to_string(),
        r#type: header.type_name(),
        flags: header.flag_letters(),
        file_offset: section.file_offset,
        size: section.size,
        relocs: section.reloc_count,
        role,
        does,
        bytes: Bytes(if shown { section.data.to_vec() } else { Vec::new() }),
    }
}

fn ignored(why: &str) -> (Role, String) {
    (Role::Ignored, format!("ignored: {why}"))
}

/// What a section is, first by its type, then by what the object's reading made of it, then by its name.
fn role(readings: &Readings<'_>, section: &Section<'_>, header: Header) -> (Role, String) {
    match header.sh_type {
        _ if section.index == 0 => return ignored(NULL),
        SHT_SYMTAB => {
            return (Role::Symbols, format!("{} symbols: what the records name", readings.spec.object.symbols.len()));
        }
        SHT_STRTAB => return (Role::Names, "the names of sections and symbols".to_owned()),
        _ if header.is_reloc() => return relocs(readings, header),
        _ => {}
    }
    let name = section.name.as_ref();
    if let Some((_, why)) = IGNORED.iter().find(|(start, _)| name.starts_with(start)) {
        return ignored(why);
    }
    match name {
        "license" => {
            let text = readings.spec.license.as_str();
            (Role::License, format!("the licence \"{}\": decides which helpers are open", text.escape_debug()))
        }
        ".BTF" | ".BTF.ext" if readings.spec.unreadable.is_some() => ignored("it cannot be read"),
        ".BTF" => (Role::Types, "types: of map keys and values, of functions, of globals".to_owned()),
        ".BTF.ext" => {
            (Role::Lines, "which function and source line each instruction came from; CO-RE records".to_owned())
        }
        _ if section.size == 0 => ignored(EMPTY),
        _ if is_like_license(name) && readings.spec.object.section_named("license").is_none() => ignored(MISSPELT),
        _ => meaning(readings, readings.spec, section),
    }
}

/// Whether a name was meant to be `license`: other case, the noun's British spelling, or marks around it.
fn is_like_license(name: &str) -> bool {
    let bare = name.trim_matches(['_', '.']).to_ascii_lowercase();
    matches!(bare.as_str(), "license" | "licence")
}

/// Code, maps and data, as they were read.
fn meaning(readings: &Readings<'_>, spec: &Spec<'_>, section: &Section<'_>) -> (Role, String) {
    if section.is_code {
        return code(readings, spec, section);
    }
    let maps: Vec<_> = spec.maps.iter().filter(|map| map.place.section == section.index).collect();
    let names: Vec<_> = maps.iter().map(|map| format!("`{}`", map.name)).collect();
    let named = format!("{} {}", if names.len() == 1 { "map" } else { "maps" }, names.join(", "));
    match maps.first().map(|map| map.origin) {
        Some(MapOrigin::Data { read_only: true }) => {
            (Role::Data, "constants -> an array map of one entry, then frozen".to_owned())
        }
        Some(MapOrigin::Data { read_only: false }) => (Role::Data, "globals -> an array map of one entry".to_owned()),
        Some(MapOrigin::Btf) => {
            (Role::Maps, format!("{named}; the bytes are zero, the definition is the type in .BTF"))
        }
        Some(MapOrigin::Legacy) => (Role::Maps, format!("{named}; the bytes are the definition")),
        None => ignored(UNKNOWN),
    }
}

/// A code section holds programs, or what programs call.
fn code(readings: &Readings<'_>, spec: &Spec<'_>, section: &Section<'_>) -> (Role, String) {
    let bytes = section.data.len();
    let size = match bytes % Insn::SIZE {
        0 => format!("{} slots of 8 bytes", bytes / Insn::SIZE),
        _ => format!("{bytes} bytes, which are no whole slots of 8 bytes"),
    };
    let programs =
        spec.programs(readings.extra_section).filter(|program| program.function.place.section == section.index);
    let programs: Vec<_> = programs.map(|program| format!("`{}`", program.function.name)).collect();
    if !programs.is_empty() {
        let what = if programs.len() == 1 { "program" } else { "programs" };
        return (Role::Program, format!("{what} {}: {size}", programs.join(", ")));
    }
    let functions = spec.functions.iter().filter(|function| function.place.section == section.index);
    let functions: Vec<_> = functions.map(|function| format!("`{}`", function.name)).collect();
    if functions.is_empty() {
        return ignored(NO_FUNCTION);
    }
    let named = functions.join(", ");
    match section.name.as_ref() {
        ".text" => (Role::Code, format!("functions {named}: appended to each program that calls them")),
        _ => (Role::Code, format!("{named}: no section of socket filters; used only if a program calls it")),
    }
}

/// Relocation records, by the section that they patch.
fn relocs(readings: &Readings<'_>, header: Header) -> (Role, String) {
    let target = readings.spec.object.sections.get(header.info as usize);
    let Some(target) = target else { return ignored(UNKNOWN) };
    let count = target.reloc_count;
    if target.is_code {
        return (Role::Relocs, format!("relocation records of section {}: {}", target.index, counted(count, "hole")));
    }
    if target.name == ".maps" {
        return (
            Role::Relocs,
            format!("relocation records of section {}: {} of maps", target.index, counted(count, "slot")),
        );
    }
    ignored(if target.name.starts_with(".debug_") { "belongs to the debug information" } else { SHIFTS })
}

/// `1 hole`, `2 holes`.
pub(in crate::explain) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
