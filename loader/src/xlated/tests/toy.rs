//! A verifier that accepts everything: it rewrites programs as the kernel's does, and remembers what became of what.

use crate::btf::ext::LineInfo;
use crate::insn::Insn;
use crate::xlated::Code;
use crate::xlated::flow::{goes_on, is_access, is_branch, is_division, is_goto, target};

/// Numbers that look like chance, and are the same each time.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// A rewritten program, and the truth about it.
pub(super) struct Rewritten {
    pub(super) insns: Vec<Insn>,
    pub(super) line_info: Vec<LineInfo>,
    /// By given slot: where what became of it begins, and how many slots it has; `None` if it was cut out.
    pub(super) became: Vec<Option<(usize, usize)>>,
}

/// One instruction on its way.
struct Unit {
    at: usize,
    becomes: Vec<Insn>,
    /// The given slot that its last instruction jumps to.
    jumps_to: Option<usize>,
    falls: bool,
}

/// Rewrites a program; `wired` branches go one way only.
pub(super) fn rewrite(given: &[Insn], line_info: &[LineInfo], chance: &mut Chance, wired: usize) -> Rewritten {
    let code = Code::new(given, &[]);
    let starts: Vec<_> = code.starts(0..given.len()).collect();
    let mut units: Vec<_> = starts.iter().map(|at| unit(given, *at, code.after(*at), chance)).collect();
    let mut branches: Vec<_> = (0..units.len()).filter(|n| units[*n].falls && units[*n].jumps_to.is_some()).collect();
    for _ in 0..wired.min(branches.len()) {
        let branch = branches.swap_remove(chance.below(branches.len()));
        let unit = &mut units[branch];
        if chance.below(2) == 0 {
            (unit.becomes, unit.jumps_to, unit.falls) = (vec![], None, true);
        } else {
            (unit.becomes, unit.falls) = (vec![Insn { code: 0x05, ..Insn::default() }], false);
        }
    }
    let reached = reached(&units);
    units.retain(|unit| reached.contains(&unit.at));
    without_idle_jumps(&mut units);
    lay_out(given.len(), &units, line_info)
}

fn unit(given: &[Insn], at: usize, after: usize, chance: &mut Chance) -> Unit {
    let insn = given[at];
    let i = |code, regs, off, imm| Insn { code, regs, off, imm };
    let becomes = match insn.code {
        Insn::CALL if insn.is_pseudo_call() => vec![insn],
        Insn::CALL => match chance.below(4) {
            0 => vec![insn.with_imm(300_000), i(0x15, 0, 1, 0), i(0x07, 0, 0, 56)],
            1 => vec![
                i(0x07, 1, 0, 312),
                i(0x61, 0x20, 0, 0),
                i(0x35, 0, 3, 4),
                i(0x67, 0, 0, 3),
                i(0x0f, 0x10, 0, 0),
                i(0x05, 0, 1, 0),
                i(0xb7, 0, 0, 0),
            ],
            2 => vec![i(0xb7, 0, 0, 77), i(0x61, 0x00, 0, 0)],
            _ => vec![insn.with_imm(400_000)],
        },
        _ if is_division(insn) => {
            vec![i(0x55, insn.src(), 2, 0), i(0xac, insn.dst() << 4 | insn.dst(), 0, 0), i(0x05, 0, 1, 0), insn]
        }
        _ if is_access(insn) && insn.code & 7 == 1 => match chance.below(3) {
            0 => vec![Insn { off: insn.off + 112, ..insn }],
            1 => vec![Insn { off: insn.off + 128, code: 0x71, ..insn }, i(0x54, insn.dst(), 0, 7)],
            _ => vec![insn],
        },
        _ if insn.code & 7 == 3 && chance.below(8) == 0 => vec![insn, i(0xc2, 0, 0, 0)],
        _ => given[at..after].to_vec(),
    };
    let jumps_to = target(at, insn).filter(|_| is_goto(insn) || is_branch(insn));
    Unit { at, becomes, jumps_to, falls: goes_on(insn) }
}

fn reached(units: &[Unit]) -> std::collections::BTreeSet<usize> {
    let place = |at: usize| units.iter().position(|unit| unit.at == at);
    let mut reached = std::collections::BTreeSet::new();
    let mut work = vec![0];
    while let Some(n) = work.pop() {
        let Some(unit) = units.get(n).filter(|unit| reached.insert(unit.at)) else { continue };
        work.extend(unit.falls.then_some(n + 1));
        work.extend(unit.jumps_to.and_then(place));
    }
    reached
}

/// Jumps to the next instruction are cut out until there are none.
fn without_idle_jumps(units: &mut [Unit]) {
    loop {
        let next = |n: usize| units[n + 1..].iter().find(|unit| !unit.becomes.is_empty()).map(|unit| unit.at);
        let idle = (0..units.len()).find(|n| {
            let goto = units[*n].becomes.len() == 1 && is_goto(units[*n].becomes[0]);
            goto && units[*n].jumps_to.is_some_and(|to| {
                units.iter().find(|unit| unit.at >= to && !unit.becomes.is_empty()).map(|unit| unit.at) == next(*n)
            })
        });
        let Some(idle) = idle else { return };
        units[idle].becomes.clear();
    }
}

fn lay_out(len: usize, units: &[Unit], line_info: &[LineInfo]) -> Rewritten {
    let mut became = vec![None; len];
    let mut at = 0;
    for unit in units {
        became[unit.at] = (!unit.becomes.is_empty()).then_some((at, unit.becomes.len()));
        at += unit.becomes.len();
    }
    let lands = |to: usize| {
        units
            .iter()
            .find(|unit| unit.at >= to && !unit.becomes.is_empty())
            .map_or(at, |unit| became[unit.at].unwrap().0)
    };
    let mut insns: Vec<Insn> = Vec::new();
    for unit in units {
        insns.extend(&unit.becomes);
        if let (Some(to), Some(last)) = (unit.jumps_to, insns.last_mut().filter(|_| !unit.becomes.is_empty())) {
            let distance = lands(to) as i64 - (became[unit.at].unwrap().0 + unit.becomes.len()) as i64;
            if last.code == 0x06 { last.imm = distance as i32 } else { last.off = distance as i16 }
        }
    }
    let line =
        |line: &LineInfo| became[line.insn_off as usize].map(|(at, _)| LineInfo { insn_off: at as u32, ..*line });
    Rewritten { insns, line_info: line_info.iter().filter_map(line).collect(), became }
}
