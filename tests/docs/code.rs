//! The pages name the code, and what they name is there: a link whose text is code, to a file of source, says "this is defined there".

use std::fs;

use regex::Regex;

use crate::pages;

#[test]
fn every_name_of_the_code_is_defined_in_the_file_that_its_link_leads_to() {
    let name = Regex::new(r"^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*(\(\))?$").unwrap();
    let mut names = 0;
    let mut wrong = Vec::new();
    for page in pages::of_the_book() {
        for link in page.links().into_iter().filter(|link| link.is_code && name.is_match(&link.text)) {
            let path = page.path.parent().unwrap().join(&link.target);
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
            if !matches!(extension, "rs" | "c" | "h") {
                continue;
            }
            names += 1;
            let source = fs::read_to_string(&path).unwrap_or_default();
            // A module is its file, or the folder of its mod.rs.
            let module = if path.ends_with("mod.rs") { path.parent().unwrap().file_name() } else { path.file_stem() };
            for part in link.text.trim_end_matches("()").split("::") {
                if module.is_none_or(|module| module != part) && !defines(extension, &source, part) {
                    wrong.push(format!("{}: {} does not define `{part}` of `{}`", page.name, link.target, link.text));
                }
            }
        }
    }
    assert!(names > 10, "only {names} names found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a source file defines a name. A type counts also where it has its methods.
fn defines(extension: &str, source: &str, name: &str) -> bool {
    let pattern = if extension == "rs" {
        let words = "fn|struct|enum|trait|type|const|static|union|mod|macro_rules!";
        let defined = format!(r"(?m)\b({words})\s+{name}\b|^\s*impl\b[^{{\n]*\b{name}\b");
        // A variant has no word before it either, but a capital letter, which no call has.
        if name.starts_with(char::is_uppercase) { format!(r"{defined}|^\s+{name}\s*([,({{=]|$)") } else { defined }
    } else {
        // A definition in C has no word before it that says so: it begins its line, or is a member or a value in one that is indented.
        format!(r"(?m)^(\S.*[\s*]|#define\s+){name}\b|^\s+\w+[\w\s*]*[\s*]{name}(\[.*\])?;|^\s+{name}\s*(=.*)?,")
    };
    Regex::new(&pattern).unwrap().is_match(source)
}

#[test]
fn a_name_is_defined_only_where_it_is() {
    let source = "impl Object<'_> {\n    pub fn parse() {\n        other();\n    }\n}\nenum Kind {\n    Socket,\n}\n";
    assert!(defines("rs", source, "Object") && defines("rs", source, "parse") && defines("rs", source, "Socket"));
    assert!(!defines("rs", source, "other") && !defines("rs", source, "pars") && !defines("rs", source, "Obj"));
    let source = "#define SEC(NAME) x\nint count(struct __sk_buff *skb)\n{\n\treturn other(skb);\n}\n";
    assert!(defines("c", source, "count") && defines("c", source, "SEC"));
    assert!(!defines("c", source, "other"));
}

#[test]
fn no_command_of_the_book_names_a_device_as_a_file_to_be_written() {
    // Root's llvm-objcopy and compilers put a file in its place.
    let writes = Regex::new(r"objcopy.*/dev/|-o ?/dev/|=/dev/(stdout|stderr|null)").unwrap();
    let mut files = pages::of_the_book().into_iter().map(|page| page.path).collect::<Vec<_>>();
    for folder in fs::read_dir(pages::root().join("docs/exercises")).unwrap().map(|entry| entry.unwrap().path()) {
        files.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    for path in files {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let found: Vec<_> = text.lines().filter(|line| writes.is_match(line)).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn every_page_that_the_program_speaks_of_is_there_with_its_heading() {
    let page = Regex::new(r"docs/[a-z0-9-]+\.md(#[a-z0-9-]+)?").unwrap();
    let pages = pages::of_the_book();
    let mut said = std::collections::BTreeSet::new();
    for (_, text) in pages::sources() {
        said.extend(page.find_iter(&text).map(|found| found.as_str().to_owned()));
    }
    assert!(said.len() > 10, "only {said:?}");
    for said in said {
        let (name, anchor) = said.split_once('#').unwrap_or((&said, ""));
        let page = pages.iter().find(|page| page.name == name).unwrap_or_else(|| panic!("the program says {said}"));
        let is_there = anchor.is_empty() || page.headings().iter().any(|heading| heading.anchor == anchor);
        assert!(is_there, "the program says {said}");
    }
}
