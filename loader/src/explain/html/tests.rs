mod runs;

use std::collections::HashSet;
use std::mem::offset_of;

use super::*;
use crate::elf::Object;
use crate::explain::facts::{Facts, Readings};
use crate::link::Options;
use crate::lint::Limits;
use crate::plan::Plan;
use crate::spec::Spec;
use crate::sys::attr::{BtfLoadAttr, MapCreateAttr, MapElemAttr, ProgLoadAttr};
use crate::target::Target;
use crate::testing::{EXIT, Elf, LDDW, OBJECTS, R_BPF_64_64};

/// The page of an object, for no kernel in particular.
fn page(name: &str, bytes: &[u8], run: &Run, sources: &[Source]) -> String {
    let object = Object::parse(bytes).expect("the object is readable");
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::none()).expect("the object has a program");
    let limits = Limits::default();
    let facts = Facts::of(&Readings { bytes, spec: &spec, plan: Some(&plan), extra_section: None, limits });
    let reading = Some(Reading { spec: &spec, plan: Some(&plan), facts: &facts });
    html(&Report { name, bytes, reading, refusals: &Refusal::all(&spec, &plan), run, sources, hooks: &[] })
}

fn plain(name: &str, bytes: &[u8]) -> String {
    page(name, bytes, &Run::default(), &[])
}

/// What stands between two texts, of which the first is there once.
fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
    let (before, rest) = page.split_once(start).expect("the first is there");
    assert!(!before.contains(start) && !rest.contains(start), "{start} is there twice");
    rest.split_once(end).expect("the second is there").0
}

const DATA: &str = "<script type=\"application/json\" id=\"data\">";

fn data(page: &str) -> serde_json::Value {
    serde_json::from_str(between(page, DATA, "</script>")).expect("it is JSON")
}

#[test]
fn the_policy_allows_the_script_and_the_style_of_the_page_and_nothing_else() {
    let page = plain("count.bpf.o", OBJECTS[0].1);
    let script = between(&page, "<script>", "</script>");
    let style = between(&page, "<style>", "</style>");
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let expected = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        hash(script),
        hash(style)
    );
    assert_eq!(policy, expected);
    // Known: the hash of the empty string.
    assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert!(!policy.contains("unsafe"));
}

#[test]
fn the_same_input_gives_the_same_page() {
    for (name, bytes) in OBJECTS {
        assert_eq!(plain(name, bytes), plain(name, bytes));
    }
}

#[test]
fn the_page_of_a_sample_is_small() {
    for (name, bytes) in OBJECTS {
        let page = plain(name, bytes);
        assert!(page.len() < 300_000, "{name}: {} bytes", page.len());
    }
}

#[test]
fn the_page_holds_the_file_and_the_lines_of_explain() {
    let (name, bytes) = OBJECTS[0];
    let data = data(&plain(name, bytes));
    assert_eq!(STANDARD.decode(data["file"]["bytes"].as_str().unwrap()).unwrap(), bytes);
    let kinds: HashSet<_> =
        data["facts"].as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert!(["section", "mapdef", "program", "patch", "step"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let program = &data["programs"][0];
    assert_eq!(program["text"][32], "r1 = 0 ll");
    assert_eq!(program["text"][33], serde_json::Value::Null);
    assert_eq!(program["pieces"], serde_json::json!([[0, 51, 64]]));
    assert_eq!(data["helpers"]["1"], "bpf_map_lookup_elem");
}

/// Names that would be something else than text, if anything took them for it.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "<img src=x onerror=alert(1)>",
        "\"'`&amp;&lt;",
        "\u{202e}txt.exe\u{2066}",
        "\u{2028}\u{2029}",
        "@@DATA@@",
        "\\u003c",
        "${alert(1)}",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("n".repeat(10_000));
    names
}

#[test]
fn no_name_of_an_object_becomes_markup() {
    for name in hostile() {
        let mut elf = Elf::new();
        let code = [LDDW, EXIT].concat();
        let section = elf.program(&format!("socket/{name}"), &name, &code);
        let map = elf.data(&format!(".data.{name}"), &[1, 2, 3, 4]);
        let symbol = elf.var(map, &name, 0, 4);
        elf.reloc(section, 0, R_BPF_64_64, symbol);
        let page = plain(&name, &elf.build());
        let markup = between(&page, DATA, "</script>");
        assert!(!markup.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{name}");
        assert_eq!(page.matches("</script>").count(), 2, "{name}");
        assert_eq!(page.matches("<script").count(), 2, "{name}");
        assert_eq!(data(&page)["file"]["name"], name);
        let (outside, rest) = page.split_once(DATA).unwrap();
        assert!(!outside.contains(&name) || name == "@@DATA@@" && !outside.contains("@@"), "{name}");
        assert!(rest.contains("(() => {"), "{name}: the script is there");
    }
}

#[test]
fn the_script_is_one_scope_in_which_no_name_stands_twice() {
    let script = super::script::whole();
    let declared = script.lines().filter_map(|line| {
        let rest = ["function ", "async function ", "const ", "let ", "class "]
            .iter()
            .find_map(|word| line.strip_prefix(word))?;
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '$').next()
    });
    let mut seen = HashSet::new();
    for name in declared {
        assert!(seen.insert(name), "{name} is declared twice");
    }
    assert!(seen.len() > 60, "only {} names found", seen.len());
    assert!(!script.contains("\nimport ") && !script.contains("\nexport "), "modules are left");
    assert!(!script.contains("</") && !script.contains("<!--"), "it would end its own element");
    // Comments name types by `import(…)`.
    let code = regex::Regex::new(r"(?s)/\*.*?\*/").unwrap().replace_all(&script, "");
    for word in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "fetch(",
        "XMLHttpRequest",
        "import(",
    ] {
        assert!(!code.contains(word), "{word}");
    }
}

