mod data;
mod functions;
mod legacy_maps;
mod map_defs;

use super::{MapSpec, Place, Spec};
use crate::elf::Object;
use crate::testing::{EXIT, Elf, LDDW, Types, btf_ext, plan};

/// What is read of the spec, or the error's text.
fn read<T>(elf: &Elf, look: impl Fn(&Spec<'_>) -> T) -> Result<T, String> {
    let file = elf.build();
    let object = Object::parse(&file).unwrap();
    let spec = Spec::read(&object);
    spec.unreadable.as_ref().map_or_else(|| Ok(look(&spec)), |error| Err(error.to_string()))
}

/// The maps of an object, or why one of them is broken.
fn maps(elf: &Elf) -> Result<Vec<MapSpec>, String> {
    let maps = read(elf, |spec| spec.maps.clone())?;
    let sound = |map: MapSpec| map.broken.as_ref().map_or(Ok(map.clone()), |broken| Err(broken.to_string()));
    maps.into_iter().map(sound).collect()
}

/// The programs of an object with one program in a section of this name.
fn programs_of(section: &str, extra: Option<&str>) -> Vec<(String, bool)> {
    let mut elf = Elf::new();
    elf.program(section, "filter", EXIT);
    let found = |spec: &Spec<'_>| {
        spec.programs(extra).map(|program| (program.function.name.clone(), program.autoload)).collect()
    };
    read(&elf, found).unwrap()
}

#[test]
fn every_section_whose_name_begins_with_socket_holds_socket_filters() {
    for section in ["socket", "socket/x", "socket1", "socket_filter"] {
        assert_eq!(programs_of(section, None), [("filter".to_owned(), true)], "{section}");
    }
}

#[test]
fn a_question_mark_means_not_unless_it_is_named() {
    assert_eq!(programs_of("?socket", None), [("filter".to_owned(), false)]);
    assert_eq!(programs_of("?socket/x", None), [("filter".to_owned(), false)]);
}

#[test]
fn other_sections_hold_no_programs_unless_the_user_says_so() {
    for section in ["xdp", ".text", "sock", "?xdp", "??socket"] {
        assert_eq!(programs_of(section, None), [], "{section}");
    }
    assert_eq!(programs_of("xdp", Some("xdp")), [("filter".to_owned(), true)]);
    assert_eq!(programs_of("xdp", Some("tc")), []);
}

#[test]
fn without_a_license_section_the_licence_is_empty() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    assert_eq!(read(&elf, |spec| spec.license.clone()), Ok(String::new()));
}

#[test]
fn the_licence_ends_at_its_nul() {
    let mut elf = Elf::new();
    elf.data("license", b"GPL\0and more");
    elf.program("socket", "filter", EXIT);
    assert_eq!(read(&elf, |spec| spec.license.clone()), Ok("GPL".to_owned()));
}

#[test]
fn a_licence_without_a_nul_is_the_whole_section() {
    let mut elf = Elf::new();
    elf.data("license", b"MIT");
    elf.program("socket", "filter", EXIT);
    assert_eq!(read(&elf, |spec| spec.license.clone()), Ok("MIT".to_owned()));
}

#[test]
fn types_that_cannot_be_read_refuse_the_object() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    elf.data(".BTF", b"not BTF");
    assert_eq!(maps(&elf), Err(".BTF: header: 7 bytes, expected at least 24".to_owned()));
}

#[test]
fn line_records_that_cannot_be_read_refuse_the_object() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    elf.btf(&Types::new());
    elf.data(".BTF.ext", &[0; 8]);
    assert_eq!(maps(&elf), Err(".BTF.ext: header: magic 0x0000, expected 0xeb9f".to_owned()));
}

#[test]
fn line_records_without_types_are_ignored() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    elf.data(".BTF.ext", &[0; 8]);
    assert_eq!(read(&elf, |spec| spec.line_info.len()), Ok(0));
}

#[test]
fn records_are_found_by_section_number_and_sorted_by_offset() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[LDDW, EXIT].concat()); // section 1
    let mut types = Types::new();
    let ext = btf_ext(&mut types, &[("socket", &[[16, 2], [0, 1]]), ("gone", &[[0, 3]])], &[], &[]);
    elf.btf(&types);
    elf.data(".BTF.ext", &ext);
    let found = read(&elf, |spec| {
        let funcs = |(section, records): (&usize, &Vec<crate::btf::ext::FuncInfo>)| {
            (*section, records.iter().map(|record| record.insn_off).collect::<Vec<_>>())
        };
        spec.func_info.iter().map(funcs).collect::<Vec<_>>()
    });
    assert_eq!(found, Ok(vec![(1, vec![0, 16])]), "the section `gone` does not exist");
}

#[test]
fn a_map_covers_its_definition_and_not_a_byte_more() {
    let mut elf = Elf::new();
    let data = elf.data(".data", &[0; 8]); // section 1
    elf.var(data, "x", 0, 8);
    let found =
        read(&elf, |spec| [0, 7, 8].map(|offset| spec.map_at(Place { section: 1, offset }).map(|(index, _)| index)));
    assert_eq!(found, Ok([Some(0), Some(0), None]));
    assert_eq!(read(&elf, |spec| spec.map_at(Place { section: 2, offset: 0 }).is_none()), Ok(true));
    assert_eq!(read(&elf, |spec| spec.map_at(Place { section: 0, offset: 0 }).is_none()), Ok(true));
}

#[test]
fn maps_stand_in_the_order_of_their_sections() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    elf.bss(".bss", 4);
    let maps_section = elf.data("maps", &[1u32, 4, 4, 1, 0].map(u32::to_le_bytes).concat());
    elf.var(maps_section, "ports", 0, 20);
    elf.data(".data", &[1; 4]);
    let names: Vec<_> = maps(&elf).unwrap().into_iter().map(|map| map.name).collect();
    assert_eq!(names, [".bss", "ports", ".data"]);
    assert_eq!(plan(&elf.build()).unwrap().unused_maps, names);
}
