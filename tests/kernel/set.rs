//! `set`: global variables of a loaded program.

use crate::dump::{Pinned, dump};
use crate::support::Json;
use crate::support::bpftool::bpftool;
use crate::support::number;
use crate::support::process::run;

#[test]
#[ignore = "needs CAP_BPF"]
fn a_variable_is_written_where_it_lies() {
    let pinned = Pinned::new();
    let (data, bss) = (pinned.map("_data"), pinned.map("_bss"));
    let set = run(["set", &data, "limit=9", "title=plain", "--json"]).expect(0);
    let limit = &set.kind("set")[0];
    assert_eq!((number(limit, "before"), number(limit, "after"), &limit["in_place"]), (5, 9, &Json::Bool(true)));
    let seen = bpftool(&["map", "dump", "pinned", &data]);
    let variables = &seen[0]["formatted"]["value"][".data"];
    assert_eq!(variables[0]["limit"], 9, "{variables}");
    assert_eq!(dump(&[&data, "title"]).only("variable")["value"], "plain");

    // Only static variables: libbpf would not let it be mapped either.
    let whole = run(["set", &bss, "hidden=3", "--json"]).expect(0).only("set");
    assert_eq!((number(&whole, "after"), &whole["in_place"]), (3, &Json::Bool(false)));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_cannot_be_set_is_refused_before_anything_is_written() {
    let pinned = Pinned::new();
    let data = pinned.map("_data");
    for (map, values, says) in [
        ("_rodata", vec!["constant=1"], "they are constants: the verifier has computed with their values"),
        ("_data", vec!["limit=1", "nothing=2"], "no variable `nothing`; there are: limit, title"),
        ("_data", vec!["limit=1", "title=far too long"], "`title` cannot be `far too long`: 12 bytes, but it holds 8"),
        ("ports", vec!["a=1"], "it holds no global variables"),
    ] {
        let map = pinned.map(map);
        let args = ["set", &map].into_iter().chain(values.iter().copied());
        let ran = run(args).expect(2);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    assert_eq!(number(&dump(&[&data, "limit"]).only("variable"), "value"), 5);
    let program = run(["set", &pinned.fs.path("x/filter"), "limit=1"]).expect(2);
    assert!(program.stderr.contains("that is a program, not a map"), "{}", program.stderr);
}
