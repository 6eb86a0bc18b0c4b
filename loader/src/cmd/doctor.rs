//! `minibpf doctor`: what this kernel and these privileges allow, and what is missing.

use clap::Args;
use minibpf::doctor::{Check, Diagnosis, Findings, Obstacle, examine};
use minibpf::explain::page::{Line, Look, table};
use serde_json::json;

use super::failure::{Exit, Failure};
use super::output::Output;

/// Say what this kernel and these privileges allow, and what is missing.
///
/// Looks, and tries: it loads a program of two instructions, attaches it to a socket of its own, creates a map and opens a packet
/// socket; nothing of it is left. Exits 0 if a socket filter can be loaded and attached, else 4 if a privilege is missing, else 1.
#[derive(Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let Diagnosis { checks, obstacle } = examine(&Findings::running());
        for check in &checks {
            output.data(&line(check))?;
        }
        print(output, &checks)?;
        match obstacle {
            None => output.text("A socket filter can be loaded and attached."),
            Some(Obstacle { is_privilege, why, remedy }) => {
                let exit = if is_privilege { Exit::Privileges } else { Exit::Other };
                Err(Failure::new(exit, format!("no socket filter can be loaded and attached: {why}")).hint(remedy))
            }
        }
    }
}

fn line(check: &Check) -> serde_json::Value {
    let Check { name, found, ok, means, remedy } = check;
    json!({ "kind": "check", "name": name, "found": found, "ok": ok, "means": means, "remedy": remedy })
}

/// The rows, and then what to do about those that are not as they should be.
fn print(output: &Output, checks: &[Check]) -> Result<(), Failure> {
    let mark = |check: &Check| match check.ok {
        Some(true) => "ok",
        Some(false) => "no",
        None => "-",
    };
    let row =
        |check: &Check| vec![mark(check).to_owned(), check.name.to_owned(), check.found.clone(), check.means.clone()];
    let look = Look { width: output.width(), ..Look::default() };
    write(output, table(&look, 2, &checks.iter().map(row).collect::<Vec<_>>()))?;
    let remedies = remedies(checks);
    if remedies.is_empty() {
        return Ok(());
    }
    output.heading("What would change a \"no\", the most important first:")?;
    write(output, table(&look, 2, &remedies))
}

/// What would mend which rows; one remedy may mend several.
fn remedies(checks: &[Check]) -> Vec<Vec<String>> {
    let mut remedies: Vec<(Vec<&str>, &String)> = Vec::new();
    for check in checks {
        let Some(remedy) = &check.remedy else { continue };
        match remedies.iter_mut().find(|(_, known)| *known == remedy) {
            Some((names, _)) => names.push(check.name),
            None => remedies.push((vec![check.name], remedy)),
        }
    }
    remedies.into_iter().map(|(names, remedy)| vec![names.join(", "), remedy.clone()]).collect()
}

fn write(output: &Output, lines: Vec<Line>) -> Result<(), Failure> {
    lines.into_iter().try_for_each(|line| match line {
        Line::Heading(text) => output.heading(&text),
        Line::Text(text) => output.text(text),
    })
}
