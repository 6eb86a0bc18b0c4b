use super::super::{LARGEST_RUN, Run, RunError};

fn kinds(run: &Run) -> Vec<&str> {
    run.lines.iter().map(|line| line["kind"].as_str().unwrap()).collect()
}

#[test]
fn lines_of_unknown_kinds_are_left_out() {
    let text = b"{\"kind\":\"program\",\"name\":\"a\"}\n\n{\"kind\":\"of the future\"}\r\n{\"kind\":\"summary\"}";
    assert_eq!(kinds(&Run::read(text, "a.o").unwrap()), ["program", "summary"]);
}

#[test]
fn of_several_objects_only_the_lines_of_this_one_count() {
    let text =
        b"{\"kind\":\"program\",\"obj\":\"x/a.o\"}\n{\"kind\":\"program\",\"obj\":\"x/b.o\"}\n{\"kind\":\"summary\"}";
    assert_eq!(kinds(&Run::read(text, "a.o").unwrap()), ["program", "summary"]);
}

#[test]
fn an_error_says_which_line_is_wrong_and_what_was_expected() {
    let says = |text: &[u8]| Run::read(text, "a.o").unwrap_err().to_string();
    let good = "{\"kind\":\"summary\"}\n";
    let said = says(format!("{good}{good}{{\"kind\":").as_bytes());
    assert!(said.starts_with("line 3, column 8: not JSON: EOF while parsing a value; expected a line of"), "{said}");
    assert!(says(format!("{good}[1]").as_bytes()).starts_with("line 2: a list; expected an object with a \"kind\""));
    assert!(says(b"{\"a\":1}").starts_with("line 1: an object without a \"kind\""));
    assert!(says(b"{\"kind\":1}").starts_with("line 1: an object without a \"kind\""));
    assert!(says(b"\xff\xfe").starts_with("line 1, column"));
    assert!(says(&b"[".repeat(100_000)).starts_with("line 1, column 1"), "deep nesting");
}

#[test]
fn a_field_that_the_page_takes_apart_has_the_right_type_or_the_line_is_named() {
    let wrong = [
        "\"maps\":5",
        "\"maps\":[{}]",
        "\"attr\":[]",
        "\"why\":{}",
        "\"given\":[{\"n\":-1}]",
        "\"ret\":\"x\"",
        "\"explanation\":{\"reason\":\"x\",\"history\":[{}]}",
        "\"explanation\":{\"reason\":null}",
        "\"explanation\":{\"reason\":\"x\",\"path\":[[1,2,3]]}",
    ];
    for field in wrong {
        let text = format!("{{\"kind\":\"summary\"}}\n{{\"kind\":\"program\",{field}}}");
        let said = Run::read(text.as_bytes(), "a.o").unwrap_err().to_string();
        assert!(said.starts_with("line 2, column "), "{field}: {said}");
        assert!(said.ends_with(": no line of a run has that"), "{field}: {said}");
    }
    let nulls = b"{\"kind\":\"program\",\"maps\":null,\"explanation\":null,\"attr\":null}";
    assert_eq!(Run::read(nulls, "a.o").unwrap().lines.len(), 1);
}

#[test]
fn a_run_without_anything_to_show_is_refused() {
    assert_eq!(Run::read(b"", "a.o"), Err(RunError::Nothing));
    assert_eq!(Run::read(b"{\"kind\":\"of the future\"}", "a.o"), Err(RunError::Nothing));
}

#[test]
fn a_run_that_is_too_large_is_refused_before_it_is_read() {
    let text = vec![b'\n'; LARGEST_RUN as usize + 1];
    assert_eq!(Run::read(&text, "a.o"), Err(RunError::TooLarge));
}

#[test]
fn of_a_long_run_the_beginning_and_the_end_are_kept() {
    let lines: String = (0..10_000).map(|n| format!("{{\"kind\":\"event\",\"n\":{n}}}\n")).collect();
    let run = Run::read(lines.as_bytes(), "a.o").unwrap();
    assert_eq!((run.lines.len(), run.left_out), (4000, 6000));
    assert_eq!((&run.lines[0]["n"], &run.lines[3999]["n"]), (&0.into(), &9999.into()));
}

#[test]
fn long_arguments_of_calls_are_cut() {
    let text = format!("{{\"kind\":\"syscall\",\"attr\":{{\"btf\":\"{}\",\"n\":1}}}}", "é".repeat(5000));
    let run = Run::read(text.as_bytes(), "a.o").unwrap();
    assert_eq!(run.lines[0]["attr"]["btf"].as_str().unwrap().chars().count(), 65);
}

#[test]
fn what_other_tools_say_is_kept_apart_from_the_run() {
    let said = |what: &str| {
        format!(
            "{{\"kind\":\"referee\",\"tool\":\"readelf\",\"what\":\"{what}\",\"value\":\"0x40\",\"command\":\"c\"}}\n"
        )
    };
    let text = said("section 3 socket: file offset") + "{\"kind\":\"summary\"}\n" + &said("of the future");
    let run = Run::read(text.as_bytes(), "a.o").unwrap();
    assert_eq!(kinds(&run), ["summary"]);
    assert_eq!(run.referees.len(), 2);
    assert_eq!(Run::read(said("a").as_bytes(), "a.o").unwrap().referees.len(), 1, "alone it is a run too");
    assert_eq!(Run::read(said("a").repeat(10_000).as_bytes(), "a.o").unwrap().referees.len(), 4000);
}

#[test]
fn a_referee_says_four_texts_or_the_line_is_named() {
    for line in [
        "{\"kind\":\"referee\"}",
        "{\"kind\":\"referee\",\"tool\":\"a\",\"what\":\"b\",\"value\":5,\"command\":\"c\"}",
        "{\"kind\":\"referee\",\"tool\":\"a\",\"what\":\"b\",\"value\":\"5\"}",
    ] {
        let said = Run::read(line.as_bytes(), "a.o").unwrap_err().to_string();
        assert!(said.starts_with("line 1, column "), "{said}");
    }
}
