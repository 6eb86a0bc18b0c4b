//! Alignments whose truth is known, texts, and what no kernel would say.

use super::*;
use crate::testing::{OBJECTS, plan};

mod texts;
mod toy;

use toy::{Chance, Rewritten, rewrite};

/// A line for each instruction.
fn lines(insns: &[Insn]) -> Vec<LineInfo> {
    let starts: Vec<_> = Code::new(insns, &[]).starts(0..insns.len()).collect();
    let record =
        |at: &usize| LineInfo { insn_off: *at as u32, file_name_off: 1, line_off: 1, line_col: (*at as u32 + 1) << 10 };
    starts.iter().map(record).collect()
}

/// Every slot of both sides is in one pair, in order.
fn assert_whole(alignment: &Alignment, given: usize, xlated: usize) {
    let (mut g, mut x) = (0, 0);
    for pair in &alignment.pairs {
        assert_eq!((pair.given.start, pair.xlated.start), (g, x), "{pair:?}");
        assert!(!pair.given.is_empty() || !pair.xlated.is_empty());
        (g, x) = (pair.given.end, pair.xlated.end);
    }
    assert_eq!((g, x), (given, xlated));
}

/// Where the alignment is not the truth: given slots.
fn mistakes(alignment: &Alignment, given: &[Insn], truth: &Rewritten) -> Vec<usize> {
    let is_wrong = |at: &usize| {
        let pair = alignment.pair(*at).unwrap();
        let found = (!pair.xlated.is_empty()).then_some((pair.xlated.start, pair.xlated.len()));
        found != truth.became[*at] || pair.given.start != *at
    };
    Code::new(given, &[]).starts(0..given.len()).filter(is_wrong).collect()
}

fn programs() -> Vec<(String, Vec<Insn>)> {
    let mut all = Vec::new();
    for (name, bytes) in OBJECTS {
        for load in plan(bytes).unwrap().prog_loads() {
            all.push((format!("{name}/{}", load.name), load.resolve(|_| 3)));
        }
    }
    all
}

#[test]
fn what_a_verifier_made_of_each_instruction_is_found_by_lines_and_paths() {
    let mut compared = 0;
    for (name, given) in programs() {
        for seed in 1..400 {
            let mut chance = Chance(seed * 0x9e37_79b9);
            let line_info = lines(&given);
            let truth = rewrite(&given, &line_info, &mut chance, seed as usize % 4);
            let (one, two) = (Code::new(&given, &line_info), Code::new(&truth.insns, &truth.line_info));
            let alignment = align(&one, &two);
            assert_whole(&alignment, given.len(), truth.insns.len());
            assert_eq!(mistakes(&alignment, &given, &truth), [0; 0], "{name}, seed {seed}");
            assert_eq!(alignment.contradictions(&one, &two), [0; 0], "{name}, seed {seed}");
            compared += 1;
        }
    }
    assert!(compared > 1500);
}

#[test]
fn without_lines_nearly_all_is_found() {
    let (mut all, mut wrong, mut contradictions) = (0, 0, 0);
    for (_, given) in programs() {
        for seed in 1..400 {
            let truth = rewrite(&given, &[], &mut Chance(seed * 0x9e37_79b9), seed as usize % 4);
            let (one, two) = (Code::new(&given, &[]), Code::new(&truth.insns, &[]));
            let alignment = align(&one, &two);
            assert_whole(&alignment, given.len(), truth.insns.len());
            all += given.len();
            wrong += mistakes(&alignment, &given, &truth).len();
            contradictions += alignment.contradictions(&one, &two).len();
        }
    }
    assert!(wrong * 1000 < all, "{wrong} of {all}, {contradictions}");
}

#[test]
fn records_are_as_long_as_the_kernel_says() {
    let words: Vec<u8> = (1..=12_u32).flat_map(u32::to_le_bytes).collect();
    let offsets = |size| func_records(&words, size).iter().map(|record| record.insn_off).collect::<Vec<_>>();
    assert_eq!((offsets(8), offsets(12), offsets(20)), (vec![1, 3, 5, 7, 9, 11], vec![1, 4, 7, 10], vec![1, 6]));
    // Too short for what is known of them, or longer than all of it: none.
    assert_eq!((offsets(0), offsets(4), offsets(usize::MAX)), (vec![], vec![], vec![]));
    assert_eq!(line_records(&words, 16).iter().map(|record| record.line_col).collect::<Vec<_>>(), [4, 8, 12]);
    assert_eq!((line_records(&words, 15), line_records(&[], 16)), (vec![], vec![]));
}

#[test]
fn any_two_programs_are_aligned_without_an_end_in_sight_or_a_panic() {
    let mut chance = Chance(7);
    let codes = [0x05, 0x06, 0x15, 0x18, 0x1d, 0x3f, 0x61, 0x63, 0x7b, 0x85, 0x95, 0xb7, 0xbf, 0xc2, 0xe5, 0xff];
    let mut random = |len: usize| {
        let insn = |_| Insn {
            code: codes[chance.below(codes.len())],
            regs: chance.below(256) as u8,
            off: chance.below(9) as i16 - 4,
            imm: [0, 1, -1, i32::MAX, i32::MIN][chance.below(5)],
        };
        (0..len).map(insn).collect::<Vec<_>>()
    };
    for len in 0..300 {
        let (given, xlated) = (random(len), random(300 - len));
        let line_info = lines(&given);
        let (one, two) = (Code::new(&given, &line_info), Code::new(&xlated, &line_info));
        let alignment = align(&one, &two);
        assert_whole(&alignment, given.len(), xlated.len());
        alignment.contradictions(&one, &two);
    }
}

#[test]
fn a_program_of_a_hundred_thousand_instructions_is_aligned() {
    let (_, pattern) = programs().swap_remove(0);
    let body = &pattern[..pattern.len() - 1];
    let mut given: Vec<_> = body.iter().copied().cycle().take(body.len() * 2000).collect();
    given.push(Insn { code: Insn::EXIT, ..Insn::default() });
    assert!(given.len() > 99_000);
    let xlated = given.iter().map(|insn| match insn.code {
        Insn::CALL => insn.with_imm(10_000_000),
        _ => *insn,
    });
    let xlated: Vec<_> = xlated.collect();
    let (one, two) = (Code::new(&given, &[]), Code::new(&xlated, &[]));
    let alignment = align(&one, &two);
    assert!(alignment.pairs.iter().all(|pair| pair.given == pair.xlated));
    assert_eq!(alignment.contradictions(&one, &two), [0; 0]);
}
