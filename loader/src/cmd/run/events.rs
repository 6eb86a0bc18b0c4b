//! What a filter reports while packets go through it. It is read after each packet, whether it is shown or not: a ring that is full
//! would make the filter do otherwise than with somebody who reads.

use minibpf::btf::Btf;
use minibpf::btf::value::{self, hex};
use minibpf::kernel::Kernel;
use minibpf::observe::maps::event_type;
use minibpf::observe::ringbuf::RingBuffer;
use serde_json::{Value as Json, json};

use crate::cmd::failure::Failure;
use crate::cmd::load::events::rings;

/// The reader of a load's events.
pub(super) struct Events<'a> {
    rings: Vec<RingBuffer<'a>>,
    btf: Option<&'a Btf<'a>>,
}

/// One event, in words and as data.
pub(super) struct Reported {
    pub(super) text: String,
    pub(super) json: Json,
}

impl<'a> Events<'a> {
    pub(super) fn new(kernel: &'a Kernel, btf: Option<&'a Btf<'a>>) -> Result<Self, Failure> {
        Ok(Self { rings: rings(kernel)?, btf })
    }

    /// Whether the filter can report anything.
    pub(super) fn are_possible(&self) -> bool {
        !self.rings.is_empty()
    }

    /// Takes what there is; returns how much that was.
    pub(super) fn take(&self, mut each: impl FnMut(Reported) -> Result<(), Failure>) -> Result<u64, Failure> {
        let mut count = 0;
        for ring in &self.rings {
            while let Some(bytes) = ring.next_record() {
                count += 1;
                each(self.reported(ring.name(), &bytes))?;
            }
        }
        Ok(count)
    }

    fn reported(&self, map: &str, bytes: &[u8]) -> Reported {
        let typed = self.btf.and_then(|btf| {
            let ty = event_type(btf, bytes)?;
            Some((btf.get(ty).ok()?.name, value::read(btf, ty, bytes)))
        });
        let text = match &typed {
            Some((name, value)) => format!("{map}: {name} {value}"),
            None => format!("{map}: {}  {}", hex(bytes), bytes.escape_ascii()),
        };
        let (name, value) = typed.unzip();
        Reported { text, json: json!({ "map": map, "type": name, "value": value, "bytes": hex(bytes) }) }
    }
}
