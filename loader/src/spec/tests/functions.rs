//! How the symbol table cuts code into functions.

use object::write::SymbolSection;
use object::{SymbolKind, SymbolScope};

use super::read;
use crate::spec::{Function, Place, Spec};
use crate::testing::{EXIT, Elf, R0};

/// Name, offset and number of slots of every function, or why one of them is broken.
fn functions(elf: &Elf) -> Result<Vec<(String, u64, usize)>, String> {
    let shape = |function: &Function<'_>| match &function.broken {
        Some(broken) => Err(broken.to_string()),
        None => Ok((function.name.clone(), function.place.offset, function.slots.len())),
    };
    read(elf, |spec: &Spec<'_>| spec.functions.iter().map(shape).collect::<Result<Vec<_>, _>>())?
}

#[test]
fn a_section_may_hold_several_functions() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[R0, EXIT, EXIT].concat());
    elf.func(code, "second", 16, 8);
    elf.func(code, "first", 0, 16);
    assert_eq!(functions(&elf), Ok(vec![("first".to_owned(), 0, 2), ("second".to_owned(), 16, 1)]));
}

#[test]
fn a_function_of_unknown_size_reaches_to_the_next_or_to_the_end() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[R0, EXIT, R0, EXIT].concat());
    elf.func(code, "first", 0, 0);
    elf.func(code, "second", 16, 0);
    assert_eq!(functions(&elf), Ok(vec![("first".to_owned(), 0, 2), ("second".to_owned(), 16, 2)]));
}

#[test]
fn of_two_names_for_one_place_the_global_one_counts() {
    let mut elf = Elf::new();
    let code = elf.code("socket", EXIT);
    elf.static_func(code, "alias", 0, 8);
    elf.func(code, "filter", 0, 8);
    assert_eq!(functions(&elf), Ok(vec![("filter".to_owned(), 0, 1)]));
}

#[test]
fn symbols_without_a_type_are_functions_where_none_has_one() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[R0, EXIT, EXIT].concat());
    let section = SymbolSection::Section(code);
    elf.symbol(section, "filter", SymbolKind::Label, 0, 0, SymbolScope::Dynamic);
    elf.symbol(section, "LBB0_1", SymbolKind::Label, 8, 0, SymbolScope::Compilation);
    elf.symbol(section, "helper", SymbolKind::Label, 16, 0, SymbolScope::Compilation);
    assert_eq!(functions(&elf), Ok(vec![("filter".to_owned(), 0, 2), ("helper".to_owned(), 16, 1)]));
}

#[test]
fn symbols_without_a_type_are_labels_where_functions_have_one() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[R0, EXIT].concat());
    elf.func(code, "filter", 0, 16);
    elf.symbol(SymbolSection::Section(code), "label", SymbolKind::Label, 8, 0, SymbolScope::Dynamic);
    assert_eq!(functions(&elf), Ok(vec![("filter".to_owned(), 0, 2)]));
}

#[test]
fn a_function_is_found_by_section_and_offset() {
    let mut elf = Elf::new();
    elf.program("socket", "one", EXIT); // section 1
    elf.program("socket/2", "two", EXIT); // section 2
    let name = |spec: &Spec<'_>, section, offset| {
        spec.functions.at(Place { section, offset }).map(|function| function.name.clone())
    };
    let found = read(&elf, |spec| [(1, 0), (2, 0), (2, 8), (3, 0)].map(|(section, at)| name(spec, section, at)));
    assert_eq!(found, Ok([Some("one".to_owned()), Some("two".to_owned()), None, None]));
}

#[test]
fn functions_may_not_overlap() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[R0, EXIT].concat());
    elf.func(code, "first", 0, 16);
    elf.func(code, "second", 8, 8);
    let expected = "section `socket`, function `first`: ends at 0x10, but may reach only to 0x8";
    assert_eq!(functions(&elf), Err(expected.to_owned()));
}

#[test]
fn a_function_may_not_leave_its_section() {
    for (offset, size, problem) in [
        (0, 64, "ends at 0x40, but may reach only to 0x8"),
        (0, u64::MAX, "ends at 0xffffffffffffffff, but may reach only to 0x8"),
        (u64::MAX, 8, "ends at 0xffffffffffffffff, but may reach only to 0x8"),
        (64, 0, "0 bytes at 0x40, expected whole slots of 8 bytes"),
        (8, 0, "0 bytes at 0x8, expected whole slots of 8 bytes"),
    ] {
        let mut elf = Elf::new();
        let code = elf.code("socket", EXIT);
        elf.func(code, "filter", offset, size);
        assert_eq!(functions(&elf), Err(format!("section `socket`, function `filter`: {problem}")));
    }
}

#[test]
fn a_function_is_made_of_whole_slots() {
    let whole = "expected whole slots of 8 bytes";
    for (offset, size) in [(0, 12), (4, 8), (4, 12)] {
        let mut elf = Elf::new();
        let code = elf.code("socket", &[R0, EXIT].concat());
        elf.func(code, "filter", offset, size);
        let expected = format!("section `socket`, function `filter`: {size} bytes at {offset:#x}, {whole}");
        assert_eq!(functions(&elf), Err(expected));
    }
}
