//! The steps that pins need: names in a bpffs, under which programs and maps outlive the process that made them.

use std::path::{Path, PathBuf};

use super::{Held, MapCreate, MapId, Plan, Step};

/// One system call about a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinStep {
    /// mkdir(2). That the directory is there already is as good.
    MakeDir {
        /// Where.
        path: PathBuf,
    },
    /// `bpf(BPF_OBJ_PIN)`. Since 4.4.
    Pin {
        /// What is pinned.
        holds: Held,
        /// Its name in the object.
        name: String,
        /// Where.
        path: PathBuf,
    },
    /// `bpf(BPF_OBJ_GET)`: opens a pinned map that is used instead of a new one. Since 4.4.
    Get {
        /// The map's number.
        map: MapId,
        /// Its name in the object.
        name: String,
        /// Where it is pinned.
        path: PathBuf,
    },
    /// `bpf(BPF_OBJ_GET_INFO_BY_FD)`: the map that was opened must be the one that the object asks for. Since 4.13.
    Compare {
        /// Where it is pinned.
        path: PathBuf,
        /// What the object asks for.
        map: Box<MapCreate>,
    },
}

impl Step {
    /// Where it makes something that stays when minibpf is gone: a pin, or a directory for pins.
    pub fn pins_at(&self) -> Option<&Path> {
        match self {
            Self::Pin(PinStep::MakeDir { path } | PinStep::Pin { path, .. }) => Some(path),
            _ => None,
        }
    }
}

impl Plan {
    /// Where a program or a map is pinned in the end, or was before: a map that is reused.
    pub fn pinned_at(&self, what: Held) -> Option<&Path> {
        let pinned = self.steps.iter().find_map(|step| match step {
            Step::Pin(PinStep::Pin { holds, path, .. }) if *holds == what => Some(path.as_path()),
            _ => None,
        });
        pinned.or_else(|| match what {
            Held::Map(id) => self.reused_from(id),
            Held::Prog(_) => None,
        })
    }

    /// Where a map is pinned that is reused instead of created.
    pub fn reused_from(&self, id: MapId) -> Option<&Path> {
        self.steps.iter().find_map(|step| match step {
            Step::Pin(PinStep::Get { map, path, .. }) if *map == id => Some(path.as_path()),
            _ => None,
        })
    }
}

/// A symbol's name as the name of a pin: a bpffs takes no dots, and a slash would lead elsewhere.
///
/// Kernel: `bpf_lookup()`, `kernel/bpf/inode.c`, answers EPERM. libbpf writes `_` for a dot as well.
pub fn pin_name(name: &str) -> String {
    name.replace(['.', '/', '\0'], "_")
}
