//! The steps about pins, performed; and undone, if the load fails after all.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::{Attempt, Kernel, KernelError, Map, Outcome};
use crate::plan::{Held, MapCreate, MapId, PinStep};
use crate::sys::SysError;
use crate::sys::id::Access;
use crate::sys::map::MapFd;
use crate::sys::map_info::MapInfo;
use crate::sys::pin::{make_dir, obj_get, obj_pin};

/// The pins and directories that a load has made, in order, and the pins that it found. What it has made is removed when this is
/// dropped; [`Pins::keep`] leaves it.
#[derive(Debug, Default)]
pub struct Pins {
    made: Vec<Made>,
}

#[derive(Debug)]
enum Made {
    Dir(PathBuf),
    Pin(PathBuf),
    /// The pin of a map that is reused.
    Found(PathBuf),
}

impl Pins {
    /// Leaves everything where it is: from here on it belongs to whoever unlinks it.
    pub fn keep(mut self) {
        self.made.clear();
    }

    /// Whether nothing was pinned.
    pub fn is_empty(&self) -> bool {
        !self.made.iter().any(|made| matches!(made, Made::Pin(_)))
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        for made in self.made.iter().rev() {
            // What somebody else has removed, or put into the directory meanwhile, is theirs.
            let _ = match made {
                Made::Dir(path) => std::fs::remove_dir(path),
                Made::Pin(path) => std::fs::remove_file(path),
                Made::Found(_) => Ok(()),
            };
        }
    }
}

/// Why a pinned map cannot be reused.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Mismatch {
    /// It is something else: `bpf-prog`.
    NoMap(String),
    /// Fields of the map that differ from what the object asks for.
    Fields(Vec<Difference>),
}

/// A field that differs.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Difference {
    /// Its name in `struct bpf_map_info`.
    pub field: &'static str,
    /// What the pinned map has.
    pub pinned: u64,
    /// What the object asks for.
    pub wanted: u64,
}

impl Mismatch {
    /// In words, with each number as `show` has it.
    pub fn text(&self, show: impl Fn(&str, u64) -> String) -> String {
        match self {
            Self::NoMap(kind) => format!("what is pinned there is no map (the kernel calls it {kind})"),
            Self::Fields(fields) => {
                let text = |Difference { field, pinned, wanted }: &Difference| {
                    format!("{field} is {}, the object has {}", show(field, *pinned), show(field, *wanted))
                };
                format!(
                    "the map that is pinned there is another: {}",
                    fields.iter().map(text).collect::<Vec<_>>().join("; ")
                )
            }
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(|_, number| number.to_string()))
    }
}

/// The reason of an error: a mismatch where there is one, which no system call has found.
pub(super) fn reason(source: &SysError, mismatch: Option<&Mismatch>) -> String {
    mismatch.map_or_else(|| source.to_string(), Mismatch::to_string)
}

impl Kernel {
    /// Performs a step about a pin.
    pub(super) fn apply_pin(&mut self, step: &PinStep) -> Outcome {
        let (what, result) = match step {
            PinStep::MakeDir { path } => return self.make_dir(path),
            PinStep::Get { map, name, path } => {
                let result = obj_get(path, Access::Write).map(|fd| {
                    let number = fd.as_raw_fd();
                    self.opened.insert(*map, fd);
                    number
                });
                (format!("map `{name}`, pinned at {}", path.display()), result)
            }
            PinStep::Compare { path, map } => return self.compare(path, map),
            PinStep::Pin { holds, name, path } => {
                let fd = match holds {
                    Held::Map(id) => self.map(*id).map(AsFd::as_fd),
                    Held::Prog(id) => self.program(*id).map(AsFd::as_fd),
                };
                let missing = SysError { call: "pinning what was not made", errno: Errno::EBADF };
                let result = fd.ok_or(missing).and_then(|fd| obj_pin(fd, path));
                if result.is_ok() {
                    self.pins.made.push(Made::Pin(path.clone()));
                }
                (format!("pinning `{name}` at {}", path.display()), result.map(|()| 0))
            }
        };
        outcome(result.map_err(|source| KernelError { what, source, log: None, mismatch: None }))
    }

