//! What a filter reports while packets go through it. It is read after each packet, whether it is shown or not: a ring that is full
//! would make the filter do otherwise than with somebody who reads.

use minibpf::btf::value::hex;
use minibpf::kernel::Kernel;
use minibpf::observe::events::{Consumer, Event, EventTypes, Record, Typed};
use serde_json::{Value as Json, json};

use crate::cmd::events::open;
use crate::cmd::failure::Failure;
use crate::cmd::trace::Tracer;

/// The reader of a load's events.
pub(super) struct Events<'a> {
    consumer: Option<Consumer<'a>>,
    types: EventTypes<'a>,
    lost: u64,
}

/// One event, in words and as data.
pub(super) struct Reported {
    pub(super) text: String,
    pub(super) json: Json,
}

impl<'a> Events<'a> {
    pub(super) fn new(kernel: &'a Kernel, tracer: &Tracer<'_>, types: EventTypes<'a>) -> Result<Self, Failure> {
        Ok(Self { consumer: open(kernel, tracer)?, types, lost: 0 })
    }

    /// Whether the filter can report anything.
    pub(super) fn are_possible(&self) -> bool {
        self.consumer.is_some()
    }

    /// How many were lost, as far as that is counted.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// A ring buffer that was found full: what it then refused is counted nowhere.
    pub(super) fn full(&self) -> Option<&str> {
        let full = self.consumer.iter().flat_map(Consumer::found_full).find(|(_, times)| *times > 0);
        full.map(|(map, _)| map.name())
    }

    /// Takes what there is; returns how much that was.
    pub(super) fn take(&mut self, mut each: impl FnMut(Reported) -> Result<(), Failure>) -> Result<u64, Failure> {
        let Some(consumer) = &mut self.consumer else { return Ok(0) };
        let mut result = Ok(());
        let taken = consumer.drain(usize::MAX, |event| match event {
            Event::Record(record) if result.is_ok() => result = each(reported(&mut self.types, &record)),
            Event::Record(_) => {}
            Event::Lost(lost) => self.lost = self.lost.saturating_add(lost.count),
        });
        result.map(|()| taken as u64)
    }
}

fn reported(types: &mut EventTypes<'_>, record: &Record<'_>) -> Reported {
    let (map, bytes) = (record.map.name(), record.bytes);
    let typed = types.apply(record);
    let text = match &typed {
        Some(Typed { name, value, .. }) => format!("{map}: {name} {value}"),
        None => format!("{map}: {}  {}", hex(bytes), bytes.escape_ascii()),
    };
    let bytes = typed.as_ref().filter(|typed| typed.rest.is_empty()).map_or(bytes, |typed| typed.bytes);
    let (name, value) = typed.as_ref().map(|typed| (typed.name, &typed.value)).unzip();
    Reported { text, json: json!({ "map": map, "type": name, "value": value, "bytes": hex(bytes) }) }
}
