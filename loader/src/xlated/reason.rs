//! Why an instruction is not what it was: one clause for each kind of rewrite that the verifier makes.

use serde::Serialize;

use super::clauses;
use super::code::Code;
use super::flow::{
    is_access, is_branch, is_division, is_goto, is_kernels_own, is_nospec, is_packet_load, is_zero_extension,
};
use super::{Alignment, Kallsyms, Layouts, Pair};
use crate::insn::Insn;
use crate::lint;
use crate::plan::{Patch, PatchKind, Plan, ProgLoad};
use crate::uapi::{Field, Helper};

/// What kind of rewrite it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Only the distance of a jump: other instructions came or went between.
    Distance,
    /// A map's descriptor became its address.
    Map,
    /// A function of the program itself is called, or its address taken.
    Function,
    /// A helper's number became its address.
    Helper,
    /// A kernel function's number became its address.
    Kfunc,
    /// A variable of the kernel's became its address.
    Extern,
    /// A field of the context, or of another view, became the real one.
    Context,
    /// A helper was put in place of its call.
    Inlined,
    /// A load of packet bytes became a call.
    PacketLoad,
    /// A division got a guard.
    Division,
    /// A branch goes one way only.
    Branch,
    /// No path leads here.
    Dead,
    /// The upper half of a register is cleared.
    ZeroExtension,
    /// A barrier against speculation.
    Nospec,
    /// Constants are hidden from whoever would use them as code.
    Blinded,
    /// The verifier put it between.
    Inserted,
    /// For a reason that is not known.
    Rewritten,
}

/// Why an instruction is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What kind of rewrite it is.
    pub change: Change,
    /// What became of it, in a clause.
    pub text: String,
}

/// Types of program whose context is `struct __sk_buff`: `SOCKET_FILTER`, `SCHED_CLS` and `SCHED_ACT`, `CGROUP_SKB`, the LWT ones, `SK_SKB`.
const SEES_SKB: [u32; 9] = [1, 3, 4, 8, 10, 11, 12, 14, 19];

/// What it takes to say why.
#[derive(Debug)]
pub struct Reasons<'a> {
    plan: &'a Plan,
    program: &'a ProgLoad,
    given: &'a Code<'a>,
    xlated: &'a Code<'a>,
    symbols: &'a Kallsyms,
    layouts: &'a Layouts,
    /// Slots of accesses that surely go to the context.
    context: Vec<usize>,
}

impl<'a> Reasons<'a> {
    /// `given` are the resolved slots of `program`, which the kernel holds as a program of type `prog_type`.
    pub fn new(
        plan: &'a Plan,
        program: &'a ProgLoad,
        prog_type: u32,
        [given, xlated]: [&'a Code<'a>; 2],
        symbols: &'a Kallsyms,
        layouts: &'a Layouts,
    ) -> Self {
        let own = program.pieces.get(1).map_or(given.len(), |piece| piece.at);
        // The context of other types of program is another view.
        let own = if SEES_SKB.contains(&prog_type) { own } else { 0 };
        let context = lint::accesses(given.insns.get(..own).unwrap_or(given.insns));
        Self { plan, program, given, xlated, symbols, layouts, context }
    }

    /// Why a pair is not the same on both sides; `None` where it is.
    pub fn why(&self, pair: &Pair) -> Option<Why> {
        let given = self.given.insns.get(pair.given.clone()).unwrap_or_default();
        let xlated = self.xlated.insns.get(pair.xlated.clone()).unwrap_or_default();
        if given == xlated {
            return None;
        }
        let (change, text) = match (given, xlated) {
            ([one, ..], []) => clauses::gone(pair, *one),
            ([one], [_, ..]) if is_branch(*one) || is_goto(*one) => self.jump(pair, *one, xlated),
            ([one, ..], [two, ..]) if one.is_lddw() && two.is_lddw() => self.address(pair, *one, *two),
            ([one], [_, ..]) if one.code == Insn::CALL => self.call(pair, *one, xlated),
            ([one], [_, ..]) => self.plain(pair, *one, xlated),
            ([], _) => (Change::Inserted, "put between by the verifier".to_owned()),
            _ => (Change::Rewritten, "rewritten by the verifier".to_owned()),
        };
        Some(Why { change, text })
    }

    /// See [`Alignment::contradictions`].
    pub(super) fn contradictions(&self, alignment: &Alignment) -> Vec<usize> {
        alignment.contradictions(self.given, self.xlated)
    }

    fn jump(&self, pair: &Pair, one: Insn, xlated: &[Insn]) -> (Change, String) {
        match xlated {
            [two] if pair.taken == Some(true) && is_goto(*two) => {
                (Change::Branch, "always jumps: made a plain goto".to_owned())
            }
            [two] if two.with_imm(one.imm).regs == one.regs && two.code == one.code => {
                (Change::Distance, "the distance changed with what lies between".to_owned())
            }
            _ => self.plain(pair, one, xlated),
        }
    }

    /// Of two lddw.
    fn address(&self, pair: &Pair, one: Insn, two: Insn) -> (Change, String) {
        let patch = self.program.patches.iter().find(|patch| patch.insn == pair.given.start);
        let map = patch.and_then(Patch::map).and_then(|id| self.plan.map(id));
        let name = map.map_or("", |map| map.name.as_str());
        match (one.src(), patch.map(|patch| patch.kind)) {
            (Insn::BPF_PSEUDO_MAP_FD, _) => (
                Change::Map,
                format!("the descriptor of map `{name}` became its address; shown is its number, {}", two.imm),
            ),
            (Insn::BPF_PSEUDO_MAP_VALUE, _) => (
                Change::Map,
                format!(
                    "the descriptor of map `{name}` became an address in its value; shown is its number, {}",
                    two.imm
                ),
            ),
            (Insn::BPF_PSEUDO_FUNC, _) => {
                (Change::Function, "the distance to a function of the program, counted in what became of it".to_owned())
            }
            (_, Some(PatchKind::Extern(_))) | (Insn::BPF_PSEUDO_BTF_ID, _) => {
                (Change::Extern, "a variable of the kernel's became its address".to_owned())
            }
            _ => (Change::Rewritten, "rewritten by the verifier".to_owned()),
        }
    }

