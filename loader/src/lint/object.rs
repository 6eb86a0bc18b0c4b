//! What is to be said of the object as a whole, and of a program's size.

use super::rules::{BIG_ENDIAN, COMMON_SYMBOL, NO_TYPES, Rule, STATIC_MAP, TOO_LARGE};
use super::{Limits, Lint, Place};
use crate::elf::{SymbolKind, SymbolPlace};
use crate::insn::Insn;
use crate::spec::Spec;

pub(super) fn lints(spec: &Spec<'_>) -> Vec<Lint> {
    let mut lints = Vec::new();
    if spec.object.is_big_endian {
        lints.push(of_object(BIG_ENDIAN, "is big-endian".to_owned()));
    }
    if spec.object.section_named(".BTF").is_none() {
        lints.push(of_object(NO_TYPES, "has no types (.BTF)".to_owned()));
    }
    for name in common_symbols(spec) {
        lints.push(of_object(COMMON_SYMBOL, format!("has `{name}` as a COMMON symbol")));
    }
    for name in static_maps(spec) {
        lints.push(of_object(STATIC_MAP, format!("has the map `{name}` as static")));
    }
    lints
}

pub(super) fn of_object(rule: &'static Rule, what: String) -> Lint {
    Lint {
        id: rule.id,
        program: None,
        insn: None,
        source: None,
        what,
        why: rule.why,
        mend: rule.mend.to_owned(),
        see: rule.see,
    }
}

pub(super) fn common_symbols<'a>(spec: &'a Spec<'_>) -> impl Iterator<Item = &'a str> {
    let symbols = spec.object.symbols.iter();
    symbols.filter(|symbol| symbol.place == SymbolPlace::Common).map(|symbol| symbol.name.as_ref())
}

/// The maps of `.maps` whose symbols are local.
pub(super) fn static_maps<'a>(spec: &'a Spec<'_>) -> impl Iterator<Item = &'a str> {
    let section = spec.object.section_named(".maps").map(|section| section.index);
    let symbols = section.into_iter().flat_map(|section| spec.object.symbols_in(section));
    symbols.filter(|symbol| symbol.is_local && symbol.kind == SymbolKind::Object).map(|symbol| symbol.name.as_ref())
}

/// What the instructions alone are too large for. The head of the kernel's `struct bpf_prog` comes on top; its size depends on the kernel.
pub(super) fn too_large(at: &Place<'_>, limits: &Limits) -> Option<Lint> {
    let limit = limits.optmem_max?;
    let slots = at.program.insns.len();
    let bytes = (slots * Insn::SIZE) as u64;
    let what = format!("has {slots} slots of 8 bytes, and net.core.optmem_max is {limit} here");
    (bytes >= limit).then(|| at.lint(TOO_LARGE, None, what, None))
}
