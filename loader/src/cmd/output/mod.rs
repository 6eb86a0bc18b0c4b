//! Where words go: data to standard output, narration to standard error.

mod escape;
mod lines;
mod stream;

use std::fmt::Display;
use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use minibpf::explain::Detail;
use serde_json::{Value as Json, json};

use super::Common;
use super::failure::Failure;

pub(crate) use lines::Lines;
pub(in crate::cmd) use minibpf::explain::foreign::commands;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The two streams, and how much is said on them.
pub(crate) struct Output {
    pub(crate) json: bool,
    pretty: bool,
    quiet: bool,
    verbose: u8,
    /// Colour on standard error, and on standard output.
    color: bool,
    color_out: bool,
}

impl Output {
    pub(crate) fn new(common: &Common) -> Self {
        let color = |is_terminal: bool| match common.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
                !refused && !dumb && is_terminal
            }
        };
        let (color, color_out) = (color(std::io::stderr().is_terminal()), color(std::io::stdout().is_terminal()));
        let json = common.json || common.pretty;
        Self { json, pretty: common.pretty, quiet: common.quiet, verbose: common.verbose, color, color_out }
    }

    /// How much of long arguments is shown.
    pub(crate) fn detail(&self) -> Detail {
        if self.verbose > 0 { Detail::Full } else { Detail::Short }
    }

    /// Columns of the terminal that data is shown on.
    pub(crate) fn width(&self) -> Option<usize> {
        let size = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
        size.map(|(width, _)| width.0.into())
    }

    /// Whether less is to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether more is to be said.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose > 0
    }

    /// Data: one JSON line. Nothing without `--json`.
    pub(crate) fn data(&self, line: &Json) -> Result<(), Failure> {
        if self.json { write_line(line, self.pretty) } else { Ok(()) }
    }

    /// Data as text. Nothing with `--json`.
    pub(crate) fn text(&self, text: impl Display) -> Result<(), Failure> {
        if self.json { Ok(()) } else { stdout_line(Style::new(), &text) }
    }

    /// Data as text: the title of a part.
    pub(crate) fn heading(&self, text: &str) -> Result<(), Failure> {
        let style = if self.color_out { Style::new().bold() } else { Style::new() };
        if self.json { Ok(()) } else { stdout_line(style, &text) }
    }

    /// Narration. Nothing with `--json`, which carries it as data, and nothing with `--quiet`.
    pub(crate) fn say(&self, text: impl Display) {
        if !self.json && !self.quiet {
            stderr_line(&text);
        }
    }

    /// Narration that was asked for by an option of its own.
    pub(crate) fn tell(&self, text: impl Display) {
        if !self.json {
            stderr_line(&text);
        }
    }

    /// A warning: on both streams under `--json`.
    pub(crate) fn warn(&self, code: &str, text: impl Display) -> Result<(), Failure> {
        self.warn_as(&json!({ "kind": "warning", "code": code, "message": text.to_string() }), &text)
    }

    /// A warning of what may go wrong, which nobody needs to hear of who asked for less.
    pub(crate) fn advise(&self, line: &Json, text: impl Display) -> Result<(), Failure> {
        if self.quiet { self.data(line) } else { self.warn_as(line, text) }
    }

    /// A warning that is data of its own.
    pub(crate) fn warn_as(&self, line: &Json, text: impl Display) -> Result<(), Failure> {
        self.stderr_labelled("warning:", AnsiColor::Yellow, &text);
        self.data(line)
    }

    /// Ends the program with a failure.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if !failure.is_silent() {
            self.stderr_labelled("error:", AnsiColor::Red, &failure.message);
            let (hint, see) = match failure.table.as_slice() {
                [] => (failure.hint.clone(), failure.see),
                table => (Some(table.join("\n        ")), None),
            };
            if let Some(hint) = hint {
                self.stderr_labelled("  hint:", AnsiColor::Cyan, &hint);
            }
            if let Some(see) = see {
                self.stderr_labelled("  see:", AnsiColor::Cyan, &see);
            }
            // The last word; if its reader is gone too, the exit code remains.
            let _ = self.data(&failure.json());
        }
        failure.exit.into()
    }

    /// A line of standard error behind a word that is painted.
    fn stderr_labelled(&self, label: &str, color: AnsiColor, text: &dyn Display) {
        let style = if self.color { Style::new().bold().fg_color(Some(color.into())) } else { Style::new() };
        let word = label.trim_start();
        let indent = label.len() - word.len();
        let mut line = format!("{:indent$}{style}{word}{style:#} ", "").into_bytes();
        push_text(&mut line, text);
        stream::narrate(&line);
    }
}

/// A line of standard error, before there is an [`Output`].
pub(crate) fn tell_unpainted(text: impl Display) {
    stderr_line(&text);
}

/// Writes a line to standard error.
fn stderr_line(text: &dyn Display) {
    let mut line = Vec::new();
    push_text(&mut line, text);
    stream::narrate(&line);
}

/// Writes a line to standard output, in a style.
fn stdout_line(style: Style, text: &dyn Display) -> Result<(), Failure> {
    let mut line = style.render().to_string().into_bytes();
    push_text(&mut line, text);
    line.pop();
    line.extend(format!("{style:#}\n").bytes());
    stream::data(&line)
}

/// Adds text that cannot command a terminal, and the end of its line.
fn push_text(line: &mut Vec<u8>, text: &dyn Display) {
    let start = line.len();
    // Memory takes everything.
    let _ = write!(line, "{text}");
    escape::text(line, start);
    line.push(b'\n');
}

/// Writes one JSON line to standard output.
pub(crate) fn write_line(line: &Json, pretty: bool) -> Result<(), Failure> {
    let text = if pretty { format!("{line:#}") } else { line.to_string() };
    let mut text = text.into_bytes();
    escape::json(&mut text, 0);
    text.push(b'\n');
    stream::data(&text)
}
