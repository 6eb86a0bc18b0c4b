//! The loop over the steps, with and without printing, and with and without the kernel.

use std::cell::Cell;
use std::os::fd::{AsFd, AsRawFd};

use minibpf::explain::{self, Call, Descriptors, Fd, Planned};
use minibpf::kernel::{Attempt, BtfFallback, Kernel, Outcome};
use minibpf::plan::{MapCreate, MapId, Plan, ProgId, Step};
use minibpf::sys::{SysError, errno_name};
use nix::errno::Errno;
use serde_json::json;

use super::failure::Failure;
use super::output::Output;

/// Descriptors as they are: of a load that is under way.
pub(crate) struct Live<'a>(pub(crate) &'a Kernel);

impl Descriptors for Live<'_> {
    fn btf(&self) -> Option<Fd> {
        self.0.btf().map(|fd| Fd::Number(fd.as_raw_fd()))
    }

    fn map(&self, id: MapId) -> Fd {
        Fd::Number(self.map_number(id))
    }

    fn prog(&self, id: ProgId) -> Fd {
        Fd::Number(self.0.program(id).map_or(-1, |program| program.as_fd().as_raw_fd()))
    }

    fn map_number(&self, id: MapId) -> i32 {
        self.0.map_fd(id).map_or(-1, |map| map.as_raw_fd())
    }
}

/// How system calls are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Not at all.
    Off,
    /// Whole, on standard error.
    Trace,
    /// As part of a story: without what is zero, on standard output.
    Story,
}

/// Shows system calls as they happen.
pub(crate) struct Tracer<'a> {
    output: &'a Output,
    style: Style,
    calls: Cell<u64>,
}

impl<'a> Tracer<'a> {
    pub(crate) fn new(output: &'a Output, style: Style) -> Self {
        Self { output, style, calls: Cell::new(0) }
    }

    /// Where it shows them.
    pub(crate) fn output(&self) -> &'a Output {
        self.output
    }

    /// For `--trace`.
    pub(crate) fn if_asked(output: &'a Output, on: bool) -> Self {
        Self::new(output, if on { Style::Trace } else { Style::Off })
    }

    /// A call that was made, and what it returned.
    pub(crate) fn call(&self, call: impl FnOnce() -> Call, result: Result<i32, Errno>) -> Result<(), Failure> {
        if self.style == Style::Off {
            return Ok(());
        }
        let call = call();
        let returned = match result {
            Ok(number) => number.to_string(),
            Err(errno) => format!("-1 {} ({})", errno_name(errno), errno.desc()),
        };
        match self.style {
            Style::Story => self.output.text(format_args!("   {} = {returned}", call.brief()))?,
            _ => self.output.tell(format_args!("{} = {returned}  /* {} */", call.text(self.output.detail()), call.why)),
        }
        self.calls.set(self.calls.get() + 1);
        let mut line = json!({ "kind": "syscall", "n": self.calls.get() });
        extend(&mut line, call.json());
        extend(&mut line, json!({ "ret": result.unwrap_or(-1), "errno": result.err().map(errno_name) }));
        self.output.data(&line)
    }

    /// As [`Tracer::call`], with a result of ours.
    pub(crate) fn result<T>(&self, call: impl FnOnce() -> Call, result: &Result<T, SysError>) -> Result<(), Failure> {
        self.call(call, result.as_ref().map(|_| 0).map_err(|error| error.errno))
    }

    fn attempt(&self, kernel: &Kernel, step: &Step, attempt: &Attempt) -> Result<(), Failure> {
        let alternative = match step {
            Step::BtfLoad(step) if attempt.is_fallback => step.sanitized().map(Step::BtfLoad),
            _ => None,
        };
        let (step, log) = (alternative.as_ref().unwrap_or(step), (attempt.log_level, attempt.log_size));
        let call = || {
            let call = explain::step_attempt(step, &Live(kernel), log);
            let why = "simpler types, which any kernel takes".to_owned();
            if attempt.is_fallback { Call { why, ..call } } else { call }
        };
        self.call(call, attempt.result)
    }

    /// Performs a step and prints each of its calls.
    pub(crate) fn apply(&self, kernel: &mut Kernel, step: &Step) -> Result<Outcome, Failure> {
        let outcome = kernel.apply(step);
        for attempt in &outcome.attempts {
            self.attempt(kernel, step, attempt)?;
        }
        if let Step::MapCreate(MapCreate { warning: Some(warning), .. }) = step {
            self.output.warn("pointer", warning)?;
        }
        if let Some(fallback) = outcome.fallback.as_ref().filter(|fallback| fallback.error.errno != Errno::EPERM) {
            let BtfFallback { error, reason, is_sanitized } = fallback;
            let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            let then =
                if *is_sanitized { "going on with simpler types" } else { "going on without types and source lines" };
            self.output.warn("btf", format_args!("{error}{reason}: {then}"))?;
        }
        Ok(outcome)
    }
}

/// Prints what would be done: each step as its call, the patches of a program before it.
pub(crate) fn dry_run(output: &Output, plan: &Plan) -> Result<(), Failure> {
    for (number, step) in plan.steps.iter().enumerate() {
        if let Step::ProgLoad(program) = step {
            let resolved = program.resolve(|_| 0);
            for patch in &program.patches {
                let text = explain::patch_text(program, patch, &resolved);
                output.text(format_args!(
                    "  insn {:>4}  {}  {} -> {}  `{}`",
                    text.insn, text.before, text.after, text.becomes, text.symbol
                ))?;
                let names = json!({ "kind": "patch", "program": program.name });
                let facts = json!({ "insn": text.insn, "symbol": text.symbol, "becomes": text.becomes, "before": text.before, "after": text.after });
                output.data(&merged(names, facts))?;
            }
        }
        let call = explain::step(step, &Planned(plan));
        output.text(format_args!("{}  /* {} */", call.text(output.detail()), call.why))?;
        output.data(&merged(json!({ "kind": "step", "n": number + 1 }), call.json()))?;
    }
    for name in &plan.unused_maps {
        output.say(format_args!("map `{name}` is not created: no program to be loaded uses it"));
    }
    Ok(())
}

/// Two JSON objects as one.
pub(crate) fn merged(mut first: serde_json::Value, second: serde_json::Value) -> serde_json::Value {
    extend(&mut first, second);
    first
}

fn extend(line: &mut serde_json::Value, more: serde_json::Value) {
    if let (Some(line), serde_json::Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(more);
    }
}
