//! BTF that is changed in place: the section as words of 32 bits.

/// The section's bytes; words are found by byte offset.
pub(crate) struct Words(pub(crate) Vec<u8>);

impl Words {
    pub(crate) fn get(&self, at: usize) -> u32 {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
    }

    pub(crate) fn set(&mut self, at: usize, word: u32) {
        if let Some(place) = self.0.get_mut(at..at.saturating_add(4)) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }
}
