//! `--event-type`: what a map's events are.

use minibpf::btf::Btf;
use minibpf::observe::events::{EventTypes, has_events};
use minibpf::plan::Plan;

use crate::cmd::failure::{Exit, Failure};

/// Names of structs that an error lists.
const LISTED: usize = 32;

/// `MAP=STRUCT`
#[derive(Debug, Clone)]
pub(crate) struct EventType {
    map: String,
    name: String,
}

pub(crate) fn parse(text: &str) -> Result<EventType, String> {
    let (map, name) = text.split_once('=').ok_or("expected MAP=STRUCT")?;
    let name = name.strip_prefix("struct ").unwrap_or(name);
    if name.is_empty() {
        return Err("expected the name of a struct after the equals sign".to_owned());
    }
    Ok(EventType { map: map.to_owned(), name: name.to_owned() })
}

/// The types that were asked for, or why they cannot be had.
pub(crate) fn choose<'a>(
    asked: &[EventType],
    plan: &Plan,
    btf: Option<&'a Btf<'a>>,
) -> Result<EventTypes<'a>, Failure> {
    let mut types = EventTypes::new(btf);
    for EventType { map, name } in asked {
        let usage = |why: String| Err(Failure::new(Exit::Usage, format!("--event-type {map}={name}: {why}")));
        let known = plan.maps().find(|known| known.name == *map);
        if !known.is_some_and(|known| has_events(known.attr.map_type)) {
            let with_events = plan.maps().filter(|map| has_events(map.attr.map_type)).map(|map| map.name.as_str());
            let there_are = list(with_events.collect());
            return match known {
                None => usage(format!("no map `{map}` is loaded; those with events are: {there_are}")),
                Some(_) => usage(format!("map `{map}` has no events; those that have are: {there_are}")),
            };
        }
        if btf.is_none() {
            return usage("the object has no types: clang writes them with -g".to_owned());
        }
        if !types.choose(map, name) {
            let why = format!("the object has no struct `{name}`; there are: {}", list(types.names()));
            return usage(why).map_err(|failure| {
                failure.hint("clang keeps the types of maps, globals and functions: a global `struct NAME *layout;` keeps one more")
            });
        }
    }
    Ok(types)
}

fn list(mut names: Vec<&str>) -> String {
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let names: Vec<_> = names.into_iter().map(|name| name.escape_debug().to_string()).collect();
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}
