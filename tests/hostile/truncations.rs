//! Every file that is the beginning of a committed object.

use minibpf::elf::{ElfError, Object};

use crate::committed::objects;
use crate::measured::bounded;
use crate::targets::{self, claims};

#[test]
fn every_truncation_of_every_object_is_refused_by_a_place() {
    for (name, bytes) in objects() {
        for length in 0..bytes.len() {
            let what = format!("{name}, its first {length} bytes");
            let error = bounded(&what, || Object::parse(&bytes[..length]).map(drop)).expect_err(&what);
            // Before the fifth byte it is not even an ELF file; then the header, then the table at the end is not whole.
            let is_placed = match &error {
                ElfError::NotElf { found } => length < 4 && !found.is_empty(),
                ElfError::Malformed { place, .. } => length >= 4 && !place.is_empty(),
                _ => false,
            };
            assert!(is_placed, "{what}: {error}");
            claims::names_a_place(&error.to_string());
        }
    }
}

/// Without its section header table no object can be read: the table of these stands in front of what is cut off.
#[test]
fn every_truncation_behind_the_tables_goes_through_every_target() {
    for (name, bytes) in objects() {
        let moved = table_in_front(bytes);
        assert!(Object::parse(&moved).is_ok(), "{name}");
        for length in (0..moved.len()).step_by(7) {
            for target in ["object", "link", "report"] {
                let target = targets::named(target).unwrap();
                if target.name == "report" && length % 5 != 0 {
                    continue;
                }
                bounded(&format!("{name}, its first {length} bytes"), || (target.run)(&moved[..length]));
            }
        }
    }
}

/// The same object with its section header table right behind the ELF header.
fn table_in_front(bytes: &[u8]) -> Vec<u8> {
    const HEADER: usize = 64;
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let table = word(40) as usize;
    let count = usize::from(u16::from_le_bytes(bytes[60..62].try_into().unwrap()));
    let size = count * HEADER;
    let mut moved = bytes[..HEADER].to_vec();
    moved[40..48].copy_from_slice(&(HEADER as u64).to_le_bytes());
    for header in bytes[table..table + size].chunks_exact(HEADER) {
        let mut header = header.to_vec();
        let start = u64::from_le_bytes(header[24..32].try_into().unwrap());
        if start != 0 {
            header[24..32].copy_from_slice(&(start + size as u64).to_le_bytes());
        }
        moved.extend(header);
    }
    moved.extend(&bytes[HEADER..table]);
    moved
}
