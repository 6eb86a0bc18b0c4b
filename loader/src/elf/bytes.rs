//! How the `object` crate reads the file: from memory, as it always does, but for how the end of a name is found.

use std::ops::Range;

use object::ReadRef;

use super::limits::LONGEST_NAME;

/// The file's bytes. `object` would look for the NUL of a name with `memchr`, which asks the processor what it can first. A
/// virtual machine traps each such question (CPUID), and they take 70 µs of a load, which takes less than 200 in all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'data>(pub(super) &'data [u8]);

impl<'data> ReadRef<'data> for Bytes<'data> {
    fn len(self) -> Result<u64, ()> {
        Ok(self.0.len() as u64)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'data [u8], ()> {
        let end = offset.checked_add(size).ok_or(())?;
        self.0.get(offset as usize..end as usize).ok_or(())
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'data [u8], ()> {
        let rest = self.0.get(range.start as usize..range.end as usize).ok_or(())?;
        let end = rest.iter().take(LONGEST_NAME + 1).position(|&byte| byte == delimiter).ok_or(())?;
        rest.get(..end).ok_or(())
    }
}
