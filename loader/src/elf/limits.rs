//! What no compiler writes, and what reading would cost more for than the file is long: parts that share their bytes.
//!
//! Each section and each name is read once, so the work is as long as the file is, unless many sections are the same bytes, or many symbols have the
//! same long name.

use std::borrow::Cow;
use std::slice;

use object::Endianness;
use object::elf::SectionHeader64;
use object::read::elf::SectionHeader;

use super::ElfError;

/// Symbols of an object. The largest ones that are known have some thousands.
const MOST_SYMBOLS: usize = 1 << 18;
/// Bytes of a name, its NUL not counted.
pub(super) const LONGEST_NAME: usize = 1 << 16;

/// Refuses a file whose sections have more bytes together than the file.
pub(super) fn of_sections(
    endian: Endianness,
    table: slice::Iter<'_, SectionHeader64<Endianness>>,
    data: &[u8],
) -> Result<(), ElfError> {
    let file = data.len() as u64;
    let mut left = file;
    for (index, section) in table.enumerate() {
        let Some((_, size)) = section.file_range(endian) else { continue };
        // Of one that is larger than the file something else is said.
        left = match left.checked_sub(size) {
            Some(left) => left,
            None if size > file => left,
            None => {
                let problem =
                    format!("shares bytes with others: up to it they have more than the file of {file} bytes");
                return Err(ElfError::malformed(format!("section [{index}]"), problem));
            }
        };
    }
    Ok(())
}

/// Refuses more symbols than any object has.
pub(super) fn of_symbols(count: usize) -> Result<(), ElfError> {
    match count {
        0..=MOST_SYMBOLS => Ok(()),
        _ => Err(ElfError::malformed("symbol table (.symtab)", format!("{count} symbols, at most {MOST_SYMBOLS}"))),
    }
}

/// What names may take together, in bytes: four times the file, of which honest ones are a part.
pub(super) struct Names {
    left: usize,
}

impl Names {
    pub(super) fn of(file: &[u8]) -> Self {
        Self { left: file.len().saturating_mul(4) }
    }

    /// A name as text; bytes that are not UTF-8 are replaced.
    pub(super) fn lossy<'data>(
        &mut self,
        place: impl FnOnce() -> String,
        name: &'data [u8],
    ) -> Result<Cow<'data, str>, ElfError> {
        const PROBLEM: &str = "the names up to this one are four times as long as the file: they share their bytes";
        self.left = self.left.checked_sub(name.len()).ok_or_else(|| ElfError::malformed(place(), PROBLEM))?;
        Ok(String::from_utf8_lossy(name))
    }
}
