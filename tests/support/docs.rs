//! Lists in the docs that are made of a table in the code.

use std::path::Path;

/// Holds the list that stands in a page of docs/ between `<!-- begin: … -->` and `<!-- end -->` against what the table says now.
/// With `MINIBPF_UPDATE_DOCS` in the environment it is written anew.
#[track_caller]
pub(crate) fn holds_list(page: &str, made: &str, list: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- begin: {made} -->\n"), "<!-- end -->");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page}: no line {begin}"));
    let (said, after) = rest.split_once(end).unwrap_or_else(|| panic!("{page}: no {end} after {begin}"));
    if std::env::var_os("MINIBPF_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{list}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(said, list, "{page}: MINIBPF_UPDATE_DOCS=1 writes it anew");
}
