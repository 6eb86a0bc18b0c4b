//! The programs: what becomes of each, what it is made of, and its tag.

use serde::Serialize;

use super::headers::{self, Header};
use super::holes::{self, HoleFacts};
use crate::btf::value::hex;
use crate::insn::Insn;
use crate::plan::{Fate, Piece, Plan, ProgId, ProgLoad, ProgramPlan};
use crate::spec::Spec;

/// One socket filter.
#[derive(Debug, Clone, Serialize)]
pub struct ProgramFacts {
    /// Its name.
    pub name: String,
    /// Its section.
    pub section: String,
    /// `load`, `sibling` (loaded because a program array names it), `skipped` or `unlinkable`.
    pub fate: &'static str,
    /// Why that becomes of it.
    pub why: String,
    /// Why it cannot be linked.
    pub error: Option<String>,
    /// Slots as given to the kernel.
    pub insns: Option<usize>,
    /// The object's licence.
    pub license: Option<String>,
    /// Its own instructions, then those of every function that it calls.
    pub functions: Vec<FunctionFacts>,
    /// The maps that it uses.
    pub maps: Vec<String>,
    /// Why it cannot be loaded as planned: a CO-RE record that the target does not answer.
    pub unresolved: Option<String>,
    /// The tag of Linux 6.18 and later.
    pub tag_sha256: Option<String>,
    /// The tag before 6.18.
    pub tag_sha1: Option<String>,
    /// Its number in the plan.
    #[serde(skip)]
    pub id: Option<ProgId>,
    /// Its holes.
    #[serde(skip)]
    pub holes: Vec<HoleFacts>,
    /// Its instructions, patched; a descriptor counts as 0.
    #[serde(skip)]
    pub slots: Vec<Insn>,
}

/// A function that was put into a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionFacts {
    /// Its name.
    pub name: String,
    /// Its section.
    pub section: String,
    /// Where it begins there, in bytes.
    pub offset: u64,
    /// Its first slot in the program.
    pub insn: usize,
    /// Its slots.
    pub insns: u64,
}

/// All socket filters of the object.
pub(super) fn all(bytes: &[u8], spec: &Spec<'_>, plan: &Plan) -> Vec<ProgramFacts> {
    let headers = headers::read(bytes);
    plan.programs.iter().map(|program| one(spec, plan, &headers, program)).collect()
}

fn one(spec: &Spec<'_>, plan: &Plan, headers: &[Header], program: &ProgramPlan) -> ProgramFacts {
    let (fate, why, id, error) = fate(program);
    let loaded = id.and_then(|id| plan.prog_loads().find(|load| load.id == id));
    let mut facts = ProgramFacts {
        name: program.name.clone(),
        section: program.section.clone(),
        fate,
        why,
        error,
        insns: None,
        license: None,
        functions: Vec::new(),
        maps: Vec::new(),
        unresolved: None,
        tag_sha256: None,
        tag_sha1: None,
        id,
        holes: Vec::new(),
        slots: Vec::new(),
    };
    if let Some(load) = loaded {
        facts.holes = holes::all(spec, plan, headers, load);
        add_load(&mut facts, spec, plan, load);
    }
    facts
}

/// What becomes of a program, and why.
fn fate(program: &ProgramPlan) -> (&'static str, String, Option<ProgId>, Option<String>) {
    match &program.fate {
        Fate::Load(id) => ("load", format!("section `{}` holds socket filters", program.section), Some(*id), None),
        Fate::Sibling(id) => ("sibling", "a program array of one that is loaded names it".to_owned(), Some(*id), None),
        Fate::Skip if program.section.starts_with('?') => {
            let why = format!("section `{}` loads only what --program names", program.section);
            ("skipped", why, None, None)
        }
        Fate::Skip => ("skipped", "--program names another".to_owned(), None, None),
        Fate::Unlinkable(error) => ("unlinkable", "it cannot be linked".to_owned(), None, Some(error.to_string())),
    }
}

/// What the step that loads it says.
fn add_load(facts: &mut ProgramFacts, spec: &Spec<'_>, plan: &Plan, load: &ProgLoad) {
    facts.insns = Some(load.insns.len());
    facts.license = Some(load.license.clone());
    facts.functions = load.pieces.iter().map(|piece| function(spec, piece)).collect();
    facts.maps = load.map_ids().iter().filter_map(|id| plan.map(*id)).map(|map| map.name.clone()).collect();
    facts.unresolved = load.unresolved().map(|patch| format!("insn {}: {}", patch.insn, patch.symbol));
    facts.slots = load.resolve(|_| 0);
    // A big-endian kernel hashes other bytes.
    if facts.unresolved.is_none() && !spec.object.is_big_endian {
        let tags = load.tags();
        facts.tag_sha256 = Some(hex(&tags.sha256));
        facts.tag_sha1 = Some(hex(&tags.sha1));
    }
}

fn function(spec: &Spec<'_>, piece: &Piece) -> FunctionFacts {
    let section = spec.object.sections.get(piece.place.section);
    FunctionFacts {
        name: spec.functions.at(piece.place).map_or_else(String::new, |function| function.name.clone()),
        section: section.map_or_else(String::new, |section| section.name.to_string()),
        offset: piece.place.offset,
        insn: piece.at,
        insns: piece.size / Insn::SIZE as u64,
    }
}
