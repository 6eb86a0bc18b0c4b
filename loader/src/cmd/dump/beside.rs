//! A loaded program beside the object that it came from.

use std::path::Path;

use minibpf::btf::value::hex;
use minibpf::elf::Object;
use minibpf::link::Options;
use minibpf::plan::{Plan, ProgLoad};
use minibpf::spec::Spec;
use minibpf::target::{Target, TargetBtf};
use minibpf::xlated::{Code, Comparison, GivenNames, Layouts, Line, Reasons, Records, align, listing};
use serde_json::json;

use super::prog::{Loaded, ProgOptions, file};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::object;
use crate::cmd::output::Output;
use crate::cmd::show::uploaded_btf;

/// Shows both sides.
pub(super) fn run(
    output: &Output,
    loaded: &Loaded<'_>,
    lines: &[Line],
    path: &Path,
    options: &ProgOptions,
) -> Result<(), Failure> {
    let bytes = object::read(path)?;
    let object = Object::parse(&bytes).map_err(|error| Failure::from(error).at(path.display()))?;
    let spec = Spec::read(&object);
    object::warn_of_types(output, &spec)?;
    let wanted = Options { program: options.program.clone(), section: options.section.clone(), ..Options::default() };
    let plan =
        Plan::new(&spec, &wanted, &Target::running(&spec)).map_err(|error| Failure::from(error).at(path.display()))?;
    let program = find(&plan, loaded, path, options)?;

    let insns = program.resolve(|_| 0);
    let btf = uploaded_btf(&plan);
    let records = Records { func_info: &program.func_info, line_info: &program.line_info, btf: btf.as_ref() };
    let given_lines = listing(&insns, records, &GivenNames { plan: &plan, program });
    let given = Code::new(&insns, &program.line_info);
    let xlated = Code::new(&loaded.xlated.insns, &loaded.xlated.line_info);
    let alignment = align(&given, &xlated);
    let layouts = TargetBtf::running().bytes().and_then(|bytes| Layouts::of(bytes).ok()).unwrap_or_default();
    let reasons = Reasons::new(&plan, program, loaded.info.prog_type, [&given, &xlated], &loaded.symbols, &layouts);
    show(output, loaded, program, path, &Comparison::new(&given_lines, lines, &alignment, &reasons), options.bytes)
}

/// The program of the object that the kernel's was made of: tags are of what was given.
fn find<'plan>(
    plan: &'plan Plan,
    loaded: &Loaded<'_>,
    path: &Path,
    options: &ProgOptions,
) -> Result<&'plan ProgLoad, Failure> {
    let candidates = plan.prog_loads().filter(|load| options.program.as_ref().is_none_or(|name| *name == load.name));
    let candidates: Vec<_> = candidates.collect();
    if let Some(found) = candidates.iter().find(|load| load.tags().agree_with(loaded.info.tag)) {
        return Ok(found);
    }
    let tag = |load: &&ProgLoad| {
        format!("`{}` has {} (before Linux 6.18 {})", load.name, hex(&load.tags().sha256), hex(&load.tags().sha1))
    };
    let tags: Vec<_> = candidates.iter().map(tag).collect();
    let tags = if tags.is_empty() { "none of its programs can be linked".to_owned() } else { tags.join(", ") };
    let what = format!(
        "{}: no program with the tag {} of program {}: {tags}",
        path.display(),
        hex(&loaded.info.tag),
        loaded.info.id
    );
    Err(Failure::new(Exit::Usage, what)
        .hint("the tag is of the instructions as given: was it loaded from another version of the object, or by a loader that patches otherwise?"))
}

fn show(
    output: &Output,
    loaded: &Loaded<'_>,
    program: &ProgLoad,
    path: &Path,
    comparison: &Comparison<'_>,
    bytes: bool,
) -> Result<(), Failure> {
    loaded.head(output)?;
    output.text(format_args!(
        "left: `{}` of {}, as given, {} slots; right: as the kernel stores it, {} slots",
        program.name,
        file(path),
        program.insns.len(),
        loaded.xlated.insns.len()
    ))?;
    if !comparison.contradictions.is_empty() {
        let slots: Vec<_> = comparison.contradictions.iter().map(ToString::to_string).collect();
        output.warn(
            "alignment",
            format_args!(
                "the jumps at {} lead elsewhere than the two sides say: take the columns with care",
                slots.join(", ")
            ),
        )?;
    }
    if output.json {
        return comparison.json().iter().try_for_each(|line| output.data(line));
    }
    comparison.text(bytes).into_iter().try_for_each(|line| output.text(line))?;
    let count = |(change, count): &(minibpf::xlated::Change, usize)| {
        format!("{} {count}", json!(change).as_str().unwrap_or_default().replace('_', " "))
    };
    let counts: Vec<_> = comparison.counts().iter().map(count).collect();
    output.text(if counts.is_empty() {
        "nothing was changed".to_owned()
    } else {
        format!("changed: {}", counts.join(", "))
    })
}
