//! Externs: what a program declares but the object does not define, because only the kernel knows it.
//!
//! ```text
//! extern int CONFIG_HZ __kconfig;                         a number or word of the kernel's configuration
//! extern const void bpf_prog_active __ksym;               the address of a symbol
//! extern const struct rq runqueues __ksym;                a variable that the kernel's BTF describes
//! extern int bpf_dynptr_from_skb(…) __ksym;               a function of the kernel (kfunc)
//! ```
//!
//! In the ELF file all four are symbols without a section (`SHN_UNDEF`). The BTF tells them apart: DATASEC `.kconfig` or `.ksyms`
//! lists them, though no such section is in the file.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::{MapAttr, MapOrigin, MapSpec, Place};
use crate::btf::{Btf, Kind, Linkage, VarSecinfo};
use crate::elf::{Object, SymbolPlace};

/// The index that stands for the section of `.kconfig`, which the file does not have: after all that it has.
pub const KCONFIG_SECTION: usize = usize::MAX;

/// A symbol that the kernel must provide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extern {
    /// The symbol's name.
    pub name: String,
    /// `__weak`: the program can do without.
    pub is_weak: bool,
    /// What it is.
    pub kind: ExternKind,
    /// Its place among all externs, in libbpf's order: the configuration's first.
    pub index: u32,
}

/// What the object expects under an extern's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternKind {
    /// A value of the kernel's configuration, in a map of its own.
    Config {
        /// What may go in.
        ty: ConfigType,
        /// Bytes.
        size: u32,
        /// Where it lies in the map's value, in bytes.
        offset: u32,
    },
    /// A variable of the kernel.
    Variable {
        /// Its declared BTF type; 0 if only the address is wanted (`const void`).
        ty: u32,
    },
    /// A function of the kernel.
    Function {
        /// Its `FUNC_PROTO`.
        proto: u32,
    },
    /// Something that no kernel can provide, and why.
    Impossible(String),
}

/// How a variable can hold a value of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigType {
    /// `bool`: y or n.
    Bool,
    /// `enum libbpf_tristate`: n, y or m, as 0, 1 or 2.
    Tristate,
    /// `char`: the letter y, n or m, or a small number.
    Char {
        /// Whether it is signed.
        signed: bool,
    },
    /// A number.
    Int {
        /// Whether it is signed.
        signed: bool,
    },
    /// `char[]`: a string.
    Text,
}

/// All externs of an object, by symbol index.
#[derive(Debug, Default)]
pub struct Externs(BTreeMap<usize, Extern>);

impl Externs {
    /// Finds what the undefined symbols stand for. Those that no BTF describes are not among them.
    pub(super) fn read(object: &Object<'_>, btf: Option<&Btf<'_>>) -> Self {
        let Some(btf) = btf else { return Self::default() };
        let declared = declared(btf);
        let mut found = Vec::new();
        for (index, symbol) in object.symbols.iter().enumerate() {
            let is_extern = symbol.place == SymbolPlace::Undefined && !symbol.is_local;
            let Some(kind) = declared.get(symbol.name.as_ref()).filter(|_| is_extern) else { continue };
            let (name, is_weak) = (symbol.name.to_string(), symbol.is_weak);
            found.push((index, Extern { name, is_weak, kind: kind.clone(), index: 0 }));
        }
        place(&mut found);
        Self(found.into_iter().collect())
    }

