//! What a filter reports through its ring buffers, as it comes.

use std::time::Instant;

use minibpf::btf::Btf;
use minibpf::btf::value::{self, hex};
use minibpf::kernel::Kernel;
use minibpf::observe::maps::event_type;
use minibpf::observe::ringbuf::{self, RingBuffer};
use minibpf::target::page_size;
use serde_json::json;

use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;

/// The reading ends of a load's ring buffers.
pub(crate) fn rings(kernel: &Kernel) -> Result<Vec<RingBuffer<'_>>, Failure> {
    let page = page_size().unwrap_or(4096) as usize;
    let maps = kernel.maps().filter(|(_, map)| map.spec().attr.map_type == ringbuf::MAP_TYPE);
    maps.map(|(_, map)| RingBuffer::new(map, page))
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::new(Exit::Other, format!("reading events: {error}")))
}

/// The printer of events.
pub(crate) struct Events<'a> {
    output: &'a Output,
    btf: Option<&'a Btf<'a>>,
    started: Instant,
}

impl<'a> Events<'a> {
    pub(crate) fn new(output: &'a Output, btf: Option<&'a Btf<'a>>) -> Self {
        Self { output, btf, started: Instant::now() }
    }

    /// Prints event number `number` of the ring buffer `map`.
    pub(super) fn print(&self, number: u64, map: &str, event: &[u8]) -> Result<(), Failure> {
        let seconds = self.started.elapsed().as_secs_f64();
        let typed = self.btf.and_then(|btf| {
            let ty = event_type(btf, event)?;
            Some((btf.get(ty).ok()?.name, value::read(btf, ty, event)))
        });
        match &typed {
            Some((name, value)) => self.output.say(format_args!("{seconds:9.3}  {map}  {name} {value}")),
            None => self.output.say(format_args!("{seconds:9.3}  {map}  {}  {}", hex(event), event.escape_ascii())),
        }
        let (name, value) = typed.unzip();
        self.output.data(&json!({
            "kind": "event", "n": number, "t": seconds, "map": map, "type": name, "value": value,
            "bytes": hex(event),
        }))
    }
}
