//! The C source of an instruction, from the program's own records.

use std::fmt;

use serde::Serialize;

use super::ProgLoad;
use crate::btf::Btf;

/// A line of the C source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceLine {
    /// The file, as the compiler was given it.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1; 0 if unknown.
    pub column: u32,
    /// The line itself.
    pub text: String,
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.text)
    }
}

impl ProgLoad {
    /// The source of a slot: that of the last record at or before it. `btf` holds the texts: the object's, or what the kernel gets.
    pub fn source(&self, btf: Option<&Btf<'_>>, insn: usize) -> Option<SourceLine> {
        let after = self.line_info.partition_point(|record| record.insn_off as usize <= insn);
        let record = self.line_info.get(after.checked_sub(1)?)?;
        let text = |offset| btf?.string(offset).map(|text| text.trim().to_owned());
        Some(SourceLine {
            file: text(record.file_name_off)?,
            line: record.line(),
            column: record.column(),
            text: text(record.line_off).unwrap_or_default(),
        })
    }
}