    /// The extern that a symbol is.
    pub fn of_symbol(&self, symbol: usize) -> Option<&Extern> {
        self.0.get(&symbol)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Extern> {
        self.0.values()
    }

    /// The map that holds the values of the configuration.
    pub(super) fn config_map(&self, btf: Option<&Btf<'_>>) -> Option<MapSpec> {
        let ends = self.iter().filter_map(|external| match external.kind {
            ExternKind::Config { size, offset, .. } => Some(offset + size),
            _ => None,
        });
        let size = ends.max()?;
        let place = Place { section: KCONFIG_SECTION, offset: 0 };
        let attr = MapAttr {
            btf_value_type_id: btf.and_then(|btf| btf.datasec(".kconfig")).map_or(0, |(id, _)| id),
            map_flags: super::data::BPF_F_RDONLY_PROG | super::data::BPF_F_MMAPABLE,
            ..super::data::array_of(size)
        };
        Some(MapSpec::new(".kconfig", place, size.into(), MapOrigin::Data { read_only: true }, Ok(attr)))
    }
}

/// What the BTF declares in `.kconfig` and `.ksyms`, by name.
fn declared<'data>(btf: &Btf<'data>) -> HashMap<&'data str, ExternKind> {
    let mut found = HashMap::new();
    for (section, in_config) in [(".kconfig", true), (".ksyms", false)] {
        let Some((_, datasec)) = btf.datasec(section) else { continue };
        let Kind::Datasec { vars, .. } = datasec.kind else { continue };
        for VarSecinfo { var, .. } in vars {
            let Ok(ty) = btf.get(var) else { continue };
            let kind = match ty.kind {
                Kind::Var { ty, linkage: Linkage::Extern } if in_config => config(btf, ty),
                Kind::Var { ty, linkage: Linkage::Extern } => btf
                    .resolve(ty)
                    .map_or_else(|e| ExternKind::Impossible(e.to_string()), |(ty, _)| ExternKind::Variable { ty }),
                Kind::Func { proto, linkage: Linkage::Extern } if !in_config => ExternKind::Function { proto },
                _ => continue,
            };
            found.insert(ty.name, kind);
        }
    }
    found
}

/// Bytes of `.kconfig`: several times a whole configuration file. The types of a small object can ask for any number of bytes.
const LARGEST: u32 = 1 << 20;

/// What a variable of `.kconfig` can hold, by its type.
fn config(btf: &Btf<'_>, id: u32) -> ExternKind {
    let is_char = |ty: u32| matches!(btf.resolve(ty), Ok((_, ty)) if matches!(ty.kind, Kind::Int { size: 1, boolean: false, .. }));
    let (ty, size) = match btf.resolve(id).map(|(_, ty)| (ty.name, ty.kind)) {
        Ok((_, Kind::Int { size: 1, boolean: true, .. })) => (ConfigType::Bool, 1),
        Ok((_, Kind::Int { size: 1, signed, .. })) => (ConfigType::Char { signed }, 1),
        Ok((_, Kind::Int { size: size @ (2 | 4 | 8), signed, .. })) => (ConfigType::Int { signed }, size),
        Ok(("libbpf_tristate", Kind::Enum { size: 4, .. })) => (ConfigType::Tristate, 4),
        Ok((_, Kind::Array(array))) if array.count > 0 && is_char(array.element) => (ConfigType::Text, array.count),
        Ok((_, other)) => {
            let problem = "expected bool, char, an integer, enum libbpf_tristate or an array of char";
            return ExternKind::Impossible(format!("its type is {}, {problem}", other.name()));
        }
        Err(error) => return ExternKind::Impossible(error.to_string()),
    };
    ExternKind::Config { ty, size, offset: 0 }
}

/// Numbers the externs and gives those of the configuration their offsets: by descending alignment, so that no gap is left.
fn place(externs: &mut [(usize, Extern)]) {
    externs.sort_by_cached_key(|(_, external)| {
        let (is_symbol, align, size) = match external.kind {
            ExternKind::Config { ty, size, .. } => (false, alignment(ty, size), size),
            _ => (true, 0, 0),
        };
        (is_symbol, Reverse(align), size, external.name.clone())
    });
    let mut end = 0u32;
    for (index, (_, external)) in externs.iter_mut().enumerate() {
        external.index = index as u32;
        if let ExternKind::Config { ty, size, offset } = &mut external.kind {
            *offset = end.next_multiple_of(alignment(*ty, *size));
            match offset.checked_add(*size).filter(|end| *end <= LARGEST) {
                Some(next) => end = next,
                None => {
                    let problem = format!(
                        "with it, .kconfig has more than {LARGEST} bytes, which no kernel's configuration fills"
                    );
                    external.kind = ExternKind::Impossible(problem);
                }
            }
        }
    }
}

fn alignment(ty: ConfigType, size: u32) -> u32 {
    if ty == ConfigType::Text { 1 } else { size }
}
