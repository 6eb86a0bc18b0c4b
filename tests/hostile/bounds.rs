//! Sizes, counts and depths that nobody means: each is refused by name, or read in no more time and memory than its file justifies.

use minibpf::btf::Btf;
use minibpf::btf::ext::BtfExt;
use minibpf::btf::layout::Layout;
use minibpf::elf::Object;
use minibpf::link::Options;
use minibpf::plan::{Fate, Plan};
use minibpf::spec::Spec;
use minibpf::target::{Target, TargetBtf};

use crate::elf::{CODE, DATA, EXIT, File, NOBITS, REL, Section};
use crate::measured::bounded;
use crate::targets;

/// Why an object cannot be read.
fn refusal(file: &[u8]) -> String {
    bounded("the reading", || Object::parse(file).map(drop).unwrap_err().to_string())
}

/// Its plan, or why there is none for its first program.
fn planned(file: &[u8]) -> Result<usize, String> {
    bounded("the plan", || {
        let object = Object::parse(file).map_err(|error| error.to_string())?;
        let spec = Spec::read(&object);
        let target = Target { page_size: Some(4096), possible_cpus: Some(4), ..Target::none() };
        let plan = Plan::new(&spec, &Options::default(), &target).map_err(|error| error.to_string())?;
        let error = plan.programs.iter().find_map(|program| match &program.fate {
            Fate::Unlinkable(error) => Some(error.to_string()),
            _ => None,
        });
        error.map_or(Ok(plan.steps.len()), Err)
    })
}

#[test]
fn a_section_of_four_gibibytes_lies_outside_the_file() {
    let mut file = File::with_filter();
    let name = file.name(".data");
    file.add(Section { name, kind: 1, flags: DATA, place: Some((64, 4 << 30)), ..Section::default() });
    let error = refusal(&file.build());
    assert!(error.starts_with("section [4] `.data`: 4294967296 bytes at 0x40 lie outside the file of "), "{error}");
}

#[test]
fn a_section_without_bytes_may_say_any_size() {
    for size in [4 << 30, u64::MAX] {
        let mut file = File::with_filter();
        let name = file.name(".bss");
        file.add(Section { name, kind: NOBITS, flags: DATA, place: Some((64, size)), ..Section::default() });
        let bytes = file.build();
        for target in ["object", "link", "explain", "report"] {
            bounded(target, || (targets::named(target).unwrap().run)(&bytes));
        }
    }
}

#[test]
fn sections_that_share_their_bytes_are_refused_before_they_are_multiplied() {
    for is_big in [false, true] {
        let mut file = File { is_big, ..File::new() };
        let code = file.section("socket", CODE, &EXIT);
        file.function("filter", code, 0, 16);
        let records = file.section("records", 0, &vec![0; 1 << 20]);
        // A thousand sections of relocation records, which are the same mebibyte.
        let name = file.name(".rel");
        for _ in 0..1000 {
            let place = Some((256, 1 << 20));
            file.add(Section { name, kind: REL, link: 2, info: code, entry: 16, place, ..Section::default() });
        }
        let bytes = file.build();
        let error = bounded("the reading", || {
            let twin = Object::twin(&bytes).map_err(|error| error.to_string())?;
            let object = twin.as_deref().map_or_else(|| Object::parse(&bytes), Object::parse_twin);
            object.map(drop).map_err(|error| error.to_string())
        });
        let expected = format!("section [{}]: shares bytes with others", records + 1);
        assert!(error.as_ref().unwrap_err().starts_with(&expected), "{error:?}");
    }
}

#[test]
fn a_million_symbols_are_more_than_any_object_has() {
    let mut file = File::with_filter();
    let name = file.name("x");
    for _ in 0..1_000_000 {
        file.symbol(name, 0, 3, 0, 0);
    }
    assert_eq!(refusal(&file.build()), "symbol table (.symtab): 1000002 symbols, at most 262144");
}

