//! Stage 1: the section map.

use super::layout::Page;
use crate::explain::facts::Facts;

const LESSON: [&str; 3] = [
    "An object for BPF is an ordinary relocatable ELF file: nothing in it has an address yet.",
    "The last column says what a loader of socket filters does with each section, or why nothing.",
    "The book tells it whole in docs/ch03-sections-and-symbols.md.",
];

pub(super) fn show(page: &mut Page, facts: &Facts) {
    page.stage("1. elf: the sections", &LESSON);
    let order = if facts.is_big_endian {
        "big-endian, shown with every number turned around: it runs on big-endian machines only"
    } else {
        "little-endian"
    };
    page.text(2, &format!("{} bytes, 64 bits, {} sections, {order}", facts.file_size, facts.sections.len()));
    let head = ["[nr]", "name", "type", "flags", "offset", "bytes", "relocs", "what the loader does with it"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for section in &facts.sections {
        rows.push(vec![
            format!("[{:>2}]", section.index),
            section.name.clone(),
            section.r#type.clone(),
            section.flags.clone(),
            format!("{:#06x}", section.file_offset),
            format!("{:>5}", section.size),
            if section.relocs == 0 { String::new() } else { format!("{:>6}", section.relocs) },
            section.does.clone(),
        ]);
    }
    page.table(2, &rows);
    let with_bytes = page.look().bytes;
    for section in facts.sections.iter().filter(|section| with_bytes && !section.bytes.0.is_empty()) {
        page.text(2, &format!("[{}] {}, at byte {:#x} of the file:", section.index, section.name, section.file_offset));
        page.dump(4, 0, &section.bytes.0);
    }
}
