//! The figures of a page are those that a script wrote.

use std::fs;
use std::path::Path;

use crate::pages;

const BEGIN: &str = "<!-- begin: made by scripts/";

#[test]
fn the_figures_of_the_trust_page_are_those_that_the_scripts_wrote() {
    let pages = pages::of_the_book();
    let page = pages.iter().find(|page| page.name == "docs/trust-kernel.md").unwrap();
    let made: Vec<_> = page.text.split(BEGIN).skip(1).collect();
    assert_eq!(made.len(), 3, "faults, kernels and load");
    for block in made {
        let (script, rest) = block.split_once(" -->\n").unwrap();
        let (figures, _) = rest.split_once("<!-- end -->").unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(root.join("scripts").join(script).exists(), "there is no scripts/{script}");
        let written = fs::read_to_string(root.join("tests/trust").join(format!("{script}.txt"))).unwrap();
        assert_eq!(
            figures.trim(),
            written.trim(),
            "scripts/figures puts the figures of tests/trust/{script}.txt into the page"
        );
        assert!(figures.contains(|c: char| c.is_ascii_digit()), "no figure of scripts/{script}");
    }
}
