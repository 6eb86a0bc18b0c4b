//! Two versions of a program, aligned.

use std::ops::Range;

use super::code::Code;
use super::flow::target;

/// Instructions that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Slots as given; empty for what the verifier put between.
    pub given: Range<usize>,
    /// Slots as xlated; empty for what the verifier cut out.
    pub xlated: Range<usize>,
    /// Of a jump that is no more, or is made unconditional: whether it is always taken.
    pub taken: Option<bool>,
}

/// Two versions of a program, aligned: all slots of both, in order, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    /// The pairs, by ascending slot on both sides.
    pub pairs: Vec<Pair>,
}

impl Alignment {
    /// The jumps of which both versions exist, but lead to instructions that do not belong together: given slots. There are none
    /// unless something was mistaken.
    pub fn contradictions(&self, given: &Code<'_>, xlated: &Code<'_>) -> Vec<usize> {
        let wrong = self.pairs.iter().filter(|pair| {
            let (g, x) = (pair.given.start, pair.xlated.start);
            let (Some(one), Some(two)) = (given.at(g), xlated.at(x)) else { return false };
            if pair.taken == Some(false) || pair.given.is_empty() || pair.xlated.is_empty() {
                return false;
            }
            match (target(g, one), target(x, two)) {
                (Some(g), Some(x)) => self.lands(given, g) != Some(x),
                _ => false,
            }
        });
        wrong.map(|pair| pair.given.start).collect()
    }

    /// The pair of a given slot.
    pub fn pair(&self, slot: usize) -> Option<&Pair> {
        let after = self.pairs.partition_point(|pair| pair.given.end <= slot);
        self.pairs.get(after..)?.iter().find(|pair| pair.given.contains(&slot))
    }

    /// The xlated slot that a jump to a given one leads to: past what is no more.
    fn lands(&self, given: &Code<'_>, mut slot: usize) -> Option<usize> {
        for _ in 0..self.pairs.len() {
            let pair = self.pair(slot)?;
            if !pair.xlated.is_empty() {
                return Some(pair.xlated.start);
            }
            let to = given.at(slot).and_then(|insn| target(slot, insn));
            slot = match (pair.taken, to) {
                (Some(false), _) => pair.given.end,
                (_, Some(to)) => to,
                _ => return None,
            };
        }
        None
    }
}
