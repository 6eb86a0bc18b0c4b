//! Stage 4: the system calls.

use super::layout::{Page, spaced};
use crate::explain::facts::{Facts, ProgramFacts, StepFacts};
use crate::explain::{Detail, Field, ZERO};
use crate::insn::{Insn, disassemble};

const LESSON: [&str; 3] = [
    "The load is this list of calls, in this order; each field stands with where its value comes from.",
    "<map x> is the descriptor that the call creating map x will return.",
    "The book tells it whole in docs/ch07-bpf-by-hand.md.",
];

pub(super) fn show(page: &mut Page, facts: &Facts) {
    page.stage("4. plan: the system calls", &LESSON);
    if facts.steps.is_empty() {
        page.text(2, "There is nothing to load.");
    }
    for step in &facts.steps {
        one(page, step);
        if let Some(program) = facts.loaded_by(step) {
            of_program(page, program);
        }
    }
}

fn one(page: &mut Page, step: &StepFacts) {
    let call = &step.call;
    let (command, size) = (call.command.unwrap_or(call.syscall), call.size.unwrap_or(0));
    page.text(2, &format!("{}. {}({command}, attr, {size})  {}", step.n, call.syscall, call.why));
    let (mut rows, mut zeros) = (Vec::new(), Vec::new());
    for ((name, field), source) in call.fields.iter().zip(&step.sources) {
        if is_zero(field) && !page.look().full {
            zeros.push(*name);
        } else {
            rows.push(vec![(*name).to_owned(), value(field), (*source).to_owned()]);
        }
    }
    page.table(5, &rows);
    if !zeros.is_empty() {
        page.text(5, &format!("zero: {}", zeros.join(", ")));
    }
    let with_bytes = page.look().bytes;
    for (name, field) in call.fields.iter().filter(|_| with_bytes) {
        bytes(page, name, field);
    }
}

/// Whether a field says nothing.
fn is_zero(field: &Field) -> bool {
    match field {
        Field::Number(number) => *number == 0,
        Field::Constant(name) => ZERO.contains(&name.as_str()),
        Field::Null => true,
        Field::Fd(_) | Field::Text(_) | Field::Bytes(_) | Field::Insns(_) => false,
    }
}

/// A field's value; of what a pointer points to, the start.
fn value(field: &Field) -> String {
    match field {
        Field::Insns(insns) => format!("-> {} bytes", insns.len() * Insn::SIZE),
        Field::Bytes(bytes) if bytes.len() > 8 => format!("-> {} bytes", bytes.len()),
        Field::Bytes(bytes) => format!("-> {}", spaced(bytes)),
        field => field.text(Detail::Short),
    }
}

/// What a pointer points to, whole.
fn bytes(page: &mut Page, name: &str, field: &Field) {
    match field {
        Field::Bytes(bytes) if bytes.len() > 8 => {
            page.text(5, &format!("{name}:"));
            page.dump(7, 0, bytes);
        }
        Field::Insns(insns) => {
            page.text(5, &format!("{name}:"));
            let texts = disassemble(insns);
            let ends = texts.iter().skip(1).map(|(number, _)| *number).chain([insns.len()]);
            let row = |((number, text), end): (&(usize, String), usize)| {
                let slots = insns.get(*number..end).unwrap_or_default();
                let slots: Vec<_> = slots.iter().map(|slot| spaced(&slot.encode())).collect();
                vec![format!("{number:>4}"), slots.join("  "), text.clone()]
            };
            page.table(7, &texts.iter().zip(ends).map(row).collect::<Vec<_>>());
        }
        _ => {}
    }
}

/// What the kernel will make of the instructions, as far as that can be known.
fn of_program(page: &mut Page, program: &ProgramFacts) {
    if let Some(unresolved) = &program.unresolved {
        page.text(5, &format!("cannot be loaded like this: {unresolved}"));
    }
    if let (Some(sha256), Some(sha1)) = (&program.tag_sha256, &program.tag_sha1) {
        page.text(5, &format!("tag {sha256} on Linux 6.18 and later (SHA-256), {sha1} before (SHA-1)"));
    }
}