    /// A directory that is there already is as good; but it is not ours to remove.
    fn make_dir(&mut self, path: &Path) -> Outcome {
        let result = make_dir(path);
        if result.is_ok() {
            self.pins.made.push(Made::Dir(path.to_owned()));
        }
        let what = format!("directory {}", path.display());
        let mut outcome =
            outcome(result.map(|()| 0).map_err(|source| KernelError { what, source, log: None, mismatch: None }));
        outcome.error = outcome.error.filter(|error| error.source.errno != Errno::EEXIST);
        outcome
    }

    /// Asks what the opened map is; if it is what the object asks for, it is used like one that was created.
    fn compare(&mut self, path: &Path, wanted: &MapCreate) -> Outcome {
        let not_opened = SysError { call: "comparing what was not opened", errno: Errno::EBADF };
        let opened = self.opened.remove(&wanted.id).ok_or(not_opened);
        let error = |source, mismatch| {
            let what = format!("map `{}`, pinned at {}", wanted.name, path.display());
            KernelError { what, source, log: None, mismatch }
        };
        match opened.and_then(MapFd::adopt) {
            Err(source) => outcome(Err(error(source, None))),
            Ok((fd, info)) => match mismatch(&fd, &info, wanted) {
                None => {
                    self.pins.made.push(Made::Found(path.to_owned()));
                    self.maps.insert(wanted.id, Map { spec: wanted.clone(), fd });
                    outcome(Ok(0))
                }
                Some(mismatch) => {
                    self.opened.insert(wanted.id, OwnedFd::from(fd));
                    let source = SysError { call: "comparing", errno: Errno::EINVAL };
                    Outcome { error: Some(error(source, Some(mismatch))), ..outcome(Ok(0)) }
                }
            },
        }
    }

    /// The descriptor of a map: created, reused, or only opened.
    pub fn map_fd(&self, id: MapId) -> Option<BorrowedFd<'_>> {
        self.map(id).map(AsFd::as_fd).or_else(|| self.opened.get(&id).map(AsFd::as_fd))
    }

    /// Whether something is pinned there: because of a step, or the map that one has opened.
    pub fn holds_pin(&self, path: &Path) -> bool {
        self.pins.made.iter().any(|made| matches!(made, Made::Pin(pin) | Made::Found(pin) if pin == path))
    }

    /// What the load has pinned, to be kept or dropped; from here on it is no more the kernel's to remove.
    pub fn take_pins(&mut self) -> Pins {
        std::mem::take(&mut self.pins)
    }
}

/// The outcome of one call.
fn outcome(result: Result<i32, KernelError>) -> Outcome {
    let attempts = vec![Attempt::silent(result.as_ref().map(|number| *number).map_err(|error| error.source.errno))];
    Outcome { attempts, error: result.err(), fallback: None, log: None }
}

/// Where a pinned map differs from what the object asks for. The types of key and value are for people, and do not count.
///
/// Kernel: `bpf_map_get_info_by_fd()`, `kernel/bpf/syscall.c`.
fn mismatch(fd: &MapFd, info: &MapInfo, wanted: &MapCreate) -> Option<Mismatch> {
    let MapCreate { attr, .. } = wanted;
    let fields = [
        ("type", u64::from(info.map_type), u64::from(attr.map_type)),
        ("key_size", info.key_size.into(), attr.key_size.into()),
        ("value_size", info.value_size.into(), attr.value_size.into()),
        ("max_entries", info.max_entries.into(), attr.max_entries.into()),
        ("map_flags", info.map_flags.into(), attr.map_flags.into()),
        ("map_extra", info.map_extra, attr.map_extra),
    ];
    let differences = fields.into_iter().filter(|(_, pinned, wanted)| pinned != wanted);
    let differences: Vec<_> = differences.map(|(field, pinned, wanted)| Difference { field, pinned, wanted }).collect();
    if differences.is_empty() {
        return None;
    }
    // The kernel says as readily what a program is, only with other words in the same places.
    let link = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()));
    let kind = link.ok().and_then(|link| Some(link.to_str()?.strip_prefix("anon_inode:")?.to_owned()));
    Some(match kind.filter(|kind| kind != "bpf-map") {
        Some(kind) => Mismatch::NoMap(kind),
        None => Mismatch::Fields(differences),
    })
}
