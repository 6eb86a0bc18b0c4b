//! One hole in the instructions, and what fills it.

use super::{Extern, MapId, Needs};
use crate::insn::Insn;

/// A slot to be patched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// The slot, counted in the whole program that the kernel gets.
    pub insn: usize,
    /// The symbol that the relocation record names, or the function that was found at the place it points to.
    pub symbol: String,
    /// What the hole wants.
    pub kind: PatchKind,
}

/// What fills a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// `lddw`: src = `BPF_PSEUDO_MAP_FD`, imm = the map's descriptor.
    MapFd {
        /// Which map.
        map: MapId,
    },
    /// `lddw`: src = `BPF_PSEUDO_MAP_VALUE`, imm = the map's descriptor, second imm = an offset into its only value.
    MapValue {
        /// Which map.
        map: MapId,
        /// Bytes.
        offset: u32,
    },
    /// `call`: src = `BPF_PSEUDO_CALL`, imm = distance to a function, in slots, from the next slot.
    Call {
        /// The slot where the function begins.
        callee: usize,
    },
    /// `lddw`: src = `BPF_PSEUDO_FUNC`, imm = distance to a function, in slots, from the next slot.
    Func {
        /// The slot where the function begins.
        callee: usize,
    },
    /// An instruction that depends on the layout of the kernel's types (CO-RE): what it becomes.
    Core {
        /// The slot.
        first: Insn,
        /// The second slot of `lddw`.
        second: Option<Insn>,
    },
    /// Something of the kernel's own, that the object only declares.
    Extern(Extern),
    /// What the plan's target does not tell: the instruction stays as it was compiled, and the program cannot be loaded.
    Unresolved(Needs),
}

impl Patch {
    /// The map whose descriptor it needs.
    pub fn map(&self) -> Option<MapId> {
        match self.kind {
            PatchKind::MapFd { map } | PatchKind::MapValue { map, .. } => Some(map),
            _ => None,
        }
    }

    /// Slots that it touches in `insns`: two for `lddw`.
    pub fn slots(&self, insns: &[Insn]) -> usize {
        if insns.get(self.insn).is_some_and(|insn| insn.is_lddw()) { 2 } else { 1 }
    }

    /// Fills the hole.
    pub fn apply(&self, insns: &mut [Insn], map_fd: impl Fn(MapId) -> i32) {
        let (src, imm, second_imm) = match self.kind {
            PatchKind::MapFd { map } => (Insn::BPF_PSEUDO_MAP_FD, map_fd(map), Some(0)),
            PatchKind::MapValue { map, offset } => {
                (Insn::BPF_PSEUDO_MAP_VALUE, map_fd(map), Some(offset.cast_signed()))
            }
            PatchKind::Call { callee } => (Insn::BPF_PSEUDO_CALL, self.distance(callee), None),
            PatchKind::Func { callee } => (Insn::BPF_PSEUDO_FUNC, self.distance(callee), Some(0)),
            PatchKind::Extern(external) => return external.apply(insns, self.insn),
            PatchKind::Unresolved(_) => return,
            PatchKind::Core { first, second } => {
                for (place, slot) in insns.iter_mut().skip(self.insn).zip([Some(first), second].into_iter().flatten()) {
                    *place = slot;
                }
                return;
            }
        };
        if let Some(insn) = insns.get_mut(self.insn) {
            *insn = insn.with_src(src).with_imm(imm);
        }
        if let (Some(second), Some(imm)) = (insns.get_mut(self.insn + 1), second_imm) {
            *second = second.with_imm(imm);
        }
    }

    /// Slots from the one after this one to `callee`.
    fn distance(&self, callee: usize) -> i32 {
        // Both are below the 2^31 / 8 slots that a section can hold.
        callee as i32 - (self.insn as i32 + 1)
    }
}
