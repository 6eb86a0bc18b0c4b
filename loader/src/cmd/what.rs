//! A map or a program that is in the kernel already, as the command line names it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use minibpf::kernel::{Map, Pinned, Program};
use minibpf::observe::fdinfo;
use minibpf::plan::kernel_name;
use minibpf::sys::SysError;
use minibpf::sys::id::{Access, next_map};
use nix::errno::Errno;
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};

use super::failure::{Exit, Failure};

/// How it is named.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// `map:N`.
    Map(u32),
    /// `map:NAME`.
    MapNamed(String),
    /// `prog:N`.
    Program(u32),
    /// `pid:PID`, `pid:PID:NAME`.
    Process(i32, Option<String>),
    /// A path in a bpffs.
    Path(PathBuf),
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Found {
    Map(Map),
    Program(Program),
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(map) = text.strip_prefix("map:") {
            return match map.parse() {
                Ok(id) => Ok(Self::Map(id)),
                Err(_) if map.is_empty() => Err("expected map:N or map:NAME".to_owned()),
                Err(_) => Ok(Self::MapNamed(map.to_owned())),
            };
        }
        if let Some(id) = text.strip_prefix("prog:") {
            return id.parse().map(Self::Program).map_err(|_| format!("`{id}` is no program's number"));
        }
        if let Some(process) = text.strip_prefix("pid:") {
            let (pid, name) = process.split_once(':').map_or((process, None), |(pid, name)| (pid, Some(name)));
            let pid =
                pid.parse().ok().filter(|pid| *pid > 0).ok_or_else(|| format!("`{pid}` is no process's number"))?;
            return Ok(Self::Process(pid, name.map(str::to_owned)));
        }
        Ok(Self::Path(text.into()))
    }
}

impl What {
    /// Opens it; a process may hold several, in the order of their numbers, maps first.
    pub(crate) fn open(&self, access: Access) -> Result<Vec<Found>, Failure> {
        Ok(vec![match self {
            Self::Map(id) => Found::Map(map(*id, access)?),
            Self::Program(id) => Found::Program(program(*id)?),
            Self::MapNamed(name) => Found::Map(map_named(name, access)?),
            Self::Process(pid, name) => return of_process(*pid, name.as_deref(), access),
            Self::Path(path) => {
                let opened = Pinned::open(path, access).map_err(|error| {
                    let failure = Failure::new(Exit::Other, error).at(path.display());
                    let has_dot = path.file_name().is_some_and(|name| name.to_string_lossy().contains('.'));
                    match error.errno {
                        Errno::EPERM if has_dot => {
                            failure.hint("a bpffs takes no dots: libbpf and minibpf pin with _ in their place")
                        }
                        Errno::ENOENT => {
                            failure.hint("nothing is pinned there; map:N and prog:N name what is not pinned")
                        }
                        Errno::EACCES if is_on_bpffs(path) => Failure { exit: Exit::Privileges, ..failure }
                            .hint("its mode does not let this user open it, or it is a directory"),
                        Errno::EACCES => failure.hint("no pin: it does not lie on a bpffs"),
                        _ => failure,
                    }
                })?;
                match opened {
                    Pinned::Map(map) => Found::Map(map),
                    Pinned::Program(program) => Found::Program(program),
                    Pinned::Other(kind) => {
                        let what = format!("neither a map nor a program: the kernel calls it {kind}");
                        return Err(Failure::new(Exit::Usage, what).at(path.display()));
                    }
                }
            }
        }])
    }

    /// The one map that is meant.
    pub(crate) fn only_map(&self, access: Access) -> Result<Map, Failure> {
        let mut found = self.open(access)?;
        match (found.pop(), found.is_empty()) {
            (Some(Found::Map(map)), true) => Ok(map),
            (Some(Found::Program(_)), true) => Err(Failure::new(Exit::Usage, "that is a program, not a map")),
            _ => Err(Failure::new(Exit::Usage, "the process holds several: name one with pid:PID:NAME")),
        }
    }
}

/// Whether a path lies on a bpffs (`BPF_FS_MAGIC`).
fn is_on_bpffs(path: &Path) -> bool {
    statfs(path).is_ok_and(|fs| fs.filesystem_type() == BPF_FS_MAGIC)
}

fn map(id: u32, access: Access) -> Result<Map, Failure> {
    Map::by_id(id, access).map_err(|error| by_id(error, &format!("map {id}"), "map"))
}

fn program(id: u32) -> Result<Program, Failure> {
    Program::of_any_type(id).map_err(|error| by_id(error, &format!("program {id}"), "prog"))
}

fn by_id(error: SysError, name: &str, list: &str) -> Failure {
    let failure = Failure::new(Exit::Other, error).at(name);
    match error.errno {
        Errno::ENOENT => failure.hint(format!("bpftool {list} show lists those that there are")),
        Errno::EPERM => Failure { exit: Exit::Privileges, ..failure }
            .hint("what is named by its number is opened with CAP_SYS_ADMIN alone; a pin needs none"),
        _ => failure,
    }
}

/// The kernel keeps 15 bytes of a name, and lets many maps have one.
fn map_named(name: &str, access: Access) -> Result<Map, Failure> {
    let (wanted, mut found, mut id) = (kernel_name(name), Vec::new(), 0);
    while let Some(next) = next_map(id).map_err(|error| by_id(error, &format!("map `{name}`"), "map"))? {
        id = next;
        // One that goes away meanwhile is not the one that is meant.
        found.extend(Map::by_id(id, access).ok().filter(|map| map.name() == wanted).map(|map| (id, map)));
    }
    let ids: Vec<_> = found.iter().map(|(id, _)| format!("map:{id}")).collect();
    match (found.pop(), found.is_empty()) {
        (Some((_, map)), true) => Ok(map),
        (None, _) => Err(Failure::new(Exit::Other, format!("no map of the name `{name}`"))
            .hint("bpftool map show lists those that there are")),
        _ => Err(Failure::new(Exit::Usage, format!("several maps have the name `{name}`: {}", ids.join(", ")))),
    }
}

fn of_process(pid: i32, name: Option<&str>, access: Access) -> Result<Vec<Found>, Failure> {
    let held = fdinfo::held(pid).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => Failure::new(Exit::Privileges, format!("process {pid}: {error}"))
            .hint("what a process holds is open to root, and to its own user"),
        ErrorKind::NotFound => Failure::new(Exit::Other, format!("there is no process {pid}")),
        _ => Failure::new(Exit::Other, format!("process {pid}: {error}")),
    })?;
    let mut found = Vec::new();
    for id in &held.maps {
        found.push(Found::Map(map(*id, access)?));
    }
    for id in &held.programs {
        found.push(Found::Program(program(*id)?));
    }
    let of = |found: &Found| match found {
        Found::Map(map) => map.name().to_owned(),
        Found::Program(program) => program.name().to_owned(),
    };
    let names: Vec<_> = found.iter().map(of).collect();
    if let Some(name) = name {
        found.retain(|one| of(one) == kernel_name(name));
    }
    if found.is_empty() {
        let what = name.map_or("map or program".to_owned(), |name| format!("map or program `{name}`"));
        let holds = if names.is_empty() { String::new() } else { format!("; it holds {}", names.join(", ")) };
        return Err(Failure::new(Exit::Other, format!("process {pid} holds no {what}{holds}")));
    }
    Ok(found)
}
