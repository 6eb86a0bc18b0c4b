//! What was found to have become of each instruction, in order on both sides.

/// What became of a given instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Became {
    /// The first slot.
    pub(super) at: usize,
    /// Slots; 0 if it was cut out, though paths led through it.
    pub(super) slots: usize,
    /// See [`super::Pair::taken`].
    pub(super) taken: Option<bool>,
}

/// The most of what was found that is in order on both sides: all of it, unless something was mistaken.
pub(super) fn in_order(became: &[Option<Became>]) -> Vec<(usize, Became)> {
    let all: Vec<(usize, Became)> =
        became.iter().enumerate().filter_map(|(at, became)| Some((at, (*became)?))).collect();
    let mut end = 0;
    let mut ordered = true;
    for (_, became) in &all {
        ordered &= end <= became.at;
        end = became.at + became.slots;
    }
    if ordered { all } else { longest_ascending(&all) }
}

/// The longest subsequence that ascends, found by patience sorting; then without overlaps.
fn longest_ascending(all: &[(usize, Became)]) -> Vec<(usize, Became)> {
    let place = |n: usize| all.get(n).map_or(0, |(_, became)| became.at);
    let mut tops: Vec<usize> = Vec::new();
    let mut before = vec![None; all.len()];
    for n in 0..all.len() {
        let pile = tops.partition_point(|top| place(*top) <= place(n));
        if let Some(before) = before.get_mut(n) {
            *before = pile.checked_sub(1).and_then(|pile| tops.get(pile).copied());
        }
        match tops.get_mut(pile) {
            Some(top) => *top = n,
            None => tops.push(n),
        }
    }
    let mut chain = Vec::new();
    let mut next = tops.last().copied();
    while let Some(n) = next {
        chain.extend(all.get(n).copied());
        next = before.get(n).copied().flatten();
    }
    chain.reverse();
    let mut end = 0;
    chain.retain(|(_, became)| {
        let fits = end <= became.at;
        if fits {
            end = became.at + became.slots;
        }
        fits
    });
    chain
}
