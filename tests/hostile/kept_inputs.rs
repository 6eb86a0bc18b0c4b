//! The inputs that the fuzzers found worth keeping, and mutants of them, through the fuzzers' own targets: `scripts/fuzz --check`.

use std::fs::File;
use std::io::Read;

use crate::committed::{objects, root};
use crate::measured::{LONGEST, measured};
use crate::numbers::Numbers;
use crate::targets::{self, Target};

/// Mutants of each target. `scripts/fuzz --check` asks for more.
const MUTANTS: usize = 200;

/// The kept inputs of a target: each after its length in four bytes.
fn kept(target: &Target) -> Vec<Vec<u8>> {
    let path = root().join(format!("tests/fuzz/corpus/{}.gz", target.name));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut packed = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut packed).unwrap();
    let mut inputs = Vec::new();
    let mut rest = packed.as_slice();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (input, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        inputs.push(input.to_vec());
        rest = after;
    }
    assert!(!inputs.is_empty(), "{} is empty", path.display());
    if target.takes_objects {
        inputs.extend(objects().iter().map(|(_, bytes)| bytes.clone()));
    }
    inputs
}

#[test]
fn every_target_stands_its_kept_inputs_and_mutants_of_them() {
    let mutants = std::env::var("MINIBPF_FUZZ_MUTANTS").map_or(MUTANTS, |count| count.parse().unwrap());
    for target in targets::ALL {
        let inputs = kept(&target);
        for input in &inputs {
            run(&target, input);
        }
        let mut numbers = Numbers::new(0x6b65_7074_2069_6e21);
        for _ in 0..mutants {
            run(&target, &mutant(&inputs, &mut numbers));
        }
    }
}

fn run(target: &Target, input: &[u8]) {
    let ((), cost) = measured(|| targets::bounded(*target, input));
    assert!(cost.time <= LONGEST, "{}: {} bytes took {:?}", target.name, input.len(), cost.time);
}

/// An input with a few bytes changed, cut out or put in from another.
fn mutant(inputs: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut mutant = numbers.one_of(inputs).clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(mutant.len() + 1);
        match numbers.below(4) {
            0 => mutant.truncate(at),
            1 => {
                let other = numbers.one_of(inputs);
                let from = numbers.below(other.len() + 1);
                let end = from + numbers.below(other.len() - from + 1).min(64);
                mutant.splice(at..at, other[from..end].iter().copied());
            }
            _ => {
                let bytes = numbers.next().to_le_bytes();
                for (to, byte) in mutant[at..].iter_mut().zip(&bytes[..=numbers.below(4)]) {
                    *to = *byte;
                }
            }
        }
    }
    mutant
}

#[test]
fn the_fuzzers_know_the_same_targets_as_these_tests() {
    let script = std::fs::read_to_string(root().join("scripts/fuzz")).unwrap();
    let record = std::fs::read_to_string(root().join("tests/fuzz/executions.tsv")).unwrap();
    let recorded: Vec<_> = record.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    let names: Vec<_> = targets::ALL.iter().map(|target| target.name).collect();
    assert_eq!(names, recorded);
    for target in targets::ALL {
        assert!(script.contains(&format!("    \"{}\": (", target.name)), "scripts/fuzz does not know {}", target.name);
        let bin = root().join(format!("tests/fuzz/bins/{}.rs", target.name));
        let text = std::fs::read_to_string(&bin).unwrap();
        assert!(text.contains(&format!("run(\"{}\"", target.name)), "{}", bin.display());
    }
}
