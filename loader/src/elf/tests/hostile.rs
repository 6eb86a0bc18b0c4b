//! Broken files: whatever the bytes, reading, linking, planning and explaining end with a value or an error, never a panic.

use crate::elf::Object;
use crate::explain::facts::{Facts, Readings, Stage};
use crate::explain::page::{Look, page};
use crate::link::Options;
use crate::lint::Limits;
use crate::plan::Plan;
use crate::spec::Spec;
use crate::target::Target;
use crate::testing::{EXIT, Elf, OBJECTS};

/// Mutants per object; the whole takes seconds.
const MUTANTS: usize = 3_000;

/// Globals of the committed objects, each of which is set once.
const GLOBALS: [&str; 3] = ["longer_than", "smallest_packet", "total_bytes"];

/// The pure half of a load, and all that can be asked of its plan.
fn read_link_and_plan(bytes: &[u8]) -> Result<(), String> {
    let twin = Object::twin(bytes).map_err(|e| e.to_string())?;
    let object = twin.as_deref().map_or_else(|| Object::parse(bytes), Object::parse_twin).map_err(|e| e.to_string())?;
    let spec = Spec::read(&object);
    let choices = std::iter::once(vec![]).chain(GLOBALS.map(|name| vec![(name.to_owned(), "1".to_owned())]));
    for set in choices {
        let options = Options { set, ..Options::default() };
        let Ok(plan) =
            Plan::new(&spec, &options, &Target { page_size: Some(4096), possible_cpus: Some(4), ..Target::none() })
        else {
            continue;
        };
        for program in plan.prog_loads() {
            program.tags();
            crate::insn::disassemble(&program.resolve(|map| map.0 as i32));
        }
    }
    Ok(())
}

/// Everything that `explain` says, as text and as JSON.
fn explain(bytes: &[u8]) {
    let Ok(object) = Object::parse(bytes) else { return };
    let spec = &Spec::read(&object);
    let plan = &Plan::new(spec, &Options::default(), &Target::none()).ok();
    let plan = plan.as_ref();
    let facts = Facts::of(&Readings { bytes, spec, plan, extra_section: Some(".text"), limits: Limits::default() });
    facts.json(Stage::Plan, true);
    page(&facts, Stage::Plan, &Look { width: Some(60), lessons: true, full: true, bytes: true });
}

/// xorshift64: the same numbers on every run, so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn every_truncation_of_every_object_is_read_or_refused() {
    for (_, bytes) in OBJECTS {
        for len in 0..bytes.len() {
            let _ = read_link_and_plan(&bytes[..len]);
        }
    }
}

#[test]
fn no_changed_byte_makes_the_loader_panic() {
    let mut numbers = Numbers(0x6d69_6e69_6270_6621);
    for (_, bytes) in OBJECTS {
        for _ in 0..MUTANTS {
            let mut mutant = bytes.to_vec();
            let at = numbers.below(mutant.len());
            mutant[at] = numbers.below(256) as u8;
            let _ = read_link_and_plan(&mutant);
        }
    }
}

#[test]
fn no_changed_word_of_tables_and_types_makes_the_loader_panic() {
    // The values that break unchecked sums and sizes.
    let evil = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fff8_u32];
    let mut numbers = Numbers(0x6865_7265_2062_6521);
    for (_, bytes) in OBJECTS {
        for _ in 0..MUTANTS {
            let mut mutant = bytes.to_vec();
            let at = numbers.below(mutant.len() / 4 - 1) * 4;
            mutant[at..at + 4].copy_from_slice(&evil[numbers.below(evil.len())].to_le_bytes());
            let _ = read_link_and_plan(&mutant);
        }
    }
}

#[test]
fn no_changed_word_makes_explain_panic() {
    let mut numbers = Numbers(0x6578_706c_6169_6e21);
    for (_, bytes) in OBJECTS {
        for _ in 0..MUTANTS / 10 {
            let mut mutant = bytes.to_vec();
            let at = numbers.below(mutant.len() / 4 - 1) * 4;
            // A number in range of what it counts, or far beyond.
            let limit = [64, 0x1_0000, 0x1_0000_0000][numbers.below(3)];
            let word = numbers.below(limit) as u32;
            mutant[at..at + 4].copy_from_slice(&word.to_le_bytes());
            explain(&mutant);
        }
    }
}

#[test]
fn every_word_of_the_types_may_be_the_largest_number() {
    for (name, bytes) in OBJECTS {
        let object = Object::parse(bytes).unwrap();
        for section in [".BTF", ".BTF.ext"] {
            let section = object.section_named(section).unwrap_or_else(|| panic!("{name} has types"));
            for at in (0..section.data.len() / 4).map(|word| section.file_offset as usize + word * 4) {
                let mut mutant = bytes.to_vec();
                mutant[at..at + 4].copy_from_slice(&[0xff; 4]);
                let _ = read_link_and_plan(&mutant);
            }
        }
    }
}

#[test]
fn no_changed_byte_of_a_big_endian_object_makes_the_loader_panic() {
    let mut elf =
        Elf(object::write::Object::new(object::BinaryFormat::Elf, object::Architecture::Bpf, object::Endianness::Big));
    elf.program("socket", "filter", EXIT);
    elf.data(".maps", &[0; 64]);
    elf.data("maps", &[0; 20]);
    elf.data(".BTF", &[0xeb, 0x9f, 1, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0, 1]);
    elf.data(".BTF.ext", &[0xeb, 0x9f, 1, 0, 0, 0, 0, 24]);
    let bytes = elf.build();
    assert_eq!(read_link_and_plan(&bytes), Ok(()));
    let mut numbers = Numbers(0x6269_6765_6e64_6921);
    for _ in 0..MUTANTS {
        let mut mutant = bytes.clone();
        for _ in 0..=numbers.below(3) {
            let at = 16 + numbers.below(mutant.len() - 16);
            mutant[at] = numbers.below(256) as u8;
        }
        let _ = read_link_and_plan(&mutant);
    }
}
