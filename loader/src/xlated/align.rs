//! Which instruction became which.
//!
//! The verifier patches a program in place: it replaces one instruction by several, puts some between, cuts some out, and corrects
//! every jump over the place; it never changes the order. So the two are walked side by side along the paths that the program
//! can take: from each entry on, and from each jump that is the same in both to where it leads in both. Where the two differ, the
//! instruction's stretch ends where what follows agrees again, in instructions and in source lines, and where every jump inside the stretch
//! stays inside. What no path reaches is what was cut out. Each slot is looked at once, so the time is that of the program's size.
//!
//! Kernel: `bpf_patch_insn_data()`, `verifier_remove_insns()`, `opt_hard_wire_dead_code_branches()`, `kernel/bpf/verifier.c`.

use std::ops::Range;

use super::alignment::{Alignment, Pair};
use super::code::Code;
use super::flow::{
    alike, callee, goes_on, is_access, is_branch, is_goto, is_kernels_own, is_nospec, is_zero_extension, may_become,
    target, xlated_callee,
};
use super::order::{Became, in_order};
use crate::insn::Insn;

/// The longest stretch that one instruction is taken to have become. The longest that the kernel makes has about thirty.
const LONGEST: usize = 64;
/// Branches that may have been cut out of what is compared.
const CUT_OUT: usize = 5;
/// Instructions that are compared to see whether two places agree.
const COMPARED: usize = 16;
/// The same on all ways that branches may have left.
const MOST_COMPARED: usize = 200;

/// Aligns a program as it was given to `BPF_PROG_LOAD` with what the kernel stores of it.
pub fn align(given: &Code<'_>, xlated: &Code<'_>) -> Alignment {
    let mut walk = Walk { given, xlated, became: vec![None; given.len()], work: vec![(0, 0)] };
    while let Some((g, x)) = walk.work.pop() {
        walk.follow(g, x);
    }
    let became = in_order(&walk.became);
    Alignment { pairs: walk.pairs(&became) }
}

struct Walk<'a> {
    given: &'a Code<'a>,
    xlated: &'a Code<'a>,
    /// By given slot.
    became: Vec<Option<Became>>,
    /// Places that are reached by jumps and calls.
    work: Vec<(usize, usize)>,
}

