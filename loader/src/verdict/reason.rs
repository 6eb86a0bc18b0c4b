//! From the log's last words to a row of the table: what was refused, where, and why.

use super::code::{Code, helper_of};
use super::log::Log;
use super::messages::{Message, NEEDS_PERFMON, messages};
use super::pattern::{self, Captures};
use super::when::Case;
use super::{missing, poison, stack};
use crate::plan::PatchKind;
use crate::uapi::names::map_type_short;
use crate::uapi::{Field, Helper};

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Reason {
    /// The decisive line.
    pub(super) line: String,
    pub(super) message: Option<&'static str>,
    pub(super) why: Option<String>,
    pub(super) mend: Option<String>,
    pub(super) notes: Vec<String>,
    /// The slot of the instruction.
    pub(super) place: Option<usize>,
    /// The register that the message is about.
    pub(super) register: Option<u8>,
    /// The slot where what the message is about came from.
    pub(super) origin: Option<usize>,
}

/// A line that says the numbers of the line after it.
const NUMBERS: &str = "invalid access to map value, value_size={#value_size} off={#off} size={#size}";

/// Said in place of the words that are lost.
const CUT: &str = "the log is so long that its end is lost, and with it the reason";

/// Finds the row that fits.
pub(super) fn find(case: &Case<'_>) -> Reason {
    let (code, log, walked) = (case.code, case.log, case.walked());
    let found = messages().find_map(|message| {
        let (line, mut captures) = said(message, log)?;
        case.holds(message.when, &mut captures).then_some((message, line, captures))
    });
    let cut = || {
        (log.is_cut()).then_some((messages().find(|message| message.name == "too-complex")?, CUT, Captures::default()))
    };
    let Some((message, line, mut captures)) = found.or_else(cut) else {
        let line = log.said.last().or(log.explained.first()).copied().unwrap_or_default().to_owned();
        return Reason { line, place: walked, ..Reason::default() };
    };
    let (place, note) = place(message, &captures, code, walked);
    let mut notes = enrich(&mut captures, code, log, place);
    notes.extend(note);
    let needs_perfmon = message.name == "helper-type"
        && place.and_then(|number| code.insn(number)).and_then(helper_of).is_some_and(Helper::needs_perfmon);
    let (why, mend) = if needs_perfmon { NEEDS_PERFMON } else { (message.why, message.mend) };
    Reason {
        line: line.to_owned(),
        message: Some(message.name),
        why: Some(captures.fill(why)),
        mend: Some(captures.fill(mend)),
        notes,
        place,
        register: captures.register(),
        origin: captures.number("alloc").and_then(|alloc| usize::try_from(alloc).ok()),
    }
}

/// The line that says so, the last one first.
fn said<'l>(message: &Message, log: &Log<'l>) -> Option<(&'l str, Captures)> {
    let fits = |line: &'l str| message.texts.iter().find_map(|text| Some((line, pattern::find(text, line)?)));
    log.said.iter().rev().find_map(|line| fits(line))
}

/// Where it is: the last instruction walked, the one that the message names, or, where it names none, the one that is meant.
fn place(
    message: &Message,
    captures: &Captures,
    code: &Code<'_>,
    walked: Option<usize>,
) -> (Option<usize>, Option<String>) {
    if let Some(insn) = captures.number("insn").and_then(|insn| usize::try_from(insn).ok()) {
        return (Some(insn), None);
    }
    match message.name {
        "stack-frames" => match stack::overflow(code) {
            Some((call, uses)) => (Some(call), Some(format!("bytes of the stack: {uses}"))),
            None => (None, None),
        },
        "indirect-call" => (code.indirect_call(), None),
        "opcode" => (code.no_instruction(captures), None),
        "lddw-halves" => (code.lddw_without_second(), None),
        "lddw-source" => (code.lddw_of_no_meaning(), None),
        "map-fd" => (captures.number("fd").and_then(|fd| code.lddw_of_map(fd)), None),
        "no-exit" => (code.runs_on(), None),
        "spin-lock" => (Helper::named("bpf_spin_lock").and_then(|helper| code.calls_of(helper).next()), None),
        _ => (walked, None),
    }
}

/// Adds what the numbers of a message mean, for the holes of the sentences; returns what is worth a line of its own.
fn enrich(captures: &mut Captures, code: &Code<'_>, log: &Log<'_>, place: Option<usize>) -> Vec<String> {
    let mut notes = Vec::new();
    if captures.get("off").is_none()
        && let Some(numbers) = log.said.iter().find_map(|line| pattern::find(NUMBERS, line))
    {
        captures.extend(numbers);
    }
    if log.said.iter().any(|line| line.contains("bpf_context"))
        && let Some(field) = captures.number("off").and_then(Field::at)
    {
        captures.add("field", field.name.to_owned());
        notes.push(field.describe());
    }
    let insn = place.and_then(|number| code.insn(number));
    let poisoned = captures.number("number").and_then(poison);
    if let Some(helper) = insn.and_then(helper_of) {
        captures.add("helper", helper.name());
        notes.push(helper.describe());
    } else if let Some(poisoned) = poisoned {
        notes.push(poisoned.to_owned());
    }
    if let Some(patch) = place.and_then(|number| code.patch(number)) {
        let is_core = matches!(patch.kind, PatchKind::Core { .. });
        captures.add("symbol", if is_core { missing::of(&patch.symbol) } else { patch.symbol.clone() });
    }
    if captures.get("reg").is_none() {
        // Older kernels do not say which.
        captures.add("reg", "an argument".to_owned());
    }
    if let Some(number) = captures.number("map_type").and_then(|number| u32::try_from(number).ok()) {
        captures.add("map_type_name", map_type_short(number));
    }
    captures.add("license", code.program.license.clone());
    notes
}
