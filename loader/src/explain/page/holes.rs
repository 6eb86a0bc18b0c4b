//! Stage 3: the holes in the instructions.

use super::layout::Page;
use crate::explain::facts::{Facts, HoleFacts, ProgramFacts, Record, counted};

const LESSON: [&str; 3] = [
    "Where clang cannot know a number it leaves a hole, and a record that says which symbol belongs there.",
    "[ map fd  ] is a descriptor: a number that only exists once the kernel has created the map.",
    "The book tells it whole in docs/ch05-the-hole.md.",
];

pub(super) fn show(page: &mut Page, facts: &Facts) {
    page.stage("3. reloc: the holes in the instructions, and what fills them", &LESSON);
    for program in &facts.programs {
        one(page, program);
    }
    if facts.programs.is_empty() {
        page.text(2, "There is no program.");
    }
}

fn one(page: &mut Page, program: &ProgramFacts) {
    let ProgramFacts { name, section, why, .. } = program;
    let Some(insns) = program.insns else {
        page.text(2, &format!("program `{name}`, section {section}: {}: {why}", program.fate));
        if let Some(error) = &program.error {
            page.text(4, &format!("error: {error}"));
        }
        return;
    };
    let holes = counted(program.holes.len(), "hole");
    page.text(2, &format!("program `{name}`, section {section}: {insns} slots, {holes}"));
    for function in program.functions.iter().filter(|function| function.insn > 0) {
        let from = format!("{} + {:#x}", function.section, function.offset);
        page.text(
            4,
            &format!("insn {}: `{}`, {} slots from {from}, appended", function.insn, function.name, function.insns),
        );
    }
    for hole in &program.holes {
        self::hole(page, hole);
    }
}

fn hole(page: &mut Page, hole: &HoleFacts) {
    page.text(4, &format!("insn {}  `{}`", hole.insn, hole.symbol));
    let mut rows = Vec::new();
    let mut row = |name: &str, text: String| rows.push(vec![name.to_owned(), text]);
    if let Some(source) = &hole.source {
        row("source", format!("{}:{}  {}", source.file, source.line, source.text));
    }
    row("record", record(&hole.record));
    if let (Record::Elf { file_offset: Some(at), bytes, .. }, true) = (&hole.record, page.look().bytes) {
        row("", format!("at byte {at:#x} of the file: {}", super::layout::spaced(&bytes.0)));
    }
    row("before", format!("{}  {}", slots(&hole.before, false), hole.text));
    row("after", format!("{}  {}", slots(&hole.after, hole.takes_fd), hole.text_after));
    row("fills", hole.fills.clone());
    row("if left open", hole.left_open.clone());
    page.table(6, &rows);
}

/// What told of the hole.
fn record(record: &Record) -> String {
    match record {
        Record::Elf { section, r_offset, r_type_name, symbol, name, place, .. } => {
            format!("{section}: r_offset {r_offset:#x}, {r_type_name}, symbol {symbol} `{name}` ({place})")
        }
        Record::Core { insn_off, type_id, access, kind } => {
            format!(".BTF.ext: insn_off {insn_off:#x}, {kind}, type {type_id}, access \"{access}\"")
        }
        Record::None => "none: clang filled in the distance, and appending functions may change it".to_owned(),
    }
}

/// Hex digits by the byte, a descriptor by name; two slots with a gap between them.
fn slots(hex: &str, takes_fd: bool) -> String {
    let digits: Vec<char> = hex.chars().collect();
    let bytes: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    let slots = bytes.chunks(8).enumerate().map(|(number, slot)| {
        let fields: Vec<_> = slot.chunks(4).map(|field| field.join(" ")).collect();
        match fields.as_slice() {
            [operation, _] if takes_fd && number == 0 => format!("{operation} [ map fd  ]"),
            fields => fields.join(" "),
        }
    });
    slots.collect::<Vec<_>>().join("  ")
}
