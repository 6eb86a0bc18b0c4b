//! The page's script: the modules, one after the other.
//!
//! As files they are ECMAScript modules, so that an editor, a type checker and `node --test` can read each alone. A page from
//! `file://` may not load modules, so their `import` lines are left out here and the word `export` is taken away: what remains shares one
//! scope.

/// In an order in which each module comes after those it needs when it is read.
const MODULES: [&str; 18] = [
    include_str!("store.js"),
    include_str!("dom.js"),
    include_str!("elf.js"),
    include_str!("insn.js"),
    include_str!("sha256.js"),
    include_str!("model.js"),
    include_str!("log.js"),
    include_str!("refused.js"),
    include_str!("atlas.js"),
    include_str!("patch.js"),
    include_str!("code.js"),
    include_str!("calls.js"),
    include_str!("places.js"),
    include_str!("verifier.js"),
    include_str!("referees.js"),
    include_str!("run.js"),
    include_str!("poster.js"),
    include_str!("main.js"),
];

/// The whole script. A module that is not a view of its own stands before the views.
pub(super) fn whole() -> String {
    let lines = MODULES.iter().flat_map(|module| module.lines());
    let lines = lines.filter(|line| !line.starts_with("import ") && !line.starts_with("// @ts-check"));
    let mut script = String::from("(() => {\n'use strict';\n");
    for line in lines {
        script.push_str(line.strip_prefix("export ").unwrap_or(line));
        script.push('\n');
    }
    script.push_str("})();\n");
    script
}
