//! Reading the verifier's log: which instructions it walked to the end, and what it said there.
//!
//! ```text
//! 7: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=hits,ks=4,vs=8)
//! ; *count += 1; @ null-check.bpf.c:20
//! 8: (79) r1 = *(u64 *)(r0 +0)                      the last instruction walked
//! R0 invalid mem access 'map_value_or_null'         what was said there
//! processed 8 insns (limit 1000000) …               statistics
//! ```
//!
//! At level 1 the kernel forgets each path that turned out well, so what is left is the one that did not. At level 2 it
//! keeps all; a line `from 7 to 11: …` goes back to where a path branched off. Linux 7.3 adds its own explanation after what was
//! said; it is passed on as it is. The text is for people and changes between kernels: nothing but what is printed depends on it.

use std::collections::HashMap;

/// An instruction on the path, with the registers after it, as the log has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walked<'l> {
    /// The slot.
    pub(super) insn: usize,
    /// `R0=map_value_or_null(…) R6=ctx()`; empty at the last one.
    pub(super) state: &'l str,
}

/// What a log comes down to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Log<'l> {
    /// The path, from its beginning, or from where the log begins.
    pub(super) walked: Vec<Walked<'l>>,
    /// What was said after its last instruction.
    pub(super) said: Vec<&'l str>,
    /// The last instruction and the last source line, as the log prints them.
    pub(super) last_insn: Option<&'l str>,
    pub(super) last_source: Option<&'l str>,
    /// Whether its end is there. Before Linux 6.4 a log that does not fit into the buffer loses its end, later its beginning.
    pub(super) is_whole: bool,
    /// The kernel's own explanation, since Linux 7.3.
    pub(super) explained: Vec<&'l str>,
}

/// Lines that follow the reason and do not explain it.
const STATISTICS: [&str; 4] = ["processed ", "verification time ", "stack depth ", "insns processed "];
/// Lines about the verifier's own work.
const WORK: [&str; 6] = ["mark_precise", "cur state:", "old state:", "from ", "last_idx ", "regs="];
/// Here the explanation of Linux 7.3 begins.
const EXPLAINED: &str = "Verification failed:";

impl<'l> Log<'l> {
    /// Reads a log.
    pub(super) fn read(text: &'l str) -> Self {
        let mut log = Self::default();
        let mut last_at: HashMap<usize, usize> = HashMap::new();
        for line in text.lines().map(str::trim_end) {
            if STATISTICS.iter().any(|start| line.starts_with(start)) {
                log.is_whole = true;
                break;
            }
            if !log.explained.is_empty() || line.starts_with(EXPLAINED) {
                log.explained.push(line);
            } else if let Some(walked) = walked(line) {
                last_at.insert(walked.insn, log.walked.len());
                log.walked.push(walked);
                log.last_insn = Some(line);
                log.said.clear();
            } else if let Some(from) = branched_off(line) {
                let end = last_at.get(&from).map_or(0, |at| at + 1);
                log.walked.truncate(end);
                log.said.clear();
            } else if let Some(source) = line.strip_prefix("; ") {
                log.last_source = Some(source);
            } else if line.starts_with("Validating ") {
                // A global function is verified by itself, and the log goes on after the path of the one before it.
                log = Self::default();
            } else if !line.is_empty() && !is_state(line) && !WORK.iter().any(|start| line.starts_with(start)) {
                log.said.push(line);
            }
        }
        while log.explained.last().is_some_and(|line| line.is_empty()) {
            log.explained.pop();
        }
        log
    }
}

/// A path that is walked to the limit has so many instructions; a log that breaks off after fewer has another reason.
const VERY_LONG: usize = 100_000;

impl Log<'_> {
    /// Whether the end is lost because the path was so long.
    pub(super) fn is_cut(&self) -> bool {
        !self.is_whole && self.explained.is_empty() && self.walked.len() >= VERY_LONG
    }
}

/// `7: (85) call bpf_map_lookup_elem#1  ; R0=…`.
fn walked(line: &str) -> Option<Walked<'_>> {
    let (number, rest) = line.split_once(": (")?;
    let insn = number.parse().ok()?;
    let state = match rest.split_once("; ") {
        Some((_, state)) => state,
        // A jump that was taken shows the state at its target: `if r0 != 0x0 goto pc+2 11: R0=…`.
        None => rest.split_once(": ").map_or("", |(_, state)| state),
    };
    Some(Walked { insn, state })
}

/// `from 7 to 11: R0=…`: the slot where the path branched off.
fn branched_off(line: &str) -> Option<usize> {
    let (from, to) = line.strip_prefix("from ")?.split_once(" to ")?;
    let to = to.split(|c: char| !c.is_ascii_digit()).next()?;
    to.parse::<usize>().ok()?;
    from.parse().ok()
}

/// `11: R0=…`: registers at a slot.
fn is_state(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(number, _)| number.parse::<usize>().is_ok())
}

/// What a state says of a register: `map_value_or_null(id=1,map=hits,ks=4,vs=8)`.
pub(super) fn register_state(state: &str, register: u8) -> Option<&str> {
    let name = format!("R{register}");
    // Older kernels mark registers that were written: `R0_w=`.
    let marks = ["=", "_w=", "_r=", "_rw="];
    let starts = state
        .match_indices(&name)
        .filter(|(at, _)| state.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with(' ')));
    let values = starts.filter_map(|(at, _)| {
        let rest = state.get(at + name.len()..)?;
        marks.iter().find_map(|mark| rest.strip_prefix(mark))
    });
    values.map(up_to_space).next()
}

/// A value ends at the first space outside brackets.
fn up_to_space(text: &str) -> &str {
    let mut depth = 0usize;
    let end = text.find(|c| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ' ' && depth == 0
    });
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