    fn call(&self, pair: &Pair, one: Insn, xlated: &[Insn]) -> (Change, String) {
        if one.is_pseudo_call() {
            let number = xlated.first().map_or(0, |two| two.imm);
            return (
                Change::Function,
                format!("the distance to the function is now in off; imm is the function's number, {number}"),
            );
        }
        if one.src() == Insn::BPF_PSEUDO_KFUNC_CALL {
            let patch = self.program.patches.iter().find(|patch| patch.insn == pair.given.start);
            let name = patch.map_or("a kernel function", |patch| patch.symbol.as_str());
            let text = match xlated {
                [two] if two.code == Insn::CALL && two.imm == one.imm => {
                    format!("{name} is still called by its number")
                }
                [two] if two.code == Insn::CALL => self.called(name, one, *two),
                _ => format!("{name}: {} in place of its call", clauses::count(xlated)),
            };
            return (Change::Kfunc, text);
        }
        let helper = Helper::of(one.imm.into()).map_or_else(|| format!("helper {}", one.imm), Helper::name);
        match xlated {
            [two] if two.code == Insn::CALL => (Change::Helper, self.called(&helper, one, *two)),
            _ => (Change::Inlined, format!("{helper} inlined: {}", clauses::inlined(one.imm, xlated, self.symbols))),
        }
    }

    /// Of a call that stays one.
    fn called(&self, helper: &str, one: Insn, two: Insn) -> String {
        match self.symbols.callee(two.imm) {
            Some(name) if name == helper => format!("number {} became the address of {helper}", one.imm),
            Some(name) => {
                format!("{helper} ({}) became a direct call of {name}, which is what it comes to here", one.imm)
            }
            None if two.imm == 0 => format!("{helper} ({}) became an address, which the kernel hides here", one.imm),
            None => format!("{helper} ({}) became an address, counted from __bpf_call_base", one.imm),
        }
    }

    /// Of any other single instruction.
    fn plain(&self, pair: &Pair, one: Insn, xlated: &[Insn]) -> (Change, String) {
        let others = || xlated.iter().filter(|two| **two != one);
        if is_packet_load(one) {
            return (Change::PacketLoad, clauses::packet_load(one, xlated));
        }
        if is_division(one) && xlated.len() > 1 {
            let guard = "guarded: x / 0 is 0, and x % 0 is x, as the instruction set says; the processor would trap";
            return (Change::Division, guard.to_owned());
        }
        if others().all(|two| is_zero_extension(*two)) {
            return (
                Change::ZeroExtension,
                "the upper half is cleared, which this machine's instruction does not do".to_owned(),
            );
        }
        if others().all(|two| is_nospec(*two)) {
            return (Change::Nospec, "a barrier: the processor is not to speculate past this point".to_owned());
        }
        if xlated.contains(&one) {
            return (Change::Inserted, "the verifier put instructions beside it".to_owned());
        }
        if is_access(one) {
            return self.access(pair, one, xlated);
        }
        if xlated.iter().any(|two| is_kernels_own(*two)) {
            let text = "rewritten with a register of the kernel's own: a constant is hidden (net.core.bpf_jit_harden), or an address kept in bounds";
            return (Change::Blinded, text.to_owned());
        }
        match xlated {
            [two] if is_goto(*two) && two.off == -1 => {
                (Change::Dead, "no path leads here: made a jump to itself".to_owned())
            }
            _ => (Change::Rewritten, "rewritten by the verifier".to_owned()),
        }
    }

    /// Of an access to a view of something of the kernel's.
    fn access(&self, pair: &Pair, one: Insn, xlated: &[Insn]) -> (Change, String) {
        let first = xlated.iter().find(|two| is_access(**two) && clauses::base(**two) == clauses::base(one));
        let field = Field::at(one.off.into());
        let is_context = self.context.binary_search(&pair.given.start).is_ok();
        let Some(first) = first else { return (Change::Context, clauses::a_view()) };
        let Some(field) = field else {
            return (Change::Context, format!("{}, at offset {}", clauses::a_view(), first.off));
        };
        let (wanted, leads_to) = clauses::behind(field.name);
        let member = self.layouts.sk_buff(first.off, wanted);
        if !is_context && member != Some(wanted) {
            return (Change::Context, format!("{}, at offset {}", clauses::a_view(), first.off));
        }
        let name = match field.name.strip_suffix("[]") {
            Some(name) => format!("{name}[{}]", (i64::from(one.off) - field.offset) / 4),
            None => field.name.to_owned(),
        };
        let member = member.map_or_else(String::new, |member| format!("`{member}`, "));
        let place = format!("{member}at offset {} of this kernel's struct sk_buff", first.off);
        let mut text = match leads_to {
            "" => format!("skb->{name} is {place}"),
            other => format!("skb->{name} lies in struct {other}, to which leads what is {place}"),
        };
        if xlated.len() > 1 {
            text += &format!("; {} make of it what the view promises", clauses::count(xlated));
        }
        (Change::Context, text)
    }
}
