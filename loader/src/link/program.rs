//! Linking one program: from functions and relocation records to slots and patches.
//!
//! The kernel takes one array of slots per program. It begins with the program's own; each function that is called, or
//! whose address is taken, is appended once, and the instruction that wants it gets the distance. A record tells which
//! instruction and which symbol; the *instruction* tells what to do: `call` wants a function, `lddw` an address.
//!
//! These are REL records: the addend lies in the instruction. `call` counts it in slots from the next instruction, so -1
//! means "the symbol itself"; `lddw` counts it in bytes. A `static` function, map or variable has no symbol of its own
//! in the record: it names the section, and the addend says where in it.
//!
//! Source: `Documentation/bpf/llvm_reloc.rst`.

use std::collections::HashMap;
use std::iter::Peekable;
use std::slice;

use super::core::Core;
use super::externs::Externs;
use crate::btf::ext::CoreRelo;
use crate::elf::{RelocRecord, SymbolPlace};
use crate::insn::Insn;
use crate::plan::{LinkError, LinkErrorKind, MapId, Patch, PatchKind, Piece};
use crate::spec::{Function, MapOrigin, MapSpec, Place, Spec};

/// `BPF_COMPLEXITY_LIMIT_INSNS`, `include/linux/bpf.h`: slots that a privileged program may have.
const MAX_SLOTS: usize = 1_000_000;

/// A linked program.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) insns: Vec<Insn>,
    pub(super) patches: Vec<Patch>,
    pub(super) pieces: Vec<Piece>,
}

/// Links the program that begins with `entry`.
pub(super) fn link(
    spec: &Spec<'_>,
    core: &Core<'_>,
    externs: &Externs<'_, '_>,
    entry: &Function<'_>,
) -> Result<Linked, LinkError> {
    let linked = Linked { insns: Vec::new(), patches: Vec::new(), pieces: Vec::new() };
    let mut linker = Linker { spec, core, externs, entry, linked, starts: HashMap::new() };
    linker.append(entry);
    if let (true, Some(cursor)) = (externs.refuse_byte_order(), linker.cursor_at(0)) {
        return Err(linker.error(cursor.piece, entry.place.offset, LinkErrorKind::ByteOrder));
    }
    if let (Some(broken), Some(cursor)) = (&entry.broken, linker.cursor_at(0)) {
        let kind = LinkErrorKind::BrokenFunction(Box::new(broken.clone()));
        return Err(linker.error(cursor.piece, entry.place.offset, kind));
    }
    // A function is appended where the first instruction wants it, and linked at once, before the rest of the one that wanted
    // it: libbpf's order, on which the program's tag depends. Each is appended once, so the work ends.
    let mut unfinished: Vec<Cursor<'_>> = linker.cursor_at(0).into_iter().collect();
    while let Some(mut cursor) = unfinished.pop() {
        let pieces = linker.linked.pieces.len();
        while cursor.has_next() && linker.linked.pieces.len() == pieces {
            linker.link_slot(&mut cursor)?;
        }
        if cursor.has_next() {
            unfinished.push(cursor);
        }
        unfinished.extend(linker.cursor_at(pieces));
    }
    linker.linked.patches.sort_by_key(|patch| patch.insn);
    Ok(linker.linked)
}

/// A piece that is being linked, slot by slot.
struct Cursor<'a> {
    piece: Piece,
    /// The next slot, counted from the start of the piece.
    slot: usize,
    /// The records of the slots to come.
    records: Peekable<slice::Iter<'a, RelocRecord>>,
    core: Peekable<slice::Iter<'a, CoreRelo>>,
}

impl Cursor<'_> {
    fn has_next(&self) -> bool {
        self.slot < self.slots()
    }

    fn slots(&self) -> usize {
        (self.piece.size / Insn::SIZE as u64) as usize
    }
}

struct Linker<'a, 'data> {
    spec: &'a Spec<'data>,
    core: &'a Core<'a>,
    externs: &'a Externs<'a, 'data>,
    entry: &'a Function<'a>,
    linked: Linked,
    /// The first slot of every function appended so far.
    starts: HashMap<Place, usize>,
}

