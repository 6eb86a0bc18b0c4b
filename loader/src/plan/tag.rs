//! The tag: eight bytes that the kernel computes over a program's instructions, and that we can compute too.
//!
//! The kernel hashes the instructions as they were given to `BPF_PROG_LOAD`, but with the immediates of every `lddw` of a map
//! set to zero, so that a descriptor's number does not count. Whoever gets the same tag has patched every other byte
//! as the kernel saw it: the best check of a relocation there is.
//!
//! Kernel: `bpf_prog_calc_tag()`, `kernel/bpf/core.c`. SHA-1 since 4.10, SHA-256 since 6.18.

use sha1::Digest;

use crate::insn::Insn;

/// The tag under both rules; which one holds depends on the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags {
    /// The rule of 6.18 and later.
    pub sha256: [u8; 8],
    /// The rule before.
    pub sha1: [u8; 8],
}

impl Tags {
    /// Computes the tag of a patched program.
    pub fn of(insns: &[Insn]) -> Self {
        let mut hashed = insns.to_vec();
        let mut slots = hashed.iter_mut();
        while let Some(insn) = slots.next() {
            let names_a_map = matches!(insn.src(), Insn::BPF_PSEUDO_MAP_FD | Insn::BPF_PSEUDO_MAP_VALUE);
            if insn.is_lddw() && names_a_map {
                insn.imm = 0;
                if let Some(second) = slots.next() {
                    second.imm = 0;
                }
            }
        }
        let bytes = Insn::encode_all(&hashed);
        let first_eight = |digest: &[u8]| digest.first_chunk().copied().unwrap_or_default();
        Self { sha256: first_eight(&sha2::Sha256::digest(&bytes)), sha1: first_eight(&sha1::Sha1::digest(&bytes)) }
    }

    /// Whether the kernel's tag is one of the two.
    pub fn agree_with(&self, kernel: [u8; 8]) -> bool {
        kernel == self.sha256 || kernel == self.sha1
    }
}
