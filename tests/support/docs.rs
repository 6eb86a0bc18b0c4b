//! Parts of pages that are made by a test.

use std::path::Path;

/// What stands in a page of `docs` between `<!-- begin: made BY -->` and `<!-- end -->` is this. With MINIBPF_UPDATE_DOCS in the environment it is
/// written there instead.
pub(crate) fn assert_made(page: &str, by: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- begin: made {by} -->\n"), "<!-- end -->");
    let (before, rest) = text.split_once(&begin).expect("the mark where the part begins");
    let (said, after) = rest.split_once(end).expect("the mark where the part ends");
    if std::env::var_os("MINIBPF_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{expected}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(said, expected, "MINIBPF_UPDATE_DOCS=1 writes it anew");
}
