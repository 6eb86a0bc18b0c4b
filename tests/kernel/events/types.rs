//! The struct by which an event's bytes are shown.

use super::{load, send, two_maps};
use crate::support::process::run;
use crate::support::{Json, number, text, unhex};

/// What `two_maps()` reports of one packet.
fn two_events(more: &[&str]) -> (Json, Json) {
    let made = two_maps();
    let (running, local) = load(&made, &[more, &["--count", "2"]].concat());
    send(local, 1);
    let ran = running.end().expect(0);
    assert_eq!(ran.summary()["ended"], "count reached");
    let events = ran.kind("event");
    let of = |map: &str| events.iter().find(|event| event["map"] == map).unwrap().clone();
    (of("numbers"), of("events"))
}

#[test]
#[ignore = "needs CAP_BPF"]
fn events_of_two_maps_have_the_types_that_were_asked_for() {
    let (ring, perf) = two_events(&["--event-type", "numbers=length", "--event-type", "events=struct event"]);
    assert_eq!(ring["type"], "length");
    // The UDP header, and six bytes.
    assert_eq!(number(&ring["value"], "len"), 14);
    assert!(ring.get("cpu").is_none() && ring.get("rest").is_none(), "{ring}");

    assert_eq!(perf["type"], "event");
    assert_eq!(perf["value"], serde_json::json!({ "cpu": perf["cpu"], "len": 14, "number": 3 }));
    let bytes = unhex(text(&perf, "bytes"));
    let rest = unhex(text(&perf, "rest"));
    assert_eq!(bytes[16..], rest);
    assert_eq!(&rest[8..14], b"packet", "{perf}");
    assert_eq!(number(&perf, "cpu"), number(&ring["value"], "cpu"));
    let apart = perf["t"].as_f64().unwrap() - ring["t"].as_f64().unwrap();
    assert!(apart.abs() < 10.0, "both are seconds since the start: {ring} {perf}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_event_whose_type_is_not_certain_or_too_long_is_shown_as_bytes() {
    let (ring, perf) = two_events(&[]);
    // Two structs have eight bytes, and none has the perf event's.
    for event in [&ring, &perf] {
        assert_eq!((&event["type"], &event["value"]), (&Json::Null, &Json::Null), "{event}");
    }
    let (ring, _) = two_events(&["--event-type", "numbers=event"]);
    assert_eq!((&ring["type"], text(&ring, "bytes").len()), (&Json::Null, 16), "{ring}");
}

#[test]
fn a_wrong_event_type_is_a_usage_error_that_lists_what_there_is() {
    let made = two_maps();
    let path = made.path();
    let refused = |event_type: &str| {
        let args = ["load", &path, "--listen", "udp:127.0.0.1:0", "--dry-run", "--json", "--event-type", event_type];
        let ran = run(args).expect(2);
        if ran.kind("error").is_empty() { ran.stderr } else { text(&ran.only("error"), "message").to_owned() }
    };
    let message = refused("nosuch=event");
    assert!(message.contains("no map `nosuch` is loaded; those with events are: "), "{message}");
    assert!(message.contains("events") && message.contains("numbers") && !message.contains("counts"), "{message}");
    let message = refused("counts=event");
    assert!(message.contains("map `counts` has no events; those that have are: "), "{message}");
    let message = refused("events=nosuch");
    assert!(message.contains("no struct `nosuch`; there are: "), "{message}");
    assert!(message.contains("event, ") && message.contains("length") && message.contains("twin"), "{message}");
    assert!(refused("events").contains("expected MAP=STRUCT"));
}
