//! Object files: read, planned, explained, made a page of.

use minibpf::elf::{ElfError, Object};
use minibpf::explain::facts::{Facts, Readings, Stage};
use minibpf::explain::html::{Reading, Refusal, Report, Run, escaped};
use minibpf::explain::page::{Line, Look, page};
use minibpf::insn::disassemble;
use minibpf::link::Options;
use minibpf::lint::Limits;
use minibpf::plan::{Fate, Plan};
use minibpf::spec::Spec;
use minibpf::target::{Target, TargetBtf};

use super::claims::{names_a_place, obeyed_by_no_terminal};

/// Bytes of text about one object, at the most.
const TEXT: usize = 64 << 20;

/// Calls `use_it` with what the bytes mean, a big-endian object by way of its twin.
pub(super) fn with_spec(data: &[u8], use_it: impl FnOnce(&[u8], &Spec<'_>)) -> Result<(), ElfError> {
    let twin = Object::twin(data)?;
    let object = twin.as_deref().map_or_else(|| Object::parse(data), Object::parse_twin)?;
    use_it(twin.as_deref().unwrap_or(data), &Spec::read(&object));
    Ok(())
}

/// Reads the tables.
pub(super) fn object(data: &[u8]) {
    let twin = match Object::twin(data) {
        Ok(twin) => twin,
        Err(error) => return names_a_place(&error.to_string()),
    };
    let object = match twin.as_deref().map_or_else(|| Object::parse(data), Object::parse_twin) {
        Ok(object) => object,
        Err(error) => return names_a_place(&error.to_string()),
    };
    for section in &object.sections {
        assert!(section.is_nobits || section.data.len() as u64 == section.size, "section [{}]", section.index);
        assert!(section.relocs.is_sorted_by_key(|record| record.offset));
        assert!(section.relocs.iter().all(|record| record.symbol < object.symbols.len()));
    }
}

/// Plans the load, for no kernel in particular and for one without types, with a global set.
pub(super) fn link(data: &[u8]) {
    let _ = with_spec(data, |_, spec| {
        plan(spec, &Options::default(), &Target::none());
        let set = vec![("longer_than".to_owned(), "1".to_owned())];
        let section = Some(".text".to_owned());
        plan(spec, &Options { set, section, ..Options::default() }, &machine(TargetBtf::None));
    });
}

/// A machine like the one that the committed objects are for.
pub(super) fn machine(btf: TargetBtf) -> Target {
    Target { is_little_endian: true, page_size: Some(4096), possible_cpus: Some(4), btf, ..Target::none() }
}

/// A plan, and all that is asked of it.
pub(super) fn plan(spec: &Spec<'_>, options: &Options, target: &Target) -> Option<Plan> {
    let plan = match Plan::new(spec, options, target) {
        Ok(plan) => plan,
        Err(error) => {
            names_a_place(&error.to_string());
            return None;
        }
    };
    for program in &plan.programs {
        if let Fate::Unlinkable(error) = &program.fate {
            names_a_place(&error.to_string());
        }
    }
    for program in plan.prog_loads() {
        let insns = program.resolve(|map| map.0 as i32);
        assert_eq!(insns.len(), program.insns.len());
        assert!(program.map_ids().iter().all(|id| plan.map(*id).is_some()), "a map that is never created");
        program.tags();
        disassemble(&insns);
    }
    if let Some(btf) = plan.btf() {
        btf.sanitized();
    }
    Some(plan)
}

/// Everything that `explain` says, as text and as JSON.
pub(super) fn explain(data: &[u8]) {
    let _ = with_spec(data, |bytes, spec| {
        let plan = Plan::new(spec, &Options::default(), &Target::none()).ok();
        let readings =
            Readings { bytes, spec, plan: plan.as_ref(), extra_section: Some(".text"), limits: Limits::default() };
        let facts = Facts::of(&readings);
        let look = Look { width: Some(60), lessons: false, full: true, bytes: true };
        let mut length = 0;
        for line in page(&facts, Stage::Plan, &look) {
            let (Line::Heading(text) | Line::Text(text)) = line;
            length += text.len();
        }
        for line in facts.json(Stage::Plan, true) {
            let text = line.to_string();
            assert!(!text.contains('\n'), "more than a line");
            length += text.len();
        }
        assert!(length < TEXT, "{length} bytes of text of {} bytes", data.len());
    });
}

/// The data of the page, what cannot be linked included. The rest of a page is the same of every object.
pub(super) fn report(data: &[u8]) {
    let run = Run::default();
    let read = with_spec(data, |bytes, spec| {
        let plan = Plan::new(spec, &Options::default(), &Target::none()).ok();
        let readings = Readings { bytes, spec, plan: plan.as_ref(), extra_section: None, limits: Limits::default() };
        let facts = Facts::of(&readings);
        let refusals = plan.as_ref().map_or_else(Vec::new, |plan| Refusal::all(spec, plan));
        let reading = Some(Reading { spec, plan: plan.as_ref(), facts: &facts });
        page_of(&Report { name: "fuzz.o", bytes, reading, refusals: &refusals, run: &run, sources: &[], hooks: &[] });
    });
    if let Err(error) = read {
        let refusals = [Refusal { what: error.to_string(), ..Refusal::default() }];
        page_of(&Report {
            name: "fuzz.o",
            bytes: data,
            reading: None,
            refusals: &refusals,
            run: &run,
            sources: &[],
            hooks: &[],
        });
    }
}

/// Nothing in the data can end the element that they stand in.
pub(super) fn page_of(report: &Report<'_>) {
    let data = escaped(&report.of_this_file().to_string());
    assert!(!data.contains(['<', '>', '&']), "what is HTML");
    obeyed_by_no_terminal(&data);
    assert!(data.len() < TEXT, "{} bytes of data of {} bytes", data.len(), report.bytes.len());
}
