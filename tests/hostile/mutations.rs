//! Ten thousand objects, each with a few numbers changed that others depend on.

use minibpf::elf::Object;
use minibpf::link::Options;
use minibpf::plan::{Fate, Plan};
use minibpf::spec::Spec;
use minibpf::target::Target;

use crate::committed::objects;
use crate::fields::{self, Field};
use crate::measured::bounded;
use crate::numbers::Numbers;
use crate::targets::{self, claims};

const MUTANTS: usize = 10_000;

/// The numbers that break unchecked sums, products and sizes; of those with more bytes than the field the lower ones count.
const EVIL: [u64; 16] = [
    0,
    1,
    7,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff8,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_fff8,
    u64::MAX,
];

/// What was changed, and the file.
pub(crate) struct Mutant {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// So many mutants of the committed objects, the same each time.
pub(crate) fn all(count: usize, seed: u64) -> impl Iterator<Item = Mutant> {
    let known: Vec<_> = objects().iter().map(|(name, bytes)| (name, bytes, fields::of(bytes))).collect();
    let mut numbers = Numbers::new(seed);
    (0..count).map(move |number| {
        let (name, bytes, groups) = numbers.one_of(&known);
        let mut mutant = Mutant { name: format!("mutant {number}: {name}"), bytes: (*bytes).clone() };
        for _ in 0..=numbers.below(3) {
            let group = numbers.one_of(groups);
            change(&mut mutant, *numbers.one_of(group), &mut numbers);
        }
        mutant
    })
}

/// An evil number, one near the old one, one in the range of indices, or any.
fn change(mutant: &mut Mutant, Field { at, width }: Field, numbers: &mut Numbers) {
    let mut old = [0; 8];
    old[..width].copy_from_slice(&mutant.bytes[at..at + width]);
    let new = match numbers.below(4) {
        0 => *numbers.one_of(&EVIL),
        1 => u64::from_le_bytes(old).wrapping_add(numbers.below(17) as u64).wrapping_sub(8),
        2 => numbers.below(64) as u64,
        _ => numbers.next(),
    };
    mutant.bytes[at..at + width].copy_from_slice(&new.to_le_bytes()[..width]);
    mutant.name += &format!(", byte {at:#x} = {new:#x}");
}

#[test]
fn ten_thousand_mutants_are_planned_or_refused_by_a_place_within_bounds() {
    let mut refused = 0;
    for Mutant { name, bytes } in all(MUTANTS, 0x6d75_7461_7465_6421) {
        bounded(&name, || {
            if let Err(message) = planned(&bytes) {
                refused += 1;
                assert!(is_placed(&message), "{name}: no place in: {message}");
                claims::names_a_place(&message);
            }
        });
    }
    // Neither is every mutant nonsense from the start, nor is every one harmless.
    assert!((1_000..9_000).contains(&refused), "{refused} were refused");
}

#[test]
fn of_a_thousand_mutants_everything_is_explained_within_bounds() {
    let [explain, report] = ["explain", "report"].map(|name| targets::named(name).unwrap());
    for Mutant { name, bytes } in all(MUTANTS / 10, 0x6578_706c_6169_6e65) {
        bounded(&name, || (explain.run)(&bytes));
        bounded(&name, || (report.run)(&bytes));
    }
}

/// Plans each program; the first thing that is wrong.
fn planned(bytes: &[u8]) -> Result<(), String> {
    let twin = Object::twin(bytes).map_err(|error| error.to_string())?;
    let object = twin.as_deref().map_or_else(|| Object::parse(bytes), Object::parse_twin);
    let object = object.map_err(|error| error.to_string())?;
    let spec = Spec::read(&object);
    let target = Target { page_size: Some(4096), possible_cpus: Some(4), ..Target::none() };
    let plan = Plan::new(&spec, &Options::default(), &target).map_err(|error| error.to_string())?;
    for program in plan.prog_loads() {
        program.tags();
    }
    for program in &plan.programs {
        if let Fate::Unlinkable(error) = &program.fate {
            return Err(error.to_string());
        }
    }
    spec.unreadable.as_ref().map_or(Ok(()), |error| Err(error.to_string()))
}

/// Whether a message says where: a part of the header, a table, a section, a symbol, a record, a type, a program with its instruction.
pub(crate) fn is_placed(message: &str) -> bool {
    const PLACES: [&str; 11] = [
        "ELF header",
        "section header table",
        "section [",
        "symbol table",
        "symbol ",
        "relocation section [",
        ".BTF",
        "program `",
        "not an ELF file: it starts with",
        "not a BPF object: ",
        "no socket filter in this object: its code is in",
    ];
    PLACES.iter().any(|place| message.contains(place))
}
