//! `/proc/kallsyms`: the addresses of the running kernel's symbols, one in a line: address, kind, name, perhaps a module.

use std::collections::BTreeMap;

/// The addresses of these symbols; `None` if the file cannot be read. Without privileges the kernel shows every address as 0.
pub(super) fn addresses(names: &[&str]) -> Option<BTreeMap<String, Vec<u64>>> {
    let text = std::fs::read("/proc/kallsyms").ok()?;
    Some(find(&String::from_utf8_lossy(&text), names))
}

/// Whether there is a symbol of this name.
pub(super) fn has(name: &str) -> bool {
    addresses(&[name]).is_some_and(|found| found.contains_key(name))
}

pub(super) fn find(kallsyms: &str, names: &[&str]) -> BTreeMap<String, Vec<u64>> {
    let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in kallsyms.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(address), Some(_kind), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
        // A compiler that clones a function for LTO appends `.llvm.` and a hash.
        let name = name.split(".llvm.").next().unwrap_or(name);
        let Some(address) = names.contains(&name).then(|| u64::from_str_radix(address, 16).ok()).flatten() else {
            continue;
        };
        let all = found.entry(name.to_owned()).or_default();
        if !all.contains(&address) {
            all.push(address);
        }
    }
    found
}
