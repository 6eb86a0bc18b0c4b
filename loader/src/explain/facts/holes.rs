//! The holes of a program: what was there, what told of it, and what fills it.

use serde::Serialize;

use super::headers::Header;
use super::records::{self, Record};
use super::unpatched::{self, HoleKind};
use crate::explain::patch_text;
use crate::insn::{Insn, disassemble};
use crate::plan::{Extern, MapId, Needs, Patch, PatchKind, Piece, Plan, ProgLoad, SourceLine};
use crate::spec::Spec;

/// One hole.
#[derive(Debug, Clone, Serialize)]
pub struct HoleFacts {
    /// The program.
    pub program: String,
    /// The slot.
    pub insn: usize,
    /// The symbol.
    pub symbol: String,
    /// What kind of hole it is.
    pub hole: &'static str,
    /// What the instruction becomes, in short.
    pub becomes: String,
    /// The bytes as compiled, in hex.
    pub before: String,
    /// The bytes as the kernel gets them, in hex; a descriptor counts as 0.
    pub after: String,
    /// The instruction as compiled.
    pub text: String,
    /// The instruction as the kernel gets it.
    pub text_after: String,
    /// Which fields are filled, with what.
    pub fills: String,
    /// Whether the bytes at 4 to 7 will be a descriptor.
    pub takes_fd: bool,
    /// False if the target's types are not known.
    pub resolved: bool,
    /// What told of the hole.
    pub record: Record,
    /// The source line.
    pub source: Option<SourceLine>,
    /// What the kernel says of a hole left open.
    pub left_open: String,
}

/// What is said of a hole that holds the right number already.
const SAME: &str = "not noticed: the bytes are the same";

/// What the kernel would say of this one.
fn left_open(patch: &Patch, kind: HoleKind, is_same: bool) -> String {
    match patch.kind {
        // Nobody knows yet whether the bytes will be the same.
        PatchKind::Unresolved(_) => kind.left_open(),
        _ if is_same => SAME.to_owned(),
        _ => kind.left_open(),
    }
}

/// All holes of a program.
pub(super) fn all(spec: &Spec<'_>, plan: &Plan, headers: &[Header], program: &ProgLoad) -> Vec<HoleFacts> {
    let resolved = program.resolve(|_| 0);
    let one = |patch: &Patch| {
        let text = patch_text(program, patch, &resolved);
        let record =
            piece_of(program, patch.insn).map_or(Record::None, |piece| records::of(spec, headers, piece, patch.insn));
        let (kind, fills) = match patch.kind {
            PatchKind::Unresolved(needs) => unresolved(&record, &text.text, needs),
            _ => describe(plan, patch),
        };
        HoleFacts {
            program: program.name.clone(),
            insn: patch.insn,
            text_after: instruction(&resolved, patch, &text.becomes),
            symbol: text.symbol,
            hole: kind.name,
            left_open: left_open(patch, kind, text.before == text.after),
            becomes: text.becomes,
            before: text.before,
            after: text.after,
            text: text.text,
            fills,
            takes_fd: patch.map().is_some(),
            resolved: !matches!(patch.kind, PatchKind::Unresolved(_)),
            record,
            source: program.source(spec.btf.as_ref(), patch.insn),
        }
    };
    program.patches.iter().map(one).collect()
}

/// The kind of a hole, and what fills it: the one place that knows every kind of patch.
fn describe(plan: &Plan, patch: &Patch) -> (HoleKind, String) {
    let map = |id: MapId| plan.map(id).map_or("", |map| map.name.as_str());
    let slots_to = |callee| format!("imm = slots from the next one to insn {callee}, where `{}` went", patch.symbol);
    match patch.kind {
        PatchKind::MapFd { map: id } => {
            let fills = format!("src = 1 (BPF_PSEUDO_MAP_FD), imm = the descriptor of map `{}`", map(id));
            (unpatched::MAP_FD, fills)
        }
        PatchKind::MapValue { map: id, offset } => {
            let name = map(id);
            let fills = format!(
                "src = 2 (BPF_PSEUDO_MAP_VALUE), imm = the descriptor of map `{name}`, second imm = byte {offset} of its value"
            );
            (unpatched::MAP_VALUE, fills)
        }
        PatchKind::Call { callee } => (unpatched::CALL, format!("src = 1 (BPF_PSEUDO_CALL), {}", slots_to(callee))),
        PatchKind::Func { callee } => (unpatched::FUNC, format!("src = 4 (BPF_PSEUDO_FUNC), {}", slots_to(callee))),
        // CO-RE makes no calls, but to mark what the target does not have.
        PatchKind::Core { first, .. } if first.code == Insn::CALL => {
            let fills = "a helper number that is nobody's: the target does not have it".to_owned();
            (unpatched::CORE, fills)
        }
        PatchKind::Core { .. } => (unpatched::CORE, "the number of the target's types".to_owned()),
        PatchKind::Extern(external) => of_kernel(external),
        PatchKind::Unresolved(needs) => (unpatched::CORE, format!("nothing yet: needs {}", needs.text())),
    }
}

/// What is the kernel's own.
fn of_kernel(external: Extern) -> (HoleKind, String) {
    match external {
        Extern::BtfId { id } => {
            let fills = format!("src = 3 (BPF_PSEUDO_BTF_ID), imm = {id}, its number in the kernel's BTF");
            (unpatched::KERNEL_TYPE, fills)
        }
        Extern::Address { address: 0 } => (unpatched::SYMBOL, "0: this kernel does not have it".to_owned()),
        Extern::Address { .. } => (unpatched::SYMBOL, "both immediates = the two halves of its address".to_owned()),
        Extern::Kfunc { id } => {
            let fills = format!("src = 2 (BPF_PSEUDO_KFUNC_CALL), imm = {id}, its number in the kernel's BTF");
            (unpatched::KFUNC, fills)
        }
        Extern::MissingKfunc { .. } => {
            (unpatched::KFUNC, "a helper number that is nobody's: this kernel does not have it".to_owned())
        }
    }
}

/// A hole that the target does not tell how to fill: what it is shows in its record and its instruction.
fn unresolved(record: &Record, insn: &str, needs: Needs) -> (HoleKind, String) {
    let kind = match (record, needs) {
        (Record::Core { .. }, _) => unpatched::CORE,
        (_, Needs::Config) => unpatched::MAP_VALUE,
        (_, Needs::Symbols) => unpatched::SYMBOL,
        (_, Needs::Btf) if insn.starts_with("call") => unpatched::KFUNC,
        (_, Needs::Btf) => unpatched::KERNEL_TYPE,
    };
    (kind, format!("nothing yet: needs {}", needs.text()))
}

/// The instruction at a hole, filled: an address by what it is, since its number is not known yet.
fn instruction(insns: &[Insn], patch: &Patch, becomes: &str) -> String {
    let slots = insns.get(patch.insn..patch.insn.saturating_add(patch.slots(insns))).unwrap_or_default();
    match slots.first() {
        Some(lddw) if patch.map().is_some() => format!("r{} = {becomes}", lddw.dst()),
        _ => disassemble(slots).into_iter().map(|(_, text)| text).next().unwrap_or_default(),
    }
}

/// The function that a slot came from.
pub(super) fn piece_of(program: &ProgLoad, insn: usize) -> Option<&Piece> {
    let after = program.pieces.partition_point(|piece| piece.at <= insn);
    program.pieces.get(after.checked_sub(1)?)
}
