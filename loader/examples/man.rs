//! Writes the manual, minibpf.1 and a page for each command, into a directory: `cargo run --example man -- DIR [DATE]`.
//!
//! The pages are made of the definition that the program itself reads its arguments with. It is compiled a second time for that, here
//! alone, so that the program does not carry what it needs once.

#![allow(missing_docs, reason = "the definition's items are the program's, not a library's")]

#[path = "../src/cmd/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "only the definition is used, not what the commands do")]
mod cmd;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Command;
use clap_mangen::Man;
use cmd::{examples, help};

const ENVIRONMENT: [(&str, &str); 4] = [
    ("NO_COLOR", "where it is set and not empty, nothing is coloured unless --color always asks for it"),
    ("TERM", "where it is dumb, likewise"),
    (
        "LISTEN_FDS",
        "how many descriptors a service manager passes, the first of which is 3; --attach listen-fd:N takes one of them",
    ),
    ("LISTEN_PID", "whom they are for: where it is another process, LISTEN_FDS is not looked at"),
];

const OTHERS: [&str; 5] = ["bpf(2)", "setsockopt(2)", "socket(7)", "capabilities(7)", "bpftool(8)"];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (dir, date) = match args.as_slice() {
        [dir] => (dir, ""),
        [dir, date] => (dir, date.as_str()),
        _ => {
            eprintln!("usage: man DIR [DATE]");
            return ExitCode::from(2);
        }
    };
    match write_all(Path::new(dir), date) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("man: {dir}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes every page.
fn write_all(dir: &Path, date: &str) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut program = help::definition().disable_help_subcommand(true);
    program.build();
    for page in program.get_subcommands().chain([&program]) {
        let name = page_name(page);
        let mut text = Vec::new();
        write_page(&mut text, page, &program, date)?;
        std::fs::write(dir.join(format!("{name}.1")), tidied(&text))?;
    }
    Ok(())
}

/// `minibpf-load`, of `load`.
fn page_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// One page, in the order of man-pages(7).
fn write_page(text: &mut Vec<u8>, command: &Command, program: &Command, date: &str) -> io::Result<()> {
    let version = format!("minibpf {}", env!("CARGO_PKG_VERSION"));
    let is_program = page_name(command) == page_name(program);
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let man = Man::new(command.clone().override_usage(usage))
        .title(page_name(command).to_uppercase())
        .date(date)
        .source(version)
        .manual("minibpf manual");
    man.render_title(text)?;
    man.render_name_section(text)?;
    man.render_synopsis_section(text)?;
    man.render_description_section(text)?;
    writeln!(text, ".PP\n{}", escaped(help::STREAMS))?;
    man.render_options_section(text)?;
    if is_program {
        man.render_subcommands_section(text)?;
    }
    section(text, "EXIT STATUS")?;
    for (code, when) in help::EXIT_STATUS {
        entry(text, &code.to_string(), when)?;
    }
    section(text, "ENVIRONMENT")?;
    for (name, what) in ENVIRONMENT {
        entry(text, name, what)?;
    }
    section(text, "EXAMPLES")?;
    for example in examples::of(command.get_name()) {
        entry(text, example.line, example.says)?;
    }
    section(text, "SEE ALSO")?;
    let pages = program.get_subcommands().chain([program]).map(page_name).filter(|name| *name != page_name(command));
    let mut pages: Vec<_> = pages.map(|name| format!("{name}(1)")).collect();
    pages.sort();
    pages.extend(OTHERS.map(str::to_owned));
    writeln!(text, "{}", escaped(&pages.join(", ")))
}

/// What troff would not take as it is: characters beyond ASCII by their number, and of the space before possible values the breaks
/// around it.
fn tidied(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).replace("\n.br\n\n.br\n", "\n.sp\n");
    let special = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\[u{:04X}]", u32::from(c)) };
    text.chars().map(special).collect()
}

fn section(text: &mut Vec<u8>, title: &str) -> io::Result<()> {
    writeln!(text, ".SH \"{title}\"")
}

/// A term, and what it means.
fn entry(text: &mut Vec<u8>, term: &str, means: &str) -> io::Result<()> {
    writeln!(text, ".TP\n\\fB{}\\fR\n{}", escaped(term), escaped(means))
}

/// Text as roff has it: a hyphen that is typed, a quote that is straight, and no control character at the beginning of a line.
fn escaped(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq")
        .replace('"', "\\(dq")
        .replace('`', "\\(ga");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}
