//! [`Object`] → [`Spec`]: what the file means. Blueprints of programs and maps, plain data, nothing patched yet.
//!
//! A thing is identified by *(section, offset)*, never by its name, nor by its offset alone: two `static` maps share the
//! symbol of their section, and two functions may lie at equal offsets of different sections.

mod data;
mod externs;
mod functions;
mod legacy_map;
mod map;
mod map_def;
mod map_values;
mod shared;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use thiserror::Error;

use crate::btf::ext::{BtfExt, CoreRelo, FuncInfo, LineInfo, SectionRecords};
use crate::btf::{Btf, BtfError};
use crate::elf::Object;

pub use externs::{ConfigType, Extern, ExternKind, Externs, KCONFIG_SECTION};
pub use functions::{Function, Functions};
pub use map::{MapAttr, MapOrigin, MapSpec, Slot};

/// An object whose parts do not make sense together.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum SpecError {
    /// The types cannot be read.
    #[error(transparent)]
    Btf(#[from] BtfError),
    /// A section, symbol or definition is wrong.
    #[error("{place}: {problem}")]
    Invalid {
        /// Section, symbol or map.
        place: String,
        /// What was found, what was expected, how to mend it.
        problem: String,
    },
}

impl SpecError {
    fn invalid(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { place: place.into(), problem: problem.into() }
    }
}

/// A place in the object: the identity of a function, a map or a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Index of the section.
    pub section: usize,
    /// Offset into it, in bytes.
    pub offset: u64,
}

/// The blueprints of an object.
#[derive(Debug)]
pub struct Spec<'data> {
    /// The object that they were read from.
    pub object: &'data Object<'data>,
    /// Its types, if it has any that can be read.
    pub btf: Option<Btf<'data>>,
    /// Why they cannot be read, nor what depends on them: records of functions, lines and CO-RE.
    pub unreadable: Option<BtfError>,
    /// The licence its author chose; empty without a `license` section, which the kernel takes as "not GPL".
    pub license: String,
    /// Every function of every code section.
    pub functions: Functions<'data>,
    /// Every map, data sections among them, by section index, then by offset.
    pub maps: Vec<MapSpec>,
    /// What the kernel must provide.
    pub externs: Externs,
    /// Function records by section index.
    pub func_info: BTreeMap<usize, Vec<FuncInfo>>,
    /// Line records by section index.
    pub line_info: BTreeMap<usize, Vec<LineInfo>>,
    /// CO-RE relocations by section index.
    pub core_relos: BTreeMap<usize, Vec<CoreRelo>>,
}

impl<'data> Spec<'data> {
    /// Reads the blueprints. What makes no sense is kept as such, with the reason: only a program that needs it fails for that.
    pub fn read(object: &'data Object<'data>) -> Self {
        let (btf, ext, unreadable) = match types(object) {
            Ok((btf, ext)) => (btf, ext, None),
            Err(error) => (None, BtfExt::default(), Some(error)),
        };
        let mut maps = Vec::new();
        for section in &object.sections {
            match section.name.as_ref() {
                ".maps" => map_def::read(object, section, btf.as_ref(), &mut maps),
                name if name.starts_with("maps") => legacy_map::read(object, section, &mut maps),
                _ => maps.extend(data::read(object, section, btf.as_ref())),
            }
        }
        let externs = Externs::read(object, btf.as_ref());
        maps.extend(externs.config_map(btf.as_ref()));
        Self {
            object,
            unreadable,
            externs,
            license: license(object),
            functions: Functions::read(object),
            maps,
            func_info: by_section(object, ext.funcs, |record| record.insn_off),
            line_info: by_section(object, ext.lines, |record| record.insn_off),
            core_relos: by_section(object, ext.core_relos, |record| record.insn_off),
            btf,
        }
    }

    /// The functions that are socket filters: those in a section called `socket…` or `?socket…`, and those in
    /// `extra_section` whatever it is called.
    pub fn programs(&self, extra_section: Option<&str>) -> impl Iterator<Item = Program<'_>> {
        self.functions.iter().filter_map(move |function| {
            let section = self.object.sections.get(function.place.section)?.name.as_ref();
            let wanted = is_socket_filter(section) || extra_section == Some(section);
            wanted.then_some(Program { function, section, autoload: !section.starts_with('?') })
        })
    }

    /// The map whose definition or data covers this place.
    pub fn map_at(&self, place: Place) -> Option<(usize, &MapSpec)> {
        let after = self.maps.partition_point(|map| map.place <= place);
        let index = after.checked_sub(1)?;
        let map = self.maps.get(index)?;
        let inside = map.place.section == place.section && place.offset - map.place.offset < map.extent.max(1);
        inside.then_some((index, map))
    }
}

/// Whether a section of this name holds socket filters: `socket…`, or `?socket…`.
pub fn is_socket_filter(section: &str) -> bool {
    section.strip_prefix('?').unwrap_or(section).starts_with("socket")
}

/// A function that is a program: something the kernel can be asked to load.
#[derive(Debug, Clone, Copy)]
pub struct Program<'spec> {
    /// Its instructions.
    pub function: &'spec Function<'spec>,
    /// Its section's name.
    pub section: &'spec str,
    /// False for `?socket`: loaded only when it is named.
    pub autoload: bool,
}

/// The types, and the records that refer to them.
fn types<'data>(object: &Object<'data>) -> Result<(Option<Btf<'data>>, BtfExt<'data>), BtfError> {
    let Some(section) = object.section_named(".BTF") else { return Ok((None, BtfExt::default())) };
    let btf = Btf::parse(section.data)?;
    let ext = object.section_named(".BTF.ext").map(|section| BtfExt::parse(section.data, &btf)).transpose()?;
    Ok((Some(btf), ext.unwrap_or_default()))
}

/// The `license` section up to its NUL.
fn license(object: &Object<'_>) -> String {
    let bytes = object.section_named("license").map_or(&[][..], |section| section.data);
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// Turns section names into section indices; sorts each section's records by offset.
fn by_section<R>(
    object: &Object<'_>,
    named: Vec<SectionRecords<'_, R>>,
    offset: impl Fn(&R) -> u32,
) -> BTreeMap<usize, Vec<R>> {
    let mut sections: BTreeMap<usize, Vec<R>> = BTreeMap::new();
    for SectionRecords { section, records } in named {
        if let Some(section) = object.section_named(section) {
            match sections.entry(section.index) {
                Entry::Vacant(vacant) => drop(vacant.insert(records)),
                Entry::Occupied(mut before) => before.get_mut().extend(records),
            }
        }
    }
    for records in sections.values_mut() {
        records.sort_by_key(&offset);
    }
    sections
}

#[cfg(test)]
mod tests;