impl<'a> Linker<'a, '_> {
    /// Appends a function unless it is there already; returns its first slot.
    fn append(&mut self, function: &Function<'_>) -> usize {
        *self.starts.entry(function.place).or_insert_with(|| {
            let at = self.linked.insns.len();
            self.linked.insns.extend(function.slots.iter().map(|slot| Insn::decode(*slot)));
            self.linked.pieces.push(Piece { place: function.place, size: function.size(), at });
            at
        })
    }

    /// The start of piece `number`, if there is one.
    fn cursor_at(&self, number: usize) -> Option<Cursor<'a>> {
        let piece = *self.linked.pieces.get(number)?;
        let Place { section, offset } = piece.place;
        let records = self.spec.object.sections.get(section).map_or(&[][..], |section| &section.relocs);
        let core = self.spec.core_relos.get(&section).map_or(&[][..], Vec::as_slice);
        let first = records.partition_point(|record| record.offset < offset);
        let first_core = core.partition_point(|relo| u64::from(relo.insn_off) < offset);
        let records = records.get(first..).unwrap_or_default().iter().peekable();
        let core = core.get(first_core..).unwrap_or_default().iter().peekable();
        Some(Cursor { piece, slot: 0, records, core })
    }

    /// Turns the record of one slot, or a call that needs none, into a patch.
    fn link_slot(&mut self, cursor: &mut Cursor<'_>) -> Result<(), LinkError> {
        let (piece, slot) = (cursor.piece, cursor.slot);
        let offset = piece.place.offset + (slot * Insn::SIZE) as u64;
        let at = piece.at + slot;
        cursor.slot += 1;
        let Some(&insn) = self.linked.insns.get(at) else { return Ok(()) };
        let here = |at: u64| at < offset + Insn::SIZE as u64;
        let record = cursor.records.next_if(|record| here(record.offset));
        let relo = cursor.core.next_if(|relo| here(relo.insn_off.into()));
        let twice = cursor.records.next_if(|record| record.offset == offset);
        let patch = match (record, relo) {
            (Some(record), None) => Some(self.relocate(record, insn, at, offset, cursor.has_next())),
            (None, Some(relo)) => Some(self.relocate_core(relo, insn, at, offset)),
            (Some(_), Some(_)) => Some(Err(LinkErrorKind::Twice { symbol: "a CO-RE record".to_owned() })),
            // Old compilers resolve calls within a section themselves.
            (None, None) if insn.is_pseudo_call() => Some(self.local_call(piece.place.section, insn, at, offset)),
            (None, None) => None,
        };
        if let Some(second) = twice {
            let symbol = self.spec.object.symbols.get(second.symbol);
            let symbol = symbol.map_or_else(String::new, |symbol| symbol.name.to_string());
            return Err(self.error(piece, offset, LinkErrorKind::Twice { symbol }));
        }
        if let Some(patch) = patch {
            self.linked.patches.push(patch.map_err(|kind| self.error(piece, offset, kind))?);
        }
        if self.linked.insns.len() > MAX_SLOTS {
            return Err(self.error(piece, offset, LinkErrorKind::TooLong(MAX_SLOTS)));
        }
        Ok(())
    }

    fn error(&self, piece: Piece, offset: u64, kind: LinkErrorKind) -> LinkError {
        let section = self.section_name(piece.place.section).to_owned();
        LinkError { program: self.entry.name.clone(), section, insn: offset / Insn::SIZE as u64, kind }
    }

    fn section_name(&self, index: usize) -> &'a str {
        self.spec.object.sections.get(index).map_or("", |section| &section.name)
    }

    /// One relocation record → one patch.
    fn relocate(
        &mut self,
        record: &RelocRecord,
        insn: Insn,
        at: usize,
        offset: u64,
        has_second: bool,
    ) -> Result<Patch, LinkErrorKind> {
        if record.offset != offset {
            return Err(LinkErrorKind::Unaligned { offset: record.offset });
        }
        let Some(symbol) = self.spec.object.symbols.get(record.symbol) else {
            return Err(LinkErrorKind::NoPlace(format!("symbol {}", record.symbol)));
        };
        let section = match symbol.place {
            SymbolPlace::Section(section) => section,
            SymbolPlace::Undefined => {
                let kind = self.externs.patch(record.symbol, insn)?;
                return Ok(Patch { insn: at, symbol: symbol.name.to_string(), kind });
            }
            SymbolPlace::Common => return Err(LinkErrorKind::Common(symbol.name.to_string())),
            SymbolPlace::Absolute => return Err(LinkErrorKind::NoPlace(symbol.name.to_string())),
        };
        let is_code = self.spec.object.sections.get(section).is_some_and(|section| section.is_code);
        let name = if symbol.name.is_empty() { self.section_name(section) } else { symbol.name.as_ref() };
        // A hostile symbol may hold any 64 bits: wrapping keeps the sum defined, the look-up refuses what is outside.
        let value = symbol.value.cast_signed();
        if insn.is_pseudo_call() || (insn.code == Insn::CALL && is_code) {
            let addend = record.addend.unwrap_or((i64::from(insn.imm) + 1) * Insn::SIZE as i64);
            let (symbol, callee) = self.function_at(section, value.wrapping_add(addend))?;
            return Ok(Patch { insn: at, symbol, kind: PatchKind::Call { callee } });
        }
        if !insn.is_lddw() {
            return Err(LinkErrorKind::NotPatchable {
                r_type: record.r_type,
                symbol: name.to_owned(),
                code: insn.code,
            });
        }
        if !has_second {
            return Err(LinkErrorKind::CutShort);
        }
        let target = value.wrapping_add(record.addend.unwrap_or(i64::from(insn.imm)));
        if is_code {
            let (symbol, callee) = self.function_at(section, target)?;
            return Ok(Patch { insn: at, symbol, kind: PatchKind::Func { callee } });
        }
        let (symbol, kind) = self.map_reference(name, section, target)?;
        Ok(Patch { insn: at, symbol, kind })
    }

    /// One CO-RE record → one patch.
    fn relocate_core(&self, record: &CoreRelo, insn: Insn, at: usize, offset: u64) -> Result<Patch, LinkErrorKind> {
        if u64::from(record.insn_off) != offset {
            return Err(LinkErrorKind::Unaligned { offset: record.insn_off.into() });
        }
        let second = self.linked.insns.get(at + 1).copied().filter(|_| insn.is_lddw());
        let (symbol, kind) = self.core.relocate(record, insn, second).map_err(LinkErrorKind::Core)?;
        Ok(Patch { insn: at, symbol, kind })
    }

    /// A call without a record: the compiler has filled in the distance, which appending may change.
    fn local_call(&mut self, section: usize, insn: Insn, at: usize, offset: u64) -> Result<Patch, LinkErrorKind> {
        let next = offset.cast_signed() + Insn::SIZE as i64;
        let (symbol, callee) = self.function_at(section, next + i64::from(insn.imm) * Insn::SIZE as i64)?;
        Ok(Patch { insn: at, symbol, kind: PatchKind::Call { callee } })
    }

    /// Finds the function that begins at (section, offset) and appends it; returns its name and first slot.
    fn function_at(&mut self, section: usize, offset: i64) -> Result<(String, usize), LinkErrorKind> {
        let place = u64::try_from(offset).ok().map(|offset| Place { section, offset });
        let Some(function) = place.and_then(|place| self.spec.functions.at(place)) else {
            return Err(LinkErrorKind::NoFunction { section: self.section_name(section).to_owned(), offset });
        };
        if let Some(broken) = &function.broken {
            return Err(LinkErrorKind::BrokenFunction(Box::new(broken.clone())));
        }
        Ok((function.name.clone(), self.append(function)))
    }

    /// What a reference to (section, offset) of a section that is not code wants.
    fn map_reference(&self, name: &str, section: usize, offset: i64) -> Result<(String, PatchKind), LinkErrorKind> {
        // The section's first map or its data tells what kind of section it is.
        let section_name = self.section_name(section);
        let index = self.spec.maps.partition_point(|map| map.place.section < section);
        let Some(data) = self.spec.maps.get(index).filter(|map| map.place.section == section) else {
            return Err(LinkErrorKind::unknown_section(name.to_owned(), section_name.to_owned()));
        };
        if let MapOrigin::Data { .. } = data.origin {
            data.broken.clone().map_or(Ok(()), |broken| Err(LinkErrorKind::BrokenMap(Box::new(broken))))?;
            return match u32::try_from(offset) {
                Ok(offset) if offset < data.attr.value_size => {
                    Ok((name.to_owned(), PatchKind::MapValue { map: MapId(index), offset }))
                }
                _ => {
                    let section = section_name.to_owned();
                    Err(LinkErrorKind::OutsideData { section, offset, size: data.extent })
                }
            };
        }
        let place = u64::try_from(offset).ok().map(|offset| Place { section, offset });
        match place.and_then(|place| self.spec.map_at(place).filter(|(_, map)| map.place == place)) {
            Some((_, MapSpec { broken: Some(broken), .. })) => Err(LinkErrorKind::BrokenMap(Box::new(broken.clone()))),
            Some((index, map)) => Ok((map.name.clone(), PatchKind::MapFd { map: MapId(index) })),
            None => Err(LinkErrorKind::NoMap { section: section_name.to_owned(), offset }),
        }
    }
}
