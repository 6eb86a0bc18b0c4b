//! What the fields of a [`Call`] are made of.

use super::{Call, Fd, Field};
use crate::plan::{MapId, ProgId};

/// What is known of descriptors: all of them after a load, none before.
pub trait Descriptors {
    /// The object's types; `None` where the kernel refused them.
    fn btf(&self) -> Option<Fd>;
    /// A map.
    fn map(&self, id: MapId) -> Fd;
    /// A program.
    fn prog(&self, id: ProgId) -> Fd;
    /// A map's number for an instruction's immediate; 0 while there is none.
    fn map_number(&self, id: MapId) -> i32;
}

pub(super) fn number(value: impl Into<u64>) -> Field {
    Field::Number(value.into())
}

pub(super) fn constant(name: impl Into<String>) -> Field {
    Field::Constant(name.into())
}

/// What a pointer points to; an empty slice is given as a null pointer.
pub(super) fn pointed(bytes: Vec<u8>) -> Field {
    if bytes.is_empty() { Field::Null } else { Field::Bytes(bytes) }
}

/// The words of all records, little-endian, one record after the other: how they lie in the kernel's sight.
pub(super) fn words<R, const N: usize>(records: &[R], of: impl Fn(&R) -> [u32; N]) -> Vec<u8> {
    let records: Vec<_> = records.iter().map(|record| of(record).map(u32::to_le_bytes)).collect();
    records.into_flattened().into_flattened()
}

pub(super) fn bpf(
    command: &'static str,
    size: usize,
    fields: Vec<(&'static str, Field)>,
    why: impl Into<String>,
) -> Call {
    Call { syscall: "bpf", command: Some(command), fields, size: Some(size), why: why.into() }
}
