//! Every chapter has the same parts, in the same order, and its exercises have solutions.

use std::fs;

use regex::Regex;

use crate::pages::{self, Page};

/// The parts of a chapter.
const PARTS: [&str; 7] = ["Break it", "Bytes", "Code", "In the kernel", "Other loaders", "Check", "Exercises"];

/// The chapters, by number.
fn chapters() -> Vec<(String, Page)> {
    let number = |page: &Page| page.name.strip_prefix("docs/ch").and_then(|rest| rest.get(..2)).map(str::to_owned);
    pages::of_the_book().into_iter().filter_map(|page| number(&page).map(|number| (number, page))).collect()
}

#[test]
fn every_chapter_has_its_parts_in_order() {
    let chapters = chapters();
    let numbers: Vec<usize> = chapters.iter().map(|(number, _)| number.parse().unwrap()).collect();
    assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>(), "a number is missing, or there twice");
    for (number, page) in &chapters {
        let headings = page.headings();
        let parts: Vec<_> =
            headings.iter().filter(|heading| heading.level == 2).map(|heading| heading.text.as_str()).collect();
        assert_eq!(parts, PARTS, "{}", page.name);
        let title = format!("{}. ", number.parse::<u32>().unwrap());
        assert!(headings[0].text.starts_with(&title), "{}: its title does not begin with {title}", page.name);
        assert!(
            page.text.contains("**Goal.** ") && page.text.contains("**Needs.** "),
            "{}: no goal, or no needs",
            page.name
        );
        assert!(!page.console_blocks().is_empty(), "{}: nothing is run", page.name);
    }
}

/// What stands under a heading of the second level.
fn part<'a>(page: &'a Page, heading: &str) -> &'a str {
    let (_, rest) = page.text.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// What each part cannot be without, for all that a reader is promised.
#[test]
fn every_chapter_shows_an_error_names_code_kernel_and_loaders_and_checks_with_a_referee() {
    let wanted = [
        ("Break it", r"(?m)^```console$", "an error that is run"),
        ("Code", r"\[`[^`]+`\]\(\.\./loader/[\w/.-]+\.rs\)", "a function with its file"),
        ("In the kernel", r"`\w+\(\)`", "a function of the kernel"),
        ("In the kernel", r"`\w+/[\w/-]+\.[ch]`", "a file of the kernel"),
        ("In the kernel", r"\b[3-7]\.\d+\b", "a version of the kernel"),
        ("Other loaders", r"libbpf", "libbpf"),
        ("Other loaders", r"cilium/ebpf", "cilium/ebpf"),
        ("Other loaders", r"(?i)\baya\b", "Aya"),
        ("Check", r"(?m)^```console$", "a check that is run"),
        ("Check", r"bpftool|readelf|objdump|strace|python3|\bss ", "a referee"),
    ];
    let wanted = wanted.map(|(heading, pattern, what)| (heading, Regex::new(pattern).unwrap(), what));
    for (_, page) in chapters() {
        for (heading, pattern, what) in &wanted {
            assert!(pattern.is_match(part(&page, heading)), "{}: its part `{heading}` lacks {what}", page.name);
        }
    }
}

/// The numbers at the beginnings of the lines of the last part.
fn exercises(page: &Page) -> Vec<usize> {
    let (_, last) = page.text.rsplit_once("## Exercises").unwrap();
    let numbers = last.lines().filter_map(|line| line.split_once(". ").and_then(|(number, _)| number.parse().ok()));
    numbers.collect()
}

#[test]
fn every_exercise_has_a_solution_and_those_with_something_to_run_run_it() {
    let all = pages::of_the_book();
    for (number, page) in chapters() {
        let exercises = exercises(&page);
        assert!(exercises.len() >= 2, "{}: {} exercises", page.name, exercises.len());
        let name = format!("docs/solutions/ch{number}.md");
        let solutions = all.iter().find(|page| page.name == name).unwrap_or_else(|| panic!("no {name}"));
        assert!(
            page.links().iter().any(|link| link.target == format!("solutions/ch{number}.md")),
            "{} does not link {name}",
            page.name
        );
        let headings = solutions.headings();
        let solved: Vec<usize> = headings
            .iter()
            .filter(|heading| heading.level == 2)
            .filter_map(|heading| heading.text.split('.').next().and_then(|number| number.parse().ok()))
            .collect();
        assert_eq!(solved, exercises, "{name} solves other exercises than {} sets", page.name);
        assert!(!solutions.console_blocks().is_empty(), "{name}: nothing is run");
    }
}

#[test]
fn every_file_of_an_exercise_is_used() {
    let all = pages::of_the_book();
    for folder in fs::read_dir(pages::root().join("docs/exercises")).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()) {
            let name = file.file_name().into_string().unwrap();
            let path = format!("{}/{name}", folder.file_name().unwrap().to_str().unwrap());
            let is_run = |page: &Page| page.console_blocks().into_iter().any(|block| page.text[block].contains(&path));
            assert!(all.iter().any(is_run), "docs/exercises/{path} is in no console block");
        }
    }
}
