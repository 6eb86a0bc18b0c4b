//! The explanations of the committed objects, whole, in the files beside this one.
//!
//! `MINIBPF_UPDATE_GOLDEN=1 cargo test --test explain` writes them anew.

use std::path::Path;

use crate::explain;
use crate::support::objects::{COMMITTED, object};

/// Compares with a golden file, or writes it anew.
fn golden(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/explain").join(name);
    if std::env::var_os("MINIBPF_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let said = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    for (number, (said, now)) in said.lines().zip(now.lines()).enumerate() {
        assert_eq!(now, said, "{name}, line {}", number + 1);
    }
    assert_eq!(now.lines().count(), said.lines().count(), "{name}: lines");
}

#[test]
fn the_text_of_each_committed_object_is_its_golden() {
    for name in COMMITTED {
        golden(&format!("{name}.txt"), &explain(&object(name), &[]).expect(0).text());
    }
}

#[test]
fn the_json_of_each_committed_object_is_its_golden() {
    for name in COMMITTED {
        golden(&format!("{name}.jsonl"), &explain(&object(name), &["--json"]).expect(0).text());
    }
}

#[test]
fn bytes_and_every_field_of_the_smallest_filter_are_its_golden() {
    golden("pass-bytes.txt", &explain(&object("pass"), &["--bytes", "-v"]).expect(0).text());
}
