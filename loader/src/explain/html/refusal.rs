//! What cannot be linked: where, why, and how to mend it.

use serde::Serialize;

use crate::insn::Insn;
use crate::plan::{Lesson, LinkError, Plan};
use crate::spec::Spec;

/// Why a program, or the whole object, cannot be given to a kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The program; `None` of the whole object.
    pub program: Option<String>,
    /// The section that the instruction is in.
    pub section: Option<String>,
    /// The slot, counted from the start of that section.
    pub insn: Option<u64>,
    /// Where that slot lies in the file, in bytes.
    pub file_offset: Option<u64>,
    /// The source line that it came from: file, number, text.
    pub source: Option<(String, u32, String)>,
    /// What was found.
    pub what: String,
    /// Why a loader can do nothing with it.
    pub why: String,
    /// How to mend it.
    pub mend: String,
}

impl Refusal {
    /// Those of a plan, by program.
    pub fn all(spec: &Spec<'_>, plan: &Plan) -> Vec<Self> {
        plan.unlinkable().map(|(program, error)| Self::of(spec, &program.name, error)).collect()
    }

    fn of(spec: &Spec<'_>, program: &str, error: &LinkError) -> Self {
        let Lesson { why, mend } = error.kind.lesson();
        let sections = &spec.object.sections;
        let section = sections.iter().find(|section| section.is_code && section.name == error.section);
        let offset = error.insn.saturating_mul(Insn::SIZE as u64);
        let inside = section.filter(|section| offset < section.size);
        Self {
            program: Some(program.to_owned()),
            section: Some(error.section.clone()),
            insn: Some(error.insn),
            file_offset: inside.map(|section| section.file_offset.saturating_add(offset)),
            source: inside.and_then(|section| source(spec, section.index, offset)),
            what: error.kind.to_string(),
            why: why.to_owned(),
            mend: mend.to_owned(),
        }
    }
}

/// The last line record at or before a byte of a section.
fn source(spec: &Spec<'_>, section: usize, offset: u64) -> Option<(String, u32, String)> {
    let records = spec.line_info.get(&section)?;
    let after = records.partition_point(|record| u64::from(record.insn_off) <= offset);
    let record = records.get(after.checked_sub(1)?)?;
    let btf = spec.btf.as_ref()?;
    let file = btf.string(record.file_name_off)?.to_owned();
    Some((file, record.line(), btf.string(record.line_off).unwrap_or_default().to_owned()))
}
