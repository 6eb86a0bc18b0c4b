//! What is left to say when a load ends.

use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};

use minibpf::btf::value::Value;
use minibpf::explain::{Fd, map_lookup, map_next_key, names};
use minibpf::kernel::{Kernel, Map, Program};
use minibpf::observe::maps::{self, Asked, Element};
use minibpf::observe::stats::mean_ns;
use minibpf::spec::Spec;
use minibpf::sys::sockopt;
use nix::errno::Errno;
use serde_json::{Value as Json, json};

use super::pump::Traffic;
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;
use crate::cmd::show;
use crate::cmd::trace::{Tracer, merged};

/// Elements of a map that are printed for people; `--json` has all.
const SHOWN: usize = 64;

pub(crate) struct Summary<'a> {
    pub(super) output: &'a Output,
    pub(super) tracer: &'a Tracer<'a>,
    pub(super) spec: &'a Spec<'a>,
    pub(super) kernel: &'a Kernel,
    pub(super) stream: &'a TcpStream,
}

impl Summary<'_> {
    pub(super) fn print(&self, program: &Program, name: &str, traffic: &Traffic, counted: bool) -> Result<(), Failure> {
        let info = show::ask_program(self.tracer, program, "how often it ran")?;
        let drops = sockopt::drops(self.stream).ok();
        self.output.say(format_args!("detached: {}", traffic.ended));
        match mean_ns(&info) {
            Some(mean) => self.output.say(format_args!(
                "{name} ran {} times, {mean} ns each in the mean (while it did, the kernel counted every program of the machine)",
                info.run_count
            )),
            None if counted => self.output.say(format_args!("{name} never ran")),
            None => self.output.say(format_args!("{name}: run statistics were off")),
        }
        let Traffic { sent, received, events, .. } = traffic;
        let dropped = drops.map_or_else(String::new, |drops| format!(", {drops} packets dropped"));
        self.output.say(format_args!("{sent} bytes sent, {received} bytes received{dropped}, {events} events"));
        for (_, map) in self.kernel.maps() {
            self.print_map(map)?;
        }
        self.output.data(&json!({
            "kind": "summary", "name": name, "id": info.id, "ended": traffic.ended, "insns_verified": info.verified_insns,
            "run_cnt": counted.then_some(info.run_count), "run_time_ns": counted.then_some(info.run_time_ns),
            "mean_ns": mean_ns(&info), "bytes_sent": sent, "bytes_received": received, "drops": drops, "events": events,
        }))
    }

    fn print_map(&self, map: &Map) -> Result<(), Failure> {
        if !maps::is_walkable(map) {
            return Ok(());
        }
        let elements = self.elements(map)?;
        self.print_text(map, &elements);
        let entries: Vec<_> = elements.iter().map(|element| self.element_json(map, element)).collect();
        let definition = show::map_json(map.spec(), map.info().ok().filter(|_| self.output.json).map(|info| info.id));
        self.output.data(&merged(merged(json!({ "kind": "map" }), definition), json!({ "entries": entries })))
    }

    /// All elements, each question traced.
    fn elements(&self, map: &Map) -> Result<Vec<Element>, Failure> {
        let fd = || Fd::Number(map.as_fd().as_raw_fd());
        let answer = |found: bool| if found { Ok(0) } else { Err(Errno::ENOENT) };
        let mut broken = Ok(());
        let elements = maps::elements(map, map.spec().max_entries as usize, |asked| {
            let traced = match asked {
                Asked::NextKey(key, found) => self.tracer.call(|| map_next_key(fd(), key), answer(found)),
                Asked::Lookup(key, found) => self.tracer.call(|| map_lookup(fd(), key), answer(found)),
            };
            if broken.is_ok() {
                broken = traced;
            }
        });
        broken?;
        elements.map_err(|error| Failure::new(Exit::Other, format!("reading map `{}`: {error}", map.name())))
    }

    fn print_text(&self, map: &Map, elements: &[Element]) {
        let btf = self.spec.btf.as_ref();
        if let ([element], true) = (elements, map.name().starts_with('.')) {
            self.output.say(format_args!("{} (globals)", map.name()));
            match maps::typed_value(map, btf, &element.value) {
                Value::Struct(variables) => {
                    for (name, value) in variables {
                        self.output.say(format_args!("  {name} = {value}"));
                    }
                }
                value => self.output.say(format_args!("  {value}")),
            }
            return;
        }
        let kind = names::map_type_short(map.spec().map_type);
        let (count, max) = (elements.len(), map.spec().max_entries);
        self.output.say(format_args!("{} ({kind}, {count} of at most {max} entries)", map.name()));
        for element in elements.iter().take(SHOWN) {
            let key = maps::typed_key(map, btf, &element.key);
            let value = maps::typed_value(map, btf, &element.value);
            self.output.say(format_args!("  {key}: {value}"));
        }
        if count > SHOWN {
            self.output.say(format_args!("  and {} more; --json has all", count - SHOWN));
        }
    }

    fn element_json(&self, map: &Map, element: &Element) -> Json {
        let btf = self.spec.btf.as_ref();
        json!({ "key": maps::typed_key(map, btf, &element.key), "value": maps::typed_value(map, btf, &element.value) })
    }
}
