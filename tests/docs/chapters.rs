//! Every chapter has the same parts, in the same order, and its exercises have solutions.

use std::fs;

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
