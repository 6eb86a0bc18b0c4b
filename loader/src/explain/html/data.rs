//! What the page knows: the lines of `explain --json`, and what they leave to the file itself: its bytes, and the text and
//! source of each instruction.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::attr;
use super::refusal::Refusal;
use super::run::Run;
use crate::btf::Btf;
use crate::explain::facts::{Facts, Stage};
use crate::insn::{Insn, disassemble};
use crate::plan::{Piece, Plan, ProgLoad};
use crate::spec::Spec;
use crate::uapi::Helper;

/// What a page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The file's name, without folders.
    pub name: &'a str,
    /// The file; of a big-endian one its little-endian twin.
    pub bytes: &'a [u8],
    /// What could be read of it; `None` if its tables cannot be trusted.
    pub reading: Option<Reading<'a>>,
    /// Why it, or a program of it, cannot be given to a kernel.
    pub refusals: &'a [Refusal],
    /// What a run has recorded.
    pub run: &'a Run,
    /// Source files.
    pub sources: &'a [Source],
    /// The places that take a filter, a row each; the same in every page.
    pub hooks: &'a [Json],
}

/// How far the object could be read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// What its sections and symbols mean.
    pub spec: &'a Spec<'a>,
    /// What will be done; `None` if nothing can be.
    pub plan: Option<&'a Plan>,
    /// What there is to say about both.
    pub facts: &'a Facts,
}

/// A source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name, as the object's line records have it.
    pub file: String,
    /// What is in it.
    pub text: String,
}

impl Report<'_> {
    /// The data of the page.
    pub fn json(&self) -> Json {
        let mut json = self.of_this_file();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("attr".to_owned(), attr::json());
            fields.insert("hooks".to_owned(), json!(self.hooks));
        }
        json
    }

    /// The same without what is in every page.
    pub fn of_this_file(&self) -> Json {
        let file = json!({
            "name": self.name, "size": self.bytes.len(), "big_endian": self.reading.is_some_and(|reading| reading.facts.is_big_endian),
            "bytes": STANDARD.encode(self.bytes),
        });
        let sources: Vec<_> =
            self.sources.iter().map(|source| json!({ "file": source.file, "text": source.text })).collect();
        let facts = self.reading.map_or_else(Vec::new, |reading| reading.facts.json(Stage::Plan, false));
        let programs = self.reading.map_or_else(Vec::new, |reading| reading.programs());
        let helpers = self.reading.map_or_else(BTreeMap::new, |reading| reading.helpers());
        json!({
            "minibpf": env!("CARGO_PKG_VERSION"), "file": file, "facts": facts, "refusals": self.refusals,
            "programs": programs, "helpers": helpers, "attr": null, "hooks": null, "sources": sources,
            "run": self.run.lines, "run_left_out": self.run.left_out, "referees": self.run.referees,
        })
    }
}

impl Reading<'_> {
    fn prog_loads(&self) -> impl Iterator<Item = &ProgLoad> {
        self.plan.into_iter().flat_map(Plan::prog_loads)
    }

    fn programs(&self) -> Vec<Json> {
        self.prog_loads().map(|program| self.program(program)).collect()
    }

    /// The names of the helpers that are called, by number.
    fn helpers(&self) -> BTreeMap<String, String> {
        let insns = self.prog_loads().flat_map(|program| &program.insns);
        let calls = insns.filter(|insn| insn.code == Insn::CALL && insn.src() == 0);
        let helpers = calls.filter_map(|insn| Helper::of(insn.imm.into()));
        helpers.map(|helper| (helper.number.to_string(), helper.name())).collect()
    }

    /// A program's instructions as compiled, where they lie in the file, and what lines they came from.
    fn program(&self, program: &ProgLoad) -> Json {
        let mut text = vec![Json::Null; program.insns.len()];
        for (slot, insn) in disassemble(&program.insns) {
            if let Some(place) = text.get_mut(slot) {
                *place = json!(insn);
            }
        }
        let pieces: Vec<_> = program.pieces.iter().filter_map(|piece| self.piece(piece)).collect();
        let lines = Lines::of(program, self.spec.btf.as_ref());
        json!({
            "name": program.name, "pieces": pieces, "text": text,
            "lines": lines.records, "strings": lines.strings,
        })
    }

    /// `[first slot, slots, offset in the file]`.
    fn piece(&self, piece: &Piece) -> Option<Json> {
        let section = self.spec.object.sections.get(piece.place.section)?;
        let at = section.file_offset.saturating_add(piece.place.offset);
        Some(json!([piece.at, piece.size / Insn::SIZE as u64, at]))
    }
}

/// Line records with their strings numbered, since many share one.
#[derive(Default)]
struct Lines<'a> {
    /// `[slot, file, line, column, text]`; file and text by number.
    records: Vec<[usize; 5]>,
    strings: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    fn of(program: &ProgLoad, btf: Option<&Btf<'a>>) -> Self {
        let Some(btf) = btf else { return Self::default() };
        let mut lines = Self::default();
        let mut numbers = HashMap::new();
        let mut number = |offset| {
            let strings = &mut lines.strings;
            *numbers.entry(offset).or_insert_with(|| {
                strings.push(btf.string(offset).unwrap_or_default());
                strings.len() - 1
            })
        };
        let records = program.line_info.iter().map(|record| {
            let (file, text) = (number(record.file_name_off), number(record.line_off));
            [record.insn_off as usize, file, record.line() as usize, record.column() as usize, text]
        });
        let records = records.collect();
        Self { records, ..lines }
    }
}
