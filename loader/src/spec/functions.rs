//! Functions: the pieces into which the symbol table cuts the code sections.

use super::{Place, SpecError};
use crate::elf::{Object, Section, Symbol, SymbolKind};
use crate::insn::Insn;

/// One function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function<'data> {
    /// The symbol's name.
    pub name: String,
    /// Where it begins.
    pub place: Place,
    /// Its instructions, as compiled: the file's own bytes, slot by slot.
    pub slots: &'data [[u8; Insn::SIZE]],
    /// Why it cannot be used: its symbol makes no sense. Only a program that needs the function fails for that.
    pub broken: Option<SpecError>,
}

impl Function<'_> {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        (self.slots.len() * Insn::SIZE) as u64
    }
}

/// All functions of an object, by section index, then by offset.
#[derive(Debug, Default)]
pub struct Functions<'data>(Vec<Function<'data>>);

impl<'data> Functions<'data> {
    pub(super) fn read(object: &Object<'data>) -> Self {
        let mut functions = Vec::new();
        for section in object.sections.iter().filter(|section| section.is_code && !section.data.is_empty()) {
            read_section(object, section, &mut functions);
        }
        Self(functions)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Function<'data>> {
        self.0.iter()
    }

    /// The function that begins exactly at this place.
    pub fn at(&self, place: Place) -> Option<&Function<'data>> {
        let index = self.0.binary_search_by_key(&place, |function| function.place).ok()?;
        self.0.get(index)
    }
}

/// Cuts one code section into functions.
fn read_section<'data>(object: &Object<'data>, section: &Section<'data>, into: &mut Vec<Function<'data>>) {
    // clang 6 and 7 gave code symbols no type; then every symbol of the section names a function, but for the labels of jumps.
    let typed = object.symbols_in(section.index).any(|symbol| symbol.kind == SymbolKind::Func);
    let is_function = |symbol: &&Symbol<'_>| match symbol.kind {
        SymbolKind::Func => true,
        SymbolKind::Other => !typed && (!symbol.is_local || !is_label(&symbol.name)),
        _ => false,
    };
    let mut symbols: Vec<_> = object.symbols_in(section.index).filter(is_function).collect();
    // Of two names for one place the global one counts.
    symbols.sort_by_key(|symbol| (symbol.value, symbol.is_local));
    symbols.dedup_by_key(|symbol| symbol.value);

    let mut ends = symbols.iter().skip(1).map(|symbol| symbol.value);
    for symbol in &symbols {
        let next = ends.next().unwrap_or(section.data.len() as u64);
        let (slots, broken) = match slots(section, symbol, next) {
            Ok(slots) => (slots, None),
            Err(problem) => {
                let place = format!("section `{}`, function `{}`", section.name, symbol.name);
                (&[][..], Some(SpecError::invalid(place, problem)))
            }
        };
        let place = Place { section: section.index, offset: symbol.value };
        into.push(Function { name: symbol.name.to_string(), place, slots, broken });
    }
}

/// clang's names for where a jump goes (`LBB8_2`) and for what is nobody's business (`.L…`).
fn is_label(name: &str) -> bool {
    name.is_empty() || name.starts_with("LBB") || name.starts_with(".L")
}

/// The slots of one function, which may reach to byte `next` of its section.
fn slots<'data>(section: &Section<'data>, symbol: &Symbol<'_>, next: u64) -> Result<&'data [[u8; Insn::SIZE]], String> {
    let end = if symbol.size == 0 { next } else { symbol.value.saturating_add(symbol.size) };
    if end > next {
        return Err(format!("ends at {end:#x}, but may reach only to {next:#x}"));
    }
    let bytes = section.data.get(symbol.value as usize..end as usize).unwrap_or_default();
    if bytes.is_empty() || !symbol.value.is_multiple_of(8) || !bytes.len().is_multiple_of(Insn::SIZE) {
        return Err(format!("{} bytes at {:#x}, expected whole slots of 8 bytes", bytes.len(), symbol.value));
    }
    Ok(bytes.as_chunks().0)
}
