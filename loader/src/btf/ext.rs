//! `.BTF.ext`: which function and which source line each instruction came from.
//!
//! ```text
//! header     magic eb9f, version, header length, then (offset, length) of func_info, line_info, core_relo
//! each part  the size of its records, then per ELF section: name, record count, records
//! record     begins with insn_off: a byte offset into that section
//! ```
//!
//! The records name their section by a string, the only place where a name must serve as identity.
//!
//! Source: `Documentation/bpf/btf.rst`, section 4; `struct bpf_func_info` and `struct bpf_line_info`,
//! `include/uapi/linux/bpf.h`.

use super::{Btf, BtfError};

/// `struct bpf_func_info`: here a function begins. The kernel reads a slice of these as they lie.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FuncInfo {
    /// Byte offset into the ELF section.
    pub insn_off: u32,
    /// The function's FUNC type.
    pub type_id: u32,
}

/// `struct bpf_line_info`: from here on, instructions come from this line. The kernel reads a slice of these as they lie.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineInfo {
    /// Byte offset into the ELF section.
    pub insn_off: u32,
    /// The file's name: an offset into BTF's strings.
    pub file_name_off: u32,
    /// The line's text: an offset into BTF's strings.
    pub line_off: u32,
    /// Line in the upper 22 bits, column in the lower 10.
    pub line_col: u32,
}

/// `struct bpf_core_relo`: this instruction depends on the layout of a type of the kernel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreRelo {
    /// Byte offset into the ELF section.
    pub insn_off: u32,
    /// The type in the object's BTF.
    pub type_id: u32,
    /// Which part of it, as `0:1:2`: an offset into BTF's strings.
    pub access_str_off: u32,
    /// `enum bpf_core_relo_kind`: what of that part is wanted.
    pub kind: u32,
}

const _: () = assert!(size_of::<FuncInfo>() == 8 && size_of::<LineInfo>() == 16);

impl LineInfo {
    /// The line number, from 1.
    pub fn line(&self) -> u32 {
        self.line_col >> 10
    }

    /// The column, from 1; 0 if unknown.
    pub fn column(&self) -> u32 {
        self.line_col & 0x3ff
    }
}

/// The records of one ELF section, by ascending offset.
#[derive(Debug, Clone)]
pub struct SectionRecords<'data, R> {
    /// The section's name.
    pub section: &'data str,
    /// Its records.
    pub records: Vec<R>,
}

/// The parsed `.BTF.ext`.
#[derive(Debug, Clone, Default)]
pub struct BtfExt<'data> {
    /// Function records.
    pub funcs: Vec<SectionRecords<'data, FuncInfo>>,
    /// Line records.
    pub lines: Vec<SectionRecords<'data, LineInfo>>,
    /// CO-RE relocations.
    pub core_relos: Vec<SectionRecords<'data, CoreRelo>>,
}

fn error(place: &str, problem: impl Into<String>) -> BtfError {
    BtfError { section: ".BTF.ext", place: place.to_owned(), problem: problem.into() }
}

impl<'data> BtfExt<'data> {
    /// Reads the section; names are looked up in `btf`.
    ///
    /// # Errors
    ///
    /// A header or part that does not fit into the section, records that are too short, a section without a name.
    pub fn parse(bytes: &'data [u8], btf: &Btf<'data>) -> Result<Self, BtfError> {
        let header_len = word(bytes, 4).ok_or_else(|| error("header", format!("only {} bytes", bytes.len())))?;
        let magic = word(bytes, 0).unwrap_or(0) as u16;
        if magic != super::MAGIC {
            return Err(error("header", format!("magic {magic:#06x}, expected {:#06x}", super::MAGIC)));
        }
        // The CO-RE part came later: a header of 24 bytes ends before it.
        let part = |name: &'static str, at: usize| {
            if header_len < at + 8 {
                return Ok(Part { name, bytes: &[] });
            }
            let field = |at| word(bytes, at).ok_or_else(|| error("header", format!("ends before {name}")));
            let start = header_len.saturating_add(field(at)?);
            let outside = || error(name, format!("lies outside the section of {} bytes", bytes.len()));
            let bytes = bytes.get(start..start.saturating_add(field(at + 4)?)).ok_or_else(outside)?;
            Ok::<_, BtfError>(Part { name, bytes })
        };
        Ok(Self {
            funcs: part("func_info", 8)?
                .read(btf, 8, |record| FuncInfo { insn_off: word32(record, 0), type_id: word32(record, 4) })?,
            lines: part("line_info", 16)?.read(btf, 16, |record| LineInfo {
                insn_off: word32(record, 0),
                file_name_off: word32(record, 4),
                line_off: word32(record, 8),
                line_col: word32(record, 12),
            })?,
            core_relos: part("core_relo", 24)?.read(btf, 16, |record| CoreRelo {
                insn_off: word32(record, 0),
                type_id: word32(record, 4),
                access_str_off: word32(record, 8),
                kind: word32(record, 12),
            })?,
        })
    }
}

/// One of the three parts.
struct Part<'data> {
    name: &'static str,
    bytes: &'data [u8],
}

impl<'data> Part<'data> {
    /// Reads every section's records; each is at least `min_size` bytes, a later kernel's may be longer.
    fn read<R>(
        &self,
        btf: &Btf<'data>,
        min_size: usize,
        decode: impl Fn(&[u8]) -> R,
    ) -> Result<Vec<SectionRecords<'data, R>>, BtfError> {
        let mut sections = Vec::new();
        if self.bytes.is_empty() {
            return Ok(sections);
        }
        let cut_short = || error(self.name, "ends in the middle of a record");
        let record_size = word(self.bytes, 0).ok_or_else(cut_short)?;
        if record_size < min_size {
            return Err(error(self.name, format!("records of {record_size} bytes, expected at least {min_size}")));
        }
        let mut rest = self.bytes.get(4..).unwrap_or_default();
        while !rest.is_empty() {
            let (name, count) = (word(rest, 0).ok_or_else(cut_short)?, word(rest, 4).ok_or_else(cut_short)?);
            let no_name = || error(self.name, format!("no section name at string offset {name}"));
            let section = btf.string(name as u32).ok_or_else(no_name)?;
            let end = count.checked_mul(record_size).and_then(|size| size.checked_add(8)).ok_or_else(cut_short)?;
            let records = rest.get(8..end).ok_or_else(cut_short)?;
            sections
                .push(SectionRecords { section, records: records.chunks_exact(record_size).map(&decode).collect() });
            rest = rest.get(end..).unwrap_or_default();
        }
        Ok(sections)
    }
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*word) as usize)
}

/// A word of a record whose size was checked.
fn word32(record: &[u8], at: usize) -> u32 {
    word(record, at).unwrap_or(0) as u32
}
