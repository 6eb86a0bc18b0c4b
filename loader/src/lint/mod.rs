//! What will go wrong, or not as it was meant: said before the kernel is asked, and never in the way of a load.
//!
//! A lint is data: a [`Rule`] of one table, and where it was met. Only what is certain is said, so that a filter without fault is
//! told nothing. Pure: it reads the object, the plan, and one number of the kernel's.

mod calls;
mod context;
mod ethernet;
mod loaders;
mod maps;
mod object;
mod returns;
mod rules;
mod walk;

use serde_json::{Value as Json, json};

use crate::plan::{Plan, ProgLoad};
use crate::spec::Spec;

pub(crate) use context::accesses;
pub use loaders::{LoadsIn, loads_in_others};
pub use maps::{MapFault, fault as map_fault};
pub use rules::{RULES, Rule};

/// One rule, met at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The rule's name.
    pub id: &'static str,
    /// The program; `None` of the whole object.
    pub program: Option<String>,
    /// The slot.
    pub insn: Option<usize>,
    /// The source line: file and number.
    pub source: Option<String>,
    /// What was found there.
    pub what: String,
    /// Why that goes wrong.
    pub why: &'static str,
    /// How to mend it.
    pub mend: String,
    /// Where the book explains it.
    pub see: &'static str,
}

/// Where the programs are to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// `net.core.optmem_max`: bytes that a socket may hold besides its packets; `None` to leave it out.
    pub optmem_max: Option<u64>,
    /// What byte 0 of a packet is, if that is known and it is not an Ethernet header.
    pub byte0: Option<&'static str>,
}

/// All lints of an object and of the programs that are to be loaded.
pub fn all(spec: &Spec<'_>, plan: &Plan, limits: &Limits) -> Vec<Lint> {
    let mut lints = object::lints(spec);
    lints.extend(maps::lints(plan));
    for program in plan.prog_loads() {
        let insns = program.resolve(|_| 0);
        let at = Place { spec, program };
        lints.extend(context::lints(&at, at.own(&insns)));
        lints.extend(calls::lints(&at, &insns));
        lints.extend(returns::lints(&at, at.own(&insns), limits.byte0));
        if let Some(byte0) = limits.byte0 {
            lints.extend(ethernet::lints(&at, at.own(&insns), byte0));
        }
        lints.extend(object::too_large(&at, limits));
    }
    lints
}

/// Where lints of a program are met.
struct Place<'a> {
    spec: &'a Spec<'a>,
    program: &'a ProgLoad,
}

impl Place<'_> {
    /// The program's own slots, without the functions that it calls: at its first one r1 is the context.
    fn own<'insns>(&self, insns: &'insns [crate::insn::Insn]) -> &'insns [crate::insn::Insn] {
        let end = self.program.pieces.get(1).map_or(insns.len(), |piece| piece.at);
        insns.get(..end).unwrap_or(insns)
    }

    fn lint(&self, rule: &'static Rule, insn: Option<usize>, what: String, mend: Option<&str>) -> Lint {
        Lint {
            id: rule.id,
            program: Some(self.program.name.clone()),
            insn,
            source: insn.and_then(|insn| self.source(insn)),
            what,
            why: rule.why,
            mend: mend.unwrap_or(rule.mend).to_owned(),
            see: rule.see,
        }
    }

    /// The last line record at or before a slot.
    fn source(&self, insn: usize) -> Option<String> {
        let after = self.program.line_info.partition_point(|record| record.insn_off as usize <= insn);
        let record = self.program.line_info.get(after.checked_sub(1)?)?;
        let file = self.spec.btf.as_ref()?.string(record.file_name_off)?;
        Some(format!("{file}:{}", record.line()))
    }
}

impl Lint {
    /// As a JSON line.
    pub fn json(&self) -> Json {
        let Self { id, program, insn, source, what, why, mend, see } = self;
        json!({
            "kind": "lint", "id": id, "program": program, "insn": insn, "source": source, "what": what, "why": why, "mend": mend,
            "see": see,
        })
    }

    /// Where it was met, and what.
    pub fn text(&self) -> String {
        let Some(program) = &self.program else { return format!("the object {}", self.what) };
        let insn = self.insn.map(|insn| format!(", insn {insn}")).unwrap_or_default();
        let source = self.source.as_ref().map(|source| format!(", {source}")).unwrap_or_default();
        format!("program `{program}`{insn}{source}: {}", self.what)
    }
}

#[cfg(test)]
mod tests;
