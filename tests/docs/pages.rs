//! The pages: the README, the book, and the solutions of its exercises.

use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A page, read once.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    /// Its path from the repository's root.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A link of a page, or a picture in it: its text, whether that is one code span, and where it leads.
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) is_code: bool,
    pub(crate) is_picture: bool,
    pub(crate) target: String,
}

/// A heading, and the anchor that a forge and mdBook give it.
pub(crate) struct Heading {
    pub(crate) level: usize,
    pub(crate) text: String,
    pub(crate) anchor: String,
}

/// The repository's root: where cargo says the package is now, since the sources may have moved since they were compiled.
pub(crate) fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().unwrap().to_owned()
}

/// Every page: what stands at the root, the book, its pictures' page, and the solutions.
pub(crate) fn of_the_book() -> Vec<Page> {
    let root = root();
    let mut paths = Vec::new();
    for folder in ["", "docs", "docs/images", "docs/solutions"] {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        paths.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    paths.sort();
    paths.into_iter().map(|path| Page::read(&root, path)).collect()
}

/// Every Rust file of the program: its path and its text.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("loader/src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

impl Page {
    fn read(root: &Path, path: PathBuf) -> Self {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        Self { path, name, text }
    }

    /// Whether `MINIBPF_DOCS` asks for it: parts of names, with commas between them; all without it.
    pub(crate) fn is_wanted(&self) -> bool {
        std::env::var("MINIBPF_DOCS").map_or(true, |wanted| wanted.split(',').any(|part| self.name.contains(part)))
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, std::ops::Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }

    /// The blocks that are run: where each one's text stands in the page.
    pub(crate) fn console_blocks(&self) -> Vec<std::ops::Range<usize>> {
        let mut found = Vec::new();
        for (event, range) in self.events() {
            if let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) = event
                && &*info == "console"
            {
                let fenced = &self.text[range.clone()];
                let begin = fenced.find('\n').unwrap() + 1;
                let end = fenced.rfind("```").unwrap();
                found.push(range.start + begin..range.start + end);
            }
        }
        found
    }

    pub(crate) fn links(&self) -> Vec<Link> {
        let mut found: Vec<Link> = Vec::new();
        let mut within = false;
        for (event, _) in self.events() {
            let is_picture = matches!(event, Event::Start(Tag::Image { .. }));
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    let target = dest_url.into_string();
                    found.push(Link { text: String::new(), is_code: true, is_picture, target });
                    within = true;
                }
                Event::End(TagEnd::Link | TagEnd::Image) => within = false,
                Event::Code(text) if within => found.last_mut().unwrap().text.push_str(&text),
                Event::Text(text) if within => {
                    let link = found.last_mut().unwrap();
                    link.text.push_str(&text);
                    link.is_code = false;
                }
                _ => {}
            }
        }
        found
    }

    pub(crate) fn headings(&self) -> Vec<Heading> {
        let mut found: Vec<Heading> = Vec::new();
        let mut within = false;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    found.push(Heading { level: level as usize, text: String::new(), anchor: String::new() });
                    within = true;
                }
                Event::End(TagEnd::Heading(_)) => within = false,
                Event::Code(text) | Event::Text(text) if within => found.last_mut().unwrap().text.push_str(&text),
                _ => {}
            }
        }
        let mut anchors: Vec<String> = Vec::new();
        for heading in &mut found {
            heading.anchor = anchor(&heading.text);
            let times = anchors.iter().filter(|anchor| **anchor == heading.anchor).count();
            anchors.push(heading.anchor.clone());
            if times > 0 {
                heading.anchor = format!("{}-{times}", heading.anchor);
            }
        }
        found
    }
}

/// Small letters, a `-` for each blank, and no other punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}
