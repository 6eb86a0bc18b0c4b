//! Links lead somewhere.

use std::collections::{HashMap, HashSet};

use crate::pages::{self, Page};

#[test]
fn every_link_leads_to_a_file_of_this_repository_and_to_a_heading_that_is_there() {
    let pages = pages::of_the_book();
    let headings: HashMap<_, _> =
        pages.iter().map(|page| (page.path.canonicalize().unwrap(), page.headings())).collect();
    let mut wrong = Vec::new();
    let mut links = 0;
    for page in &pages {
        for link in page.links().into_iter().filter(|link| !link.target.contains("://")) {
            links += 1;
            let (file, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
            let path = if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
            let Ok(path) = path.canonicalize() else {
                wrong.push(format!("{}: no file {}", page.name, link.target));
                continue;
            };
            let is_there =
                |path| headings.get(path).is_some_and(|all: &Vec<_>| all.iter().any(|one| one.anchor == anchor));
            if !anchor.is_empty() && !is_there(&path) {
                wrong.push(format!("{}: no heading {}", page.name, link.target));
            }
        }
    }
    assert!(links > 100, "only {links} links found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_table_of_contents_and_every_image_says_what_it_shows() {
    let pages = pages::of_the_book();
    let summary: &Page = pages.iter().find(|page| page.name == "docs/SUMMARY.md").unwrap();
    let listed: Vec<_> = summary.links().into_iter().map(|link| format!("docs/{}", link.target)).collect();
    for page in pages.iter().filter(|page| page.name.starts_with("docs/") && page.name != summary.name) {
        assert!(listed.contains(&page.name), "docs/SUMMARY.md does not list {}", page.name);
    }
    for page in &pages {
        for link in page.links().iter().filter(|link| link.target.ends_with(".svg") || link.target.ends_with(".png")) {
            assert!(
                !link.text.trim().is_empty(),
                "{}: {} has no text for those who do not see it",
                page.name,
                link.target
            );
        }
    }
}

#[test]
fn a_picture_of_the_book_has_one_text_wherever_it_is_shown() {
    let pages = pages::of_the_book();
    let texts = &pages.iter().find(|page| page.name == "docs/images/README.md").unwrap().text;
    let mut shown = 0;
    for page in &pages {
        for picture in page.links().iter().filter(|link| link.is_picture) {
            let Some((_, name)) = picture.target.split_once("images/") else { continue };
            shown += 1;
            let pasted = format!("\n![{}](images/{name})\n", picture.text);
            assert!(texts.contains(&pasted), "{}: docs/images/README.md has another text for {name}", page.name);
        }
    }
    assert!(shown > 5, "only {shown} pictures found");
}

#[test]
fn every_term_of_the_glossary_is_linked_from_another_page() {
    let pages = pages::of_the_book();
    let is_glossary = |page: &Page| page.name == "docs/glossary.md";
    let targets: HashSet<String> =
        pages.iter().filter(|page| !is_glossary(page)).flat_map(Page::links).map(|link| link.target).collect();
    let terms = pages.iter().find(|page| is_glossary(page)).unwrap().headings();
    let terms: Vec<_> = terms.iter().filter(|heading| heading.level == 3).collect();
    assert!(terms.len() > 60, "only {} terms", terms.len());
    for term in terms {
        let is_linked = targets.iter().any(|target| target.ends_with(&format!("glossary.md#{}", term.anchor)));
        assert!(is_linked, "no page leads to `{}`", term.text);
    }
}