#[test]
fn source_files_are_in_the_page_as_text() {
    let source =
        Source { file: "a</script>.c".to_owned(), text: "int main() { return 1 < 2 && 3 > 2; }</script>\0".to_owned() };
    let page = page("count.bpf.o", OBJECTS[0].1, &Run::default(), std::slice::from_ref(&source));
    let data = data(&page);
    assert_eq!(data["sources"][0]["text"], source.text);
    assert_eq!(data["sources"][0]["file"], source.file);
}

/// Offset and size of a field of the struct that is passed to the kernel.
macro_rules! field {
    ($attr:ty, $field:ident) => {{
        let attr = <$attr>::default();
        (stringify!($field), offset_of!($attr, $field), std::mem::size_of_val(&attr.$field))
    }};
}

#[test]
fn the_fields_of_the_attrs_lie_where_the_structs_have_them() {
    let layout = |call: &str| attr::LAYOUTS.iter().find(|(name, _)| *name == call).unwrap().1;
    assert_eq!(
        layout("BPF_MAP_UPDATE_ELEM"),
        [field!(MapElemAttr, map_fd), field!(MapElemAttr, key), field!(MapElemAttr, value), field!(MapElemAttr, flags)]
    );
    assert_eq!(
        layout("BPF_BTF_LOAD"),
        [
            field!(BtfLoadAttr, btf),
            field!(BtfLoadAttr, btf_log_buf),
            field!(BtfLoadAttr, btf_size),
            field!(BtfLoadAttr, btf_log_size),
            field!(BtfLoadAttr, btf_log_level)
        ]
    );
    let prog = [
        field!(ProgLoadAttr, prog_type),
        field!(ProgLoadAttr, insns),
        field!(ProgLoadAttr, license),
        field!(ProgLoadAttr, log_buf),
        field!(ProgLoadAttr, prog_name),
        field!(ProgLoadAttr, prog_btf_fd),
        field!(ProgLoadAttr, func_info),
        field!(ProgLoadAttr, line_info),
        field!(ProgLoadAttr, line_info_cnt),
        field!(ProgLoadAttr, fd_array),
    ];
    assert!(prog.iter().all(|field| layout("BPF_PROG_LOAD").contains(field)));
    let map = [
        field!(MapCreateAttr, map_type),
        field!(MapCreateAttr, inner_map_fd),
        field!(MapCreateAttr, map_name),
        field!(MapCreateAttr, btf_fd),
        field!(MapCreateAttr, btf_value_type_id),
        field!(MapCreateAttr, map_extra),
    ];
    assert!(map.iter().all(|field| layout("BPF_MAP_CREATE").contains(field)));
}

#[test]
fn every_field_of_every_planned_call_has_a_place() {
    for (name, bytes) in OBJECTS {
        let data = data(&plain(name, bytes));
        for step in data["facts"].as_array().unwrap().iter().filter(|line| line["kind"] == "step") {
            let layout = &data["attr"]["layouts"][step["call"].as_str().unwrap()];
            let places: HashSet<_> =
                layout.as_array().unwrap().iter().map(|field| field[0].as_str().unwrap()).collect();
            for field in step["attr"].as_object().unwrap().keys() {
                assert!(places.contains(field.as_str()), "{name}: {} of {}", field, step["call"]);
            }
        }
    }
}