#[test]
fn a_quarter_of_a_million_symbols_are_read() {
    let mut file = File::with_filter();
    for number in 0..200_000 {
        let name = file.name(format!("symbol_{number}"));
        file.symbol(name, 0, 3, 0, 0);
    }
    assert_eq!(planned(&file.build()), Ok(1));
}

#[test]
fn a_huge_name_is_none() {
    let mut file = File::with_filter();
    let name = file.name(vec![b'x'; 1 << 20]);
    let symbol = file.symbol(name, 0, 3, 0, 0);
    let error = refusal(&file.build());
    assert!(error.starts_with(&format!("symbol {symbol}: ")), "{error}");

    let mut file = File::with_filter();
    let name = file.name(vec![b'x'; 1 << 20]);
    file.add(Section { name, kind: 1, ..Section::default() });
    let error = refusal(&file.build());
    assert!(error.starts_with("section [4] name: "), "{error}");
}

#[test]
fn a_name_that_a_hundred_thousand_symbols_share_is_not_read_so_often() {
    let mut file = File::with_filter();
    // Not UTF-8, so that each would get a copy of its own, three times as long.
    let name = file.name(vec![0xff; 4000]);
    for _ in 0..100_000 {
        file.symbol(name, 0, 3, 0, 0);
    }
    let error = refusal(&file.build());
    assert!(error.contains("the names up to this one are four times as long as the file"), "{error}");
    assert!(error.starts_with("symbol "), "{error}");
}

/// A chain of functions, each of which calls the next; the last exits, or calls the first.
fn chain(count: u64, last: [u8; 8], are_programs: bool) -> File {
    const CALL_NEXT: [u8; 8] = [0x85, 0x10, 0, 0, 1, 0, 0, 0];
    let mut file = File::new();
    let mut code = [CALL_NEXT, EXIT[8..].try_into().unwrap()].concat().repeat(count as usize - 1);
    code.extend(last);
    code.extend(&EXIT[8..]);
    let section = file.section("socket", CODE, &code);
    for number in 0..if are_programs { count } else { 0 } {
        file.function(&format!("f{number}"), section, 16 * number, 16);
    }
    file
}

#[test]
fn calls_that_go_round_end() {
    // `call -3`: back to the start of the one before.
    let file = chain(2, [0x85, 0x10, 0, 0, 0xfd, 0xff, 0xff, 0xff], true);
    assert_eq!(planned(&file.build()), Ok(2));
    let itself = chain(1, [0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff], true);
    assert_eq!(planned(&itself.build()), Ok(1));
}

#[test]
fn calls_nested_five_hundred_deep_need_no_stack() {
    assert_eq!(planned(&chain(500, EXIT[..8].try_into().unwrap(), true).build()), Ok(500));
}

#[test]
fn programs_that_copy_each_other_are_not_multiplied() {
    let error = planned(&chain(2000, EXIT[..8].try_into().unwrap(), true).build()).unwrap_err();
    assert!(error.starts_with("program `f"), "{error}");
    assert!(error.contains("more than four times the object's slots, and 262144 more"), "{error}");
}

/// A `.BTF` of these words and strings.
fn btf(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let types: Vec<u8> = types.iter().flat_map(|word| word.to_le_bytes()).collect();
    let numbers = [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32];
    let header: Vec<u8> = numbers.iter().flat_map(|word| word.to_le_bytes()).collect();
    [&[0x9f, 0xeb, 1, 0][..], &header, &types, strings].concat()
}

const INT: u32 = 1 << 24;
const PTR: u32 = 2 << 24;
const ARRAY: u32 = 3 << 24;
const STRUCT: u32 = 4 << 24;
const TYPEDEF: u32 = 8 << 24;
const CONST: u32 = 10 << 24;

#[test]
fn types_that_hold_themselves_have_an_end() {
    let cycles: [(&str, Vec<u32>); 5] = [
        ("a typedef of itself", vec![1, TYPEDEF, 1]),
        ("two that are const of each other", vec![0, CONST, 2, 0, CONST, 1]),
        ("an array of itself", vec![0, ARRAY, 0, 1, 1, u32::MAX]),
        ("a struct in itself", vec![1, STRUCT | 1, 8, 1, 1, 0]),
        ("a pointer to itself", vec![0, PTR, 1]),
    ];
    for (what, types) in cycles {
        let bytes = btf(&types, b"\0a\0");
        bounded(what, || (targets::named("btf").unwrap().run)(&bytes));
    }
}

