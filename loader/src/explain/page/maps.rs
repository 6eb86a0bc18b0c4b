//! Stage 2: the maps.

use super::layout::Page;
use crate::explain::facts::{Facts, MapFacts};

const LESSON: [&str; 3] = [
    "A filter forgets everything between two packets; what it keeps, and its globals, lie in maps outside it.",
    "In .maps the definition is a type: a number is the length of an array that a member points to.",
    "The book tells it whole in docs/ch04-map-definition.md.",
];

pub(super) fn show(page: &mut Page, facts: &Facts) {
    page.stage("2. maps: what the programs remember", &LESSON);
    if facts.maps.is_empty() {
        page.text(2, "This object has none.");
    }
    for map in &facts.maps {
        one(page, map);
    }
}

fn one(page: &mut Page, map: &MapFacts) {
    let origin = match map.origin {
        "btf" => "defined by its BTF type",
        "legacy" => "defined by the bytes of a struct bpf_map_def",
        "config" => "what the program asks of the kernel's configuration; the file has no such section",
        _ => "a data section",
    };
    page.text(2, &format!("map `{}`: section {} + {:#x}, {origin}", map.name, map.section, map.offset));
    let rows: Vec<_> = map
        .definition
        .iter()
        .map(|member| vec![member.name.clone(), member.sets.clone(), member.from.clone()])
        .collect();
    page.table(4, &rows);
    for variable in &map.variables {
        page.text(4, &format!("byte {}: `{}`, {} bytes", variable.offset, variable.name, variable.size));
    }
    for slot in &map.slots {
        page.text(4, &format!("slot {slot}"));
    }
    if page.look().bytes {
        page.dump(4, map.offset, &map.bytes.0);
    }
    for change in &map.adjusted {
        page.text(4, &format!("note: {change}"));
    }
    if let Some(error) = &map.error {
        page.text(4, &format!("error: {error}"));
    }
    page.text(4, &map.why);
}
