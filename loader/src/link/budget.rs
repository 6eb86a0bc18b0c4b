//! How many slots the programs of an object may have together. Each program gets a copy of every function that it calls, so a file of a thousand
//! short programs and a long function would make a thousand long programs.

use super::program::Linked;
use crate::plan::{LinkError, LinkErrorKind};
use crate::spec::{Program, Spec};

/// Slots beyond four times the object's own.
const SHARED: usize = 1 << 18;

/// Those of all programs.
pub(super) fn of(spec: &Spec<'_>) -> usize {
    let own: usize = spec.functions.iter().map(|function| function.slots.len()).sum();
    own.saturating_mul(4).saturating_add(SHARED)
}

/// Links a program, unless there is no room left for it; then there is none for any other.
pub(super) fn take(
    left: &mut usize,
    program: &Program<'_>,
    link: impl FnOnce() -> Result<Linked, LinkError>,
) -> Result<Linked, LinkError> {
    let room = std::mem::take(left);
    let function = program.function;
    let linked = if function.slots.len() <= room { Some(link().inspect_err(|_| *left = room)?) } else { None };
    let rest = linked.as_ref().and_then(|linked| room.checked_sub(linked.insns.len()));
    if let (Some(linked), Some(rest)) = (linked, rest) {
        *left = rest;
        return Ok(linked);
    }
    let (program, section) = (function.name.clone(), program.section.to_owned());
    Err(LinkError { program, section, insn: function.place.offset / 8, kind: LinkErrorKind::TooManyCopies })
}
