//! Why the kernel said no, in words: the verifier's log read. What missing privileges say is in [`crate::privileges`].

use crate::insn::Insn;
use crate::plan::{Extern, PatchKind, ProgLoad};

pub use crate::privileges::Privileges;

/// What a verifier's log comes down to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The decisive line: the last one before the statistics.
    pub reason: String,
    /// The last instruction that was looked at, as the log prints it.
    pub insn: Option<String>,
    /// The source line that it came from, as the log prints it.
    pub source: Option<String>,
}

/// Lines that follow the reason and do not explain it.
const STATISTICS: [&str; 4] = ["processed ", "verification time ", "stack depth ", "mark_precise"];

/// Reads a log. The text is for people and changes between kernels; nothing but what is printed depends on it.
pub fn read_log(log: &str) -> Verdict {
    let lines: Vec<_> = log.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let is_statistics = |line: &&&str| STATISTICS.iter().any(|start| line.starts_with(start));
    let before: Vec<_> = lines.iter().filter(|line| !is_statistics(line)).collect();
    let is_insn = |line: &str| {
        line.split_once(": (")
            .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    Verdict {
        reason: before.last().map(|line| (**line).to_owned()).unwrap_or_default(),
        insn: before.iter().rev().find(|line| is_insn(line)).map(|line| (**line).to_owned()),
        source: before.iter().rev().find_map(|line| line.strip_prefix("; ")).map(str::to_owned),
    }
}

impl Verdict {
    /// The relocation that the verifier met: a part of a type, or a function, that the kernel does not have, and that the
    /// program goes on to use. The log knows only the helper that does not exist.
    pub fn missing_in_kernel<'a>(&self, program: &'a ProgLoad) -> Option<&'a str> {
        let number: usize = self.insn.as_ref()?.split(':').next()?.parse().ok()?;
        let patch = program.patches.iter().find(|patch| patch.insn == number)?;
        let poisoned = match patch.kind {
            PatchKind::Core { first, .. } => first.code == Insn::CALL,
            PatchKind::Extern(external) => matches!(external, Extern::MissingKfunc { .. }),
            _ => false,
        };
        poisoned.then_some(patch.symbol.as_str())
    }
}

#[cfg(test)]
mod tests;
