//! A patch in words: what was there, what is there now, and why.

use crate::btf::value::hex;
use crate::insn::{Insn, disassemble};
use crate::plan::{Extern, Patch, PatchKind, ProgLoad};

/// A patch with its bytes before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchText {
    /// The slot.
    pub insn: usize,
    /// The symbol.
    pub symbol: String,
    /// What the instruction becomes: `map fd`, `map value + 8`, `call`, `function`.
    pub becomes: String,
    /// The bytes as compiled, in hex.
    pub before: String,
    /// The bytes as the kernel gets them, in hex.
    pub after: String,
    /// The instruction as compiled.
    pub text: String,
}

/// Describes a patch of a program whose patched slots are `resolved`.
pub fn patch_text(program: &ProgLoad, patch: &Patch, resolved: &[Insn]) -> PatchText {
    let end = patch.insn + patch.slots(&program.insns);
    let slots = |insns: &[Insn]| insns.get(patch.insn..end).map(<[Insn]>::to_vec).unwrap_or_default();
    let (before, after) = (slots(&program.insns), slots(resolved));
    let becomes = match patch.kind {
        PatchKind::MapFd { .. } => "map fd".to_owned(),
        PatchKind::MapValue { offset, .. } => format!("map value + {offset}"),
        PatchKind::Call { callee } => format!("call of insn {callee}"),
        PatchKind::Func { callee } => format!("address of insn {callee}"),
        PatchKind::Core { .. } => "CO-RE".to_owned(),
        PatchKind::Extern(external) => extern_text(external),
        PatchKind::Unresolved(needs) => format!("unresolved: needs {}", needs.text()),
    };
    PatchText {
        insn: patch.insn,
        symbol: patch.symbol.clone(),
        becomes,
        text: disassemble(&before).into_iter().map(|(_, text)| text).next().unwrap_or_default(),
        before: hex(&Insn::encode_all(&before)),
        after: hex(&Insn::encode_all(&after)),
    }
}

fn extern_text(external: Extern) -> String {
    match external {
        Extern::BtfId { id } => format!("vmlinux BTF id {id}"),
        Extern::Address { address: 0 } => "0: not in this kernel".to_owned(),
        Extern::Address { address } => format!("address {address:#x}"),
        Extern::Kfunc { id } => format!("call of vmlinux BTF id {id}"),
        Extern::MissingKfunc { .. } => "call of nobody: not in this kernel".to_owned(),
    }
}