impl Walk<'_> {
    /// Follows both from a place on until the path ends, or leads to where another has been.
    fn follow(&mut self, mut g: usize, mut x: usize) {
        while let (Some(insn), Some(None)) = (self.given.at(g), self.became.get(g)) {
            let Some(became) = self.step(g, x) else { return };
            if let Some(place) = self.became.get_mut(g) {
                *place = Some(became);
            }
            let kept = became.slots > 0;
            if kept {
                self.branch_off(g, x, became);
            }
            (g, x) = match (became.taken, target(g, insn)) {
                (Some(true), Some(g)) if kept => match self.xlated.at(x).and_then(|insn| target(x, insn)) {
                    Some(x) => (g, x),
                    None => return,
                },
                (Some(true), Some(g)) => (g, x),
                _ if goes_on(insn) => (self.given.after(g), x + became.slots),
                _ => return,
            };
        }
    }

    /// Where else the paths lead from here.
    fn branch_off(&mut self, g: usize, x: usize, became: Became) {
        let Some(insn) = self.given.at(g) else { return };
        let same = (x..x + became.slots).find(|x| alike(self.given, g, self.xlated, *x));
        let jump = (x..x + became.slots).rev().find(|x| self.leaves(*x, x + became.slots));
        let Some((at, other)) = same.or(jump).and_then(|at| Some((at, self.xlated.at(at)?))) else { return };
        if became.taken.is_none()
            && let (Some(g), Some(x)) = (target(g, insn), target(at, other))
        {
            self.work.push((g, x));
        }
        if let Some(callee) = callee(g, insn) {
            let distance = callee as i64 - (g as i64 + 1);
            self.work.extend(xlated_callee(at, other, distance).map(|x| (callee, x)));
        }
    }

    fn leaves(&self, x: usize, end: usize) -> bool {
        self.xlated.at(x).is_some_and(|insn| target(x, insn).is_some_and(|target| target > end))
    }

    /// What became of the instruction at `g`, if the kernel's version of it begins at `x`.
    fn step(&self, g: usize, x: usize) -> Option<Became> {
        let (one, two) = (self.given.at(g)?, self.xlated.at(x)?);
        let becomes = |slots| Some(Became { at: x, slots, taken: None });
        if is_goto(one) {
            return Some(self.goto(g, x));
        }
        let is_same = alike(self.given, g, self.xlated, x);
        if !is_same && is_branch(one) && !is_nospec(two) && !is_kernels_own(two) {
            return self.hard_wired(g, x);
        }
        if is_same && (one.code != Insn::CALL || one.is_pseudo_call()) {
            let after = self.xlated.after(x);
            let extends = self.xlated.at(after).is_some_and(|insn| is_zero_extension(insn) || is_nospec(insn));
            let given_too = alike(self.given, self.given.after(g), self.xlated, after);
            return becomes(after - x + usize::from(extends && !given_too && goes_on(one)));
        }
        if !goes_on(one) {
            return self.ends_with(g, x).and_then(becomes);
        }
        self.stretch(g, x).and_then(becomes)
    }

    /// Of an instruction that nothing follows: the stretch that ends with it.
    fn ends_with(&self, g: usize, x: usize) -> Option<usize> {
        (1..=LONGEST).find(|slots| alike(self.given, g, self.xlated, x + slots - 1))
    }

    /// A jump stays, or is cut out where it led to the next instruction.
    fn goto(&self, g: usize, x: usize) -> Became {
        let to = self.given.at(g).and_then(|insn| target(g, insn)).unwrap_or(usize::MAX);
        let kept = self.xlated.at(x).filter(|insn| is_goto(*insn)).and_then(|insn| target(x, insn));
        match kept {
            Some(kept) if self.agree(to, kept) >= self.agree(to, x) => Became { at: x, slots: 1, taken: None },
            _ => Became { at: x, slots: 0, taken: Some(true) },
        }
    }

    /// A branch that goes one way only has become a jump, or nothing.
    fn hard_wired(&self, g: usize, x: usize) -> Option<Became> {
        let to = target(g, self.given.at(g)?)?;
        let jumps = self.xlated.at(x).filter(|insn| is_goto(*insn)).and_then(|insn| target(x, insn));
        let ways = [
            (jumps.map(|jumps| self.agree(to, jumps)), 1, true),
            (Some(self.agree(self.given.after(g), x)), 0, false),
            (Some(self.agree(to, x)), 0, true),
        ];
        let best = ways.iter().filter_map(|(score, ..)| *score).max().filter(|best| *best >= ENOUGH)?;
        let (_, slots, taken) = ways.iter().find(|(score, ..)| *score == Some(best))?;
        Some(Became { at: x, slots: *slots, taken: Some(*taken) })
    }

    /// How many slots the instruction has become: after them both sides agree best; of equals the fewest.
    fn stretch(&self, g: usize, x: usize) -> Option<usize> {
        let next = self.given.after(g);
        let mut best: Option<(i32, usize)> = None;
        let mut end = x;
        let mut reached = x;
        while end < self.xlated.len() && end - x < LONGEST {
            if end > x && self.xlated.line(end) != 0 {
                // Here another line begins: what the verifier makes of one instruction has none inside.
                break;
            }
            let insn = self.xlated.at(end)?;
            // What leaves the stretch for good is the program's own jump, written anew.
            if !is_kernels_own(insn)
                && let Some(to) = target(end, insn)
            {
                reached = reached.max(to);
            }
            end = self.xlated.after(end);
            if reached > end {
                continue;
            }
            let score = self.agree(next, end);
            if best.is_none_or(|(other, _)| score > other) {
                best = Some((score, end - x));
            }
        }
        let plausible = alike(self.given, g, self.xlated, x) || may_become(self.given.at(g)?, self.xlated.at(x)?);
        best.filter(|(score, _)| *score >= ENOUGH || plausible).map(|(_, slots)| slots)
    }

    /// How well the two agree from these places on.
    fn agree(&self, g: usize, x: usize) -> i32 {
        self.agree_but_for(g, x, CUT_OUT, &mut 0)
    }

    /// The same, where up to so many branches may have been cut out.
    fn agree_but_for(&self, mut g: usize, mut x: usize, branches: usize, looked_at: &mut usize) -> i32 {
        let mut score = 0;
        // Up to a call that stayed one; more may have come after it.
        let mut sure = None;
        for _ in 0..COMPARED {
            let (one, two) = match (self.given.at(g), self.xlated.at(x)) {
                (Some(one), Some(two)) => (one, two),
                (None, None) => return score + 2,
                _ => return sure.unwrap_or(score + DIFFERENT),
            };
            *looked_at += 1;
            if (is_nospec(two) || is_zero_extension(two)) && one != two {
                x += 1;
                continue;
            }
            score += self.lines_agree(g, x);
            if !alike(self.given, g, self.xlated, x) {
                let rest = match branches.checked_sub(1).filter(|_| *looked_at < MOST_COMPARED) {
                    Some(branches) if is_access(one) && may_become(one, two) => self.past(g, x, branches, looked_at),
                    _ if may_become(one, two) => 1,
                    Some(branches) if is_branch(one) || is_goto(one) => self.without(g, x, branches, looked_at),
                    _ => DIFFERENT,
                };
                return if rest < ENOUGH { sure.unwrap_or(score + DIFFERENT) } else { score + rest };
            }
            score += 2;
            if is_goto(one) {
                let (Some(to), Some(jumps)) = (target(g, one), target(x, two)) else { return score + DIFFERENT };
                (g, x) = (to, jumps);
                continue;
            }
            if !goes_on(one) {
                return score + 1;
            }
            if one.code == Insn::CALL && !one.is_pseudo_call() {
                sure = Some(score);
            }
            (g, x) = (self.given.after(g), self.xlated.after(x));
        }
        score
    }

    /// How well they agree after an access that has become up to four instructions.
    fn past(&self, g: usize, x: usize, branches: usize, looked_at: &mut usize) -> i32 {
        let next = self.given.after(g);
        let best = (1..=4).map(|slots| self.agree_but_for(next, x + slots, branches, looked_at)).max();
        best.filter(|best| *best >= ENOUGH).map_or(1 - RARE, |best| best + 1)
    }

    /// How well they agree if the jump at `g` was cut out, or made a plain one.
    fn without(&self, g: usize, x: usize, branches: usize, looked_at: &mut usize) -> i32 {
        let [to, jumps] = [(self.given.at(g), g), (self.xlated.at(x).filter(|insn| is_goto(*insn)), x)]
            .map(|(insn, at)| insn.and_then(|insn| target(at, insn)));
        let falls = self.given.at(g).filter(|insn| goes_on(*insn)).map(|_| self.given.after(g));
        let ways = [falls.zip(Some(x)), to.zip(Some(x)), to.zip(jumps)];
        let best = ways.into_iter().flatten().map(|(g, x)| self.agree_but_for(g, x, branches, looked_at)).max();
        best.map_or(DIFFERENT, |best| best - RARE)
    }

    fn lines_agree(&self, g: usize, x: usize) -> i32 {
        if !self.given.has_lines() || !self.xlated.has_lines() {
            return 0;
        }
        match (self.given.line(g), self.xlated.line(x)) {
            (0, 0) => 0,
            (one, two) if one == two => 2,
            _ => -6,
        }
    }

    /// The pairs: what was followed, and between it what was not.
    fn pairs(&self, became: &[(usize, Became)]) -> Vec<Pair> {
        let mut pairs = Vec::with_capacity(self.given.len());
        let (mut g, mut x) = (0, 0);
        for (at, became) in became {
            self.between(g..*at, x..became.at, &mut pairs);
            (g, x) = (self.given.after(*at), became.at + became.slots);
            pairs.push(Pair { given: *at..g, xlated: became.at..x, taken: became.taken });
        }
        self.between(g..self.given.len(), x..self.xlated.len(), &mut pairs);
        pairs
    }

    /// What no path reaches was cut out, or has another instruction in its place; what has no given one was put between.
    fn between(&self, given: Range<usize>, xlated: Range<usize>, pairs: &mut Vec<Pair>) {
        let one_by_one = given.len() == xlated.len();
        if xlated.is_empty() || one_by_one {
            for at in self.given.starts(given.clone()) {
                let end = self.given.after(at).min(given.end);
                let place = xlated.start + if one_by_one { at - given.start } else { 0 };
                let xlated = place..if one_by_one { place + (end - at) } else { place };
                pairs.push(Pair { given: at..end, xlated, taken: None });
            }
        } else {
            pairs.push(Pair { given, xlated, taken: None });
        }
    }
}

/// That a branch was cut out is less likely than that some instructions agree.
const RARE: i32 = 8;
/// Worse than any number of agreements.
const DIFFERENT: i32 = -200;
/// At least four instructions agree, whatever comes after them.
const ENOUGH: i32 = DIFFERENT + 8;
