//! The book is true: every console block is run, every link and every name of the code leads somewhere, every chapter has its parts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test may panic: that is how it fails"
)]
#![allow(missing_docs, reason = "tests are named by the sentences they prove")]

mod blocks;
mod chapters;
mod code;
mod examples;
mod figures;
mod kernel;
mod links;
mod normal;
mod options;
mod pages;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

use pages::Page;

#[test]
#[ignore = "needs CAP_BPF"]
fn every_console_block_prints_what_it_says() {
    let pages: Vec<Page> = pages::of_the_book().into_iter().filter(Page::is_wanted).collect();
    let update = std::env::var_os("MINIBPF_UPDATE_DOCS").is_some();
    let (next, commands, count) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let differences = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let now = blocks::run(page);
                    commands.fetch_add(now.commands, Ordering::Relaxed);
                    count.fetch_add(now.blocks, Ordering::Relaxed);
                    if update && now.text != page.text {
                        fs::write(&page.path, &now.text).unwrap();
                    } else if !now.differences.is_empty() {
                        differences.lock().unwrap().push((page.name.clone(), now.differences));
                    }
                }
            });
        }
    });
    let (blocks, commands) = (count.into_inner(), commands.into_inner());
    // Past the test harness, which keeps what a test prints to itself.
    let line = format!(
        "docs: {commands} commands in {blocks} console blocks of {} pages were run, none skipped\n",
        pages.len()
    );
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    assert!(commands > 0, "no command found");
    let mut differences = differences.into_inner().unwrap();
    differences.sort();
    let mut said = String::new();
    for (page, difference) in &differences {
        write!(said, "\n{page}:\n{difference}").unwrap();
    }
    assert!(
        said.is_empty(),
        "the docs say something else than the commands (MINIBPF_UPDATE_DOCS=1 writes what they say):{said}"
    );
}