#[test]
fn a_tree_of_types_that_share_their_branches_is_not_walked_to_every_leaf() {
    // Each of thirty structs has two members of the type of the next: a billion leaves.
    let mut types = Vec::new();
    for number in 1..=30 {
        types.extend([1, STRUCT | 2, 8, 1, number + 1, 0, 1, number + 1, 32]);
    }
    types.extend([1, INT, 4, 32]);
    let bytes = btf(&types, b"\0a\0");
    bounded("the tree", || (targets::named("btf").unwrap().run)(&bytes));
    // Nor where members without names are searched.
    let mut types = Vec::new();
    for number in 1..=30 {
        types.extend([u32::from(number == 1), STRUCT | 2, 8, 0, number + 1, 0, 0, number + 1, 32]);
    }
    types.extend([1, INT, 4, 32]);
    let tree = btf(&types, b"\0a\0");
    let object = crate::committed::object("core-missing.bpf.o");
    let target = Target { btf: TargetBtf::Bytes(tree), ..Target::none() };
    bounded("the search", || {
        let object = Object::parse(object).unwrap();
        Plan::new(&Spec::read(&object), &Options::default(), &target).map(drop).unwrap();
    });
}

#[test]
fn an_array_of_four_billion_elements_is_a_number() {
    let bytes = btf(&[1, INT, 1, 8, 0, ARRAY, 0, 1, 1, u32::MAX, 0, ARRAY, 0, 2, 1, u32::MAX], b"\0x\0");
    bounded("the arrays", || {
        let btf = Btf::parse(&bytes).unwrap();
        assert_eq!(btf.size_of(2), Ok(u64::from(u32::MAX)));
        assert_eq!(btf.size_of(3), Ok(u64::from(u32::MAX) * u64::from(u32::MAX)));
        let text = Layout::of(&btf, 3).read(&[1; 100]).to_string();
        assert!(text.len() < 1000, "{} bytes", text.len());
    });
}

#[test]
fn parts_and_records_of_four_billion_bytes_lie_outside_their_section() {
    let mut bytes = btf(&[1, INT, 4, 32], b"\0a\0");
    bytes[12..16].fill(0xff);
    let error = bounded("the types", || Btf::parse(&bytes).map(drop).unwrap_err().to_string());
    assert!(error.starts_with(".BTF: header: a part lies outside the section"), "{error}");

    let bytes = btf(&[1, INT, 4, 32], b"\0socket\0");
    let btf = Btf::parse(&bytes).unwrap();
    // Eight bytes a record, of the section `socket`, and so many records.
    let records = [8, 1, u32::MAX].map(u32::to_le_bytes).concat();
    let header = [[0x9f, 0xeb, 1, 0], 24u32.to_le_bytes(), [0; 4], 12u32.to_le_bytes(), 12u32.to_le_bytes(), [0; 4]];
    let ext = [header.concat(), records].concat();
    let error = bounded("the records", || BtfExt::parse(&ext, &btf).map(drop).unwrap_err().to_string());
    assert!(error.starts_with(".BTF.ext: func_info"), "{error}");
}

#[test]
fn a_name_of_types_that_is_longer_than_any_is_none() {
    let strings = [&[0][..], &vec![b'x'; 1 << 20], &[0]].concat();
    let mut types = Vec::new();
    for _ in 0..10_000 {
        types.extend([1, INT, 4, 32]);
    }
    let bytes = btf(&types, &strings);
    bounded("the names", || {
        let btf = Btf::parse(&bytes).unwrap();
        let error = btf.get(1).map(drop).unwrap_err().to_string();
        assert_eq!(error, ".BTF: type 1: no name at string offset 1");
        assert_eq!(btf.types().count(), 0);
    });
}
