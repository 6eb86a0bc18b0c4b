//! Names for the numbers in instructions: on the kernel's side from its symbols, on the given side from the plan.

use crate::insn::{Insn, Names};
use crate::plan::{PatchKind, Plan, ProgLoad};

use super::{Kallsyms, Xlated};

/// The names that bpftool gives an xlated program.
#[derive(Debug, Clone, Copy)]
pub struct XlatedNames<'a> {
    /// The program.
    pub program: &'a Xlated,
    /// The kernel's symbols.
    pub symbols: &'a Kallsyms,
}

impl Names for XlatedNames<'_> {
    fn call(&self, _: usize, insn: Insn) -> Option<String> {
        let Self { program, symbols } = self;
        if insn.src() != Insn::BPF_PSEUDO_CALL {
            let address = symbols.called(insn.imm);
            return Some(symbols.callee(insn.imm).map_or_else(|| format!("{address:#x}"), str::to_owned));
        }
        // The immediate is the function's number, the offset the distance to its first instruction.
        if program.functions == 0 {
            return Some(format!("{:+}", insn.off));
        }
        let address = usize::try_from(insn.imm).ok().and_then(|number| program.ksyms.get(number).copied());
        let address = address.unwrap_or_else(|| symbols.called(insn.imm));
        let name = symbols.at(address).map_or_else(|| format!("{address:#x}"), str::to_owned);
        Some(format!("{:+}#{name}", insn.off))
    }

    fn immediate(&self, _: usize, insn: Insn, second: Insn) -> Option<String> {
        match insn.src() {
            Insn::BPF_PSEUDO_MAP_FD => Some(format!("map[id:{}]", insn.imm)),
            Insn::BPF_PSEUDO_MAP_VALUE => Some(format!("map[id:{}][0]+{}", insn.imm, second.imm)),
            Insn::BPF_PSEUDO_FUNC => Some(format!("subprog[{:+}]", insn.imm)),
            _ => None,
        }
    }
}

/// The names that a program has in its object.
#[derive(Debug, Clone, Copy)]
pub struct GivenNames<'a> {
    /// The plan that it is of.
    pub plan: &'a Plan,
    /// The program.
    pub program: &'a ProgLoad,
}

impl GivenNames<'_> {
    fn symbol(&self, at: usize) -> Option<(&str, PatchKind)> {
        let patches = &self.program.patches;
        let patch = patches.binary_search_by_key(&at, |patch| patch.insn).ok().and_then(|n| patches.get(n))?;
        Some((&patch.symbol, patch.kind))
    }
}

impl Names for GivenNames<'_> {
    fn call(&self, at: usize, insn: Insn) -> Option<String> {
        match (self.symbol(at), insn.src()) {
            (Some((symbol, _)), Insn::BPF_PSEUDO_CALL) => Some(format!("{:+}#{symbol}", insn.imm)),
            (Some((symbol, _)), _) => Some(symbol.to_owned()),
            (None, _) => None,
        }
    }

    fn immediate(&self, at: usize, insn: Insn, _: Insn) -> Option<String> {
        let (symbol, kind) = self.symbol(at)?;
        let map = |id| self.plan.map(id).map_or(symbol, |map| map.name.as_str());
        match kind {
            PatchKind::MapFd { map: id } => Some(format!("map[{}]", map(id))),
            PatchKind::MapValue { map: id, offset } => Some(format!("map[{}][0]+{offset}", map(id))),
            PatchKind::Func { .. } => Some(format!("subprog[{:+}]#{symbol}", insn.imm)),
            PatchKind::Extern(_) => Some(format!("&{symbol}")),
            _ => None,
        }
    }
}
