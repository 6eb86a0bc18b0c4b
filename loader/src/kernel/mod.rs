//! The steps of a plan, performed: here numbers become descriptors.
//!
//! A [`Kernel`] owns what it has created. When it is dropped, its descriptors are closed, and the kernel frees every map
//! and program that nothing else holds: a socket holds the program that is attached to it, and that holds its maps. Pins
//! hold as well; they are removed too, unless [`Pins::keep`] leaves them.

mod btf;
mod map;
mod open;
mod pin;
mod program;
mod program_info;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use thiserror::Error;

use crate::plan::{Held, MapId, Plan, ProgId, Step};
use crate::sys::SysError;

pub use btf::BtfFallback;
pub use map::Map;
pub use open::Pinned;
pub use pin::{Difference, Mismatch, Pins};
pub use program::{LogRequest, Program};
pub(crate) use program::{SOCKET_FILTER, TRIES};
pub use program_info::ProgramInfo;

/// A step that the kernel refused.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[error("{what}: {}", pin::reason(source, mismatch.as_ref()))]
pub struct KernelError {
    /// What was to be made: `program `count``, `map `ports``.
    pub what: String,
    /// The call and its errno; for a program that of the first try, which had no log.
    pub source: SysError,
    /// The verifier's log, if the kernel wrote one.
    pub log: Option<String>,
    /// Of a pinned map that was to be reused: why it cannot be.
    pub mismatch: Option<Mismatch>,
}

/// One system call that a step made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// `log_level` of `BPF_PROG_LOAD` and `BPF_BTF_LOAD`, else 0.
    pub log_level: u32,
    /// `log_size` of `BPF_PROG_LOAD` and `BPF_BTF_LOAD`, else 0.
    pub log_size: u32,
    /// Whether it was made with the step's alternative: types that any kernel takes.
    pub is_fallback: bool,
    /// What the call returned: a new descriptor's number, or 0.
    pub result: Result<i32, Errno>,
}

impl Attempt {
    fn silent(result: Result<i32, Errno>) -> Self {
        Self { log_level: 0, log_size: 0, is_fallback: false, result }
    }
}

/// What a step did.
#[derive(Debug)]
#[must_use = "a step can fail"]
pub struct Outcome {
    /// Its system calls, in order.
    pub attempts: Vec<Attempt>,
    /// The failure that ends the load.
    pub error: Option<KernelError>,
    /// The failure that does not: the kernel refused the object's types.
    pub fallback: Option<BtfFallback>,
    /// The verifier's log of a program that was accepted, where it was asked for.
    pub log: Option<String>,
}

/// What a load has created so far.
#[derive(Debug, Default)]
pub struct Kernel {
    btf: Option<OwnedFd>,
    maps: BTreeMap<MapId, Map>,
    programs: BTreeMap<ProgId, Program>,
    /// Pinned maps that are not compared yet.
    opened: BTreeMap<MapId, OwnedFd>,
    pins: Pins,
    /// Which log to ask for besides the one after a failure.
    pub log: LogRequest,
}

impl Kernel {
    /// Performs every step of a plan: what `minibpf load` does, without the printing. Pins stay.
    ///
    /// # Errors
    ///
    /// The first step that the kernel refuses; what was created before it is gone, pins included.
    pub fn load(plan: &Plan) -> Result<Self, KernelError> {
        let mut kernel = Self::default();
        for step in &plan.steps {
            if let Some(error) = kernel.apply(step).error {
                return Err(error);
            }
        }
        kernel.take_pins().keep();
        Ok(kernel)
    }

    /// Performs one step.
    pub fn apply(&mut self, step: &Step) -> Outcome {
        if !matches!(step, Step::MapCreate(_)) {
            // The outer maps are there now, and have taken what they need from their patterns.
            self.maps.retain(|_, map| !map.spec().is_pattern);
        }
        let (what, result) = match step {
            Step::BtfLoad(step) => {
                let (fd, outcome) = btf::load(step);
                self.btf = fd;
                return outcome;
            }
            Step::MapCreate(step) => {
                let result = Map::create(step, self.inner_fd(step.inner), self.btf.as_ref().map(AsFd::as_fd));
                let name = format!("map `{}`", step.name);
                (name, result.map(|map| self.keep_map(step.id, map)))
            }
            Step::MapUpdate(step) => self.on_map(step.map, |map| map.fd().update(&step.key, &step.value)),
            Step::SlotUpdate(step) => {
                let fd = self.held_fd(step.holds).to_le_bytes();
                self.on_map(step.map, |map| map.fd().update(&step.index.to_le_bytes(), &fd))
            }
            Step::MapFreeze(step) => self.on_map(step.map, |map| map.fd().freeze()),
            Step::ProgLoad(step) => {
                let map_fd = |id| self.map(id).map_or(-1, |map| map.as_fd().as_raw_fd());
                let (result, outcome) = program::load(step, map_fd, self.btf.as_ref().map(AsFd::as_fd), self.log);
                if let Some(program) = result {
                    self.programs.insert(step.id, program);
                }
                return outcome;
            }
            Step::Pin(step) => return self.apply_pin(step),
        };
        let attempts = vec![Attempt::silent(result.map_err(|error| error.errno))];
        let error = result.err().map(|source| KernelError { what, source, log: None, mismatch: None });
        Outcome { attempts, error, fallback: None, log: None }
    }

    /// The object's types, if the kernel took them.
    pub fn btf(&self) -> Option<&OwnedFd> {
        self.btf.as_ref()
    }

    /// A map by its number in the plan.
    pub fn map(&self, id: MapId) -> Option<&Map> {
        self.maps.get(&id)
    }

    /// All maps.
    pub fn maps(&self) -> impl Iterator<Item = (MapId, &Map)> {
        self.maps.iter().map(|(id, map)| (*id, map))
    }

    /// A program by its number in the plan.
    pub fn program(&self, id: ProgId) -> Option<&Program> {
        self.programs.get(&id)
    }

    /// A program by its name in the object.
    pub fn program_named(&self, name: &str) -> Option<&Program> {
        self.programs.values().find(|program| program.name() == name)
    }

    /// The descriptor of the pattern of a map of maps; 0 for other maps, as the kernel wants it.
    fn inner_fd(&self, inner: Option<MapId>) -> u32 {
        let map = inner.and_then(|id| self.maps.get(&id));
        map.map_or(0, |map| map.as_fd().as_raw_fd().cast_unsigned())
    }

    /// The descriptor of what goes into a slot; -1, which the kernel refuses, if that was not made.
    fn held_fd(&self, held: Held) -> i32 {
        match held {
            Held::Map(id) => self.maps.get(&id).map_or(-1, |map| map.as_fd().as_raw_fd()),
            Held::Prog(id) => self.programs.get(&id).map_or(-1, |program| program.as_fd().as_raw_fd()),
        }
    }

    fn keep_map(&mut self, id: MapId, map: Map) -> i32 {
        let fd = map.as_fd().as_raw_fd();
        self.maps.insert(id, map);
        fd
    }

    fn on_map(&self, id: MapId, call: impl Fn(&Map) -> Result<(), SysError>) -> (String, Result<i32, SysError>) {
        match self.maps.get(&id) {
            Some(map) => (format!("map `{}`", map.name()), call(map).map(|()| 0)),
            None => (format!("map {}", id.0), Err(SysError { call: "map not created", errno: Errno::EBADF })),
        }
    }
}
