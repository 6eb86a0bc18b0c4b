//! The facts about an object as text, one stage after the other: ASCII, for a terminal of any width.

mod holes;
mod layout;
mod lints;
mod maps;
mod sections;
mod steps;

use super::facts::{Facts, Stage};

pub use layout::Line;
use layout::Page;

/// How the text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Columns of the terminal; `None` for lines as long as they need to be.
    pub width: Option<usize>,
    /// Whether each stage begins with its lesson.
    pub lessons: bool,
    /// Whether fields that are zero are shown one by one.
    pub full: bool,
    /// Whether bytes are shown.
    pub bytes: bool,
}

/// The explanation up to a stage.
pub fn page(facts: &Facts, until: Stage, look: &Look) -> Vec<Line> {
    let mut page = Page::new(*look);
    sections::show(&mut page, facts);
    if until >= Stage::Maps {
        maps::show(&mut page, facts);
    }
    if until >= Stage::Reloc {
        holes::show(&mut page, facts);
        lints::show(&mut page, facts);
    }
    if until >= Stage::Plan {
        steps::show(&mut page, facts);
    }
    page.into_lines()
}

/// Rows of cells in columns, `indent` columns from the left.
pub fn table(look: &Look, indent: usize, rows: &[Vec<String>]) -> Vec<Line> {
    let mut page = Page::new(*look);
    page.table(indent, rows);
    page.into_lines()
}
