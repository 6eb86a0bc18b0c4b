//! The explanation as one HTML page that needs nothing but a browser: to point at, mail, print.
//!
//! ```text
//! Facts, insns, run ──data──▶ JSON ──escape──▶ <script type="application/json">   what the page knows
//! *.js ──script──▶ one inline script ──sha256──▶ Content-Security-Policy          what the page may run
//! ```
//!
//! The page is made of the same facts as [`super::page`] and the JSON. The same input gives the same bytes: there is no clock in
//! it, and no path of this machine. Whatever an object, a run or a source file says gets into the page as JSON alone, and the
//! scripts put it into text nodes alone; the policy allows nothing but the scripts and the style that are here.

mod attr;
mod data;
mod refusal;
mod run;
mod script;
mod shape;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::foreign::commands;

pub use data::{Reading, Report, Source};
pub use refusal::Refusal;
pub use run::{LARGEST_RUN, Run, RunError};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

/// The page, whole.
pub fn html(report: &Report<'_>) -> String {
    let script = script::whole();
    let data = escaped(&report.json().to_string());
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(STYLE)
    );
    // One pass over the template, so that nothing inside a part can be taken for the place of another.
    let mut page = String::with_capacity(TEMPLATE.len() + STYLE.len() + script.len() + data.len());
    for (index, part) in TEMPLATE.split("@@").enumerate() {
        page.push_str(match part {
            "POLICY" if index % 2 == 1 => &policy,
            "STYLE" if index % 2 == 1 => STYLE,
            "DATA" if index % 2 == 1 => &data,
            "SCRIPT" if index % 2 == 1 => &script,
            text => text,
        });
    }
    page
}

/// A source expression of the policy: the text between the tags, and no other.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// JSON that cannot end the element that it stands in, nor begin a comment there, nor command a terminal that the page is printed on:
/// outside strings JSON has none of these characters.
pub fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for letter in json.chars() {
        if matches!(letter, '<' | '>' | '&') || commands(letter) {
            safe.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            safe.push(letter);
        }
    }
    safe
}

#[cfg(test)]
mod tests;
