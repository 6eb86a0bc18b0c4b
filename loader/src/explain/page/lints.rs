//! Between stages 3 and 4: what will go wrong, and who else would load it.

use super::layout::Page;
use crate::explain::facts::Facts;

const LESSON: [&str; 2] = [
    "Only what is certain without the kernel is said; the verifier has the last word, and nothing of this is in the way of a load.",
    "Other loaders are judged by what is known of them: libbpf 1.x, cilium/ebpf and aya of 2026.",
];

pub(super) fn show(page: &mut Page, facts: &Facts) {
    page.stage("lints: what will go wrong, or not as it was meant", &LESSON);
    if facts.lints.is_empty() {
        page.text(2, "Nothing is known.");
    }
    for lint in &facts.lints {
        page.text(2, &lint.text());
        let rows = [("why", lint.why), ("mend", lint.mend.as_str()), ("see", lint.see)];
        page.table(4, &rows.map(|(name, text)| vec![name.to_owned(), text.to_owned()]));
    }
    for known in &facts.loads_in {
        page.text(2, &format!("program `{}` loads in: {}", known.program, known.text()));
    }
}
