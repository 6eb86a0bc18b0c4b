//! The functions of the kernel that the book and the code name are the kernel's: it has a symbol of each, but for those that its compiler
//! has inlined.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

use regex::Regex;

use crate::pages;

static FUNCTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\w+)\(\)").unwrap());
/// `` `a()` and `b()` (since 5.2), `net/core/filter.c` ``: functions, and after them the file that they are in; tables have it without the
/// backticks.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    let path = r"`?(net|kernel|drivers|include|fs)/[\w/.-]+\.[ch]\b";
    Regex::new(&format!(r"(`?\w+\(\)`?( \([^)`]*\))?(, | and |; )?)+{path}")).unwrap()
});

fn named_in(text: &str) -> BTreeSet<String> {
    let places = PLACE.find_iter(text).map(|place| place.as_str());
    places.flat_map(|place| FUNCTION.captures_iter(place)).map(|name| name[1].to_owned()).collect()
}

/// Each comment of a source as one line.
fn comments(source: &str) -> String {
    let lines = source.lines().map(|line| line.trim_start().trim_start_matches(['/', '!']).trim());
    lines.collect::<Vec<_>>().join(" ")
}

/// What is named, and where.
fn named() -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for page in pages::of_the_book() {
        named.extend(named_in(&page.text).into_iter().map(|name| (name, page.name.clone())));
    }
    for (path, text) in pages::sources() {
        named.extend(named_in(&comments(&text)).into_iter().map(|name| (name, path.display().to_string())));
    }
    named
}

#[test]
#[ignore = "needs Linux 6.18: which functions are inlined is its compiler's choice"]
fn every_function_of_the_kernel_that_is_named_is_one_of_its_symbols_or_inlined() {
    let symbols = fs::read_to_string("/proc/kallsyms").unwrap();
    // What the compiler has made of a function ends in `.isra.0` and the like.
    let symbols: BTreeSet<_> =
        symbols.lines().filter_map(|line| line.split_whitespace().nth(2)?.split('.').next()).collect();
    let inlined = include_str!("inlined.txt").lines().filter(|line| !line.starts_with('#')).collect::<BTreeSet<_>>();
    let named = named();
    let unknown: Vec<_> = named
        .iter()
        .filter(|(name, _)| !symbols.contains(name.as_str()) && !inlined.contains(name.as_str()))
        .map(|(name, place)| format!("{name}() in {place}"))
        .collect();
    assert!(named.len() > 100, "only {} found", named.len());
    assert!(unknown.is_empty(), "no symbol, and not in tests/docs/inlined.txt:\n{}", unknown.join("\n"));
    let unused: Vec<_> = inlined.iter().filter(|name| !named.contains_key(**name)).collect();
    assert!(unused.is_empty(), "in tests/docs/inlined.txt and nowhere named: {unused:?}");
}

#[test]
fn a_function_is_known_by_the_file_behind_it() {
    let text = "`a()`, `b()` (since 5.2) and `c()`, `net/core/filter.c`; `run()` and `take()` of `loader/src/cmd.rs`";
    assert_eq!(named_in(text).into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(comments("    /// Kernel: `a()`,\n    /// `b()`"), "Kernel: `a()`, `b()`");
}
