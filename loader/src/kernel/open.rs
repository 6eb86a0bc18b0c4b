//! Programs and maps by themselves: those of a load, and those that are there already, pinned in a bpffs or known by their number.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;

use super::program::SOCKET_FILTER;
use super::{Kernel, Map, Program};
use crate::plan::{MapCreate, MapId, ProgId};
use crate::spec::MapAttr;
use crate::sys::attr::{ObjName, ProgInfo};
use crate::sys::bpf::prog_info;
use crate::sys::btf_info::btf_bytes;
use crate::sys::id::{Access, btf_by_id, map_by_id, prog_by_id};
use crate::sys::map::MapFd;
use crate::sys::pin::obj_get;
use crate::sys::{SysError, map_info::MapInfo};

impl Kernel {
    /// What was created, each to be owned by itself. Pins stay only where they were kept before.
    pub fn into_parts(self) -> (BTreeMap<MapId, Map>, BTreeMap<ProgId, Program>) {
        (self.maps, self.programs)
    }
}

/// What is pinned somewhere.
#[derive(Debug)]
pub enum Pinned {
    /// A map.
    Map(Map),
    /// A program of any type.
    Program(Program),
    /// Something else, by the kernel's name: `bpf_link`, `btf`.
    Other(String),
}

impl Pinned {
    /// Opens what is pinned at a path; a map for `access`, a program for writing, as the kernel wants it.
    ///
    /// # Errors
    ///
    /// As [`obj_get`].
    pub fn open(path: &Path, access: Access) -> Result<Self, SysError> {
        let fd = match obj_get(path, access) {
            Err(error) if error.errno == Errno::EINVAL && access == Access::Read => obj_get(path, Access::Write),
            other => other,
        }?;
        Ok(match kind(&fd)?.as_str() {
            "bpf-map" => Self::Map(Map::adopt(fd)?),
            "bpf-prog" => Self::Program(Program::adopt(fd)?),
            other => Self::Other(other.to_owned()),
        })
    }
}

impl Program {
    /// Opens the socket filter that is pinned at a path.
    ///
    /// # Errors
    ///
    /// As [`obj_get`]; `EINVAL`: what is pinned there is no socket filter.
    pub fn pinned(path: &Path) -> Result<Self, SysError> {
        Self::filter(obj_get(path, Access::Write)?)
    }

    /// Opens the socket filter of this number.
    ///
    /// # Errors
    ///
    /// As [`prog_by_id`]; `EINVAL`: it is no socket filter.
    pub fn by_id(id: u32) -> Result<Self, SysError> {
        Self::filter(prog_by_id(id)?)
    }

    /// Opens the program of this number, whatever its type: to be looked at, not to be attached.
    ///
    /// # Errors
    ///
    /// As [`prog_by_id`].
    pub fn of_any_type(id: u32) -> Result<Self, SysError> {
        Self::adopt(prog_by_id(id)?)
    }

    fn filter(fd: OwnedFd) -> Result<Self, SysError> {
        let ProgInfo { prog_type, .. } = prog_info(fd.as_fd())?;
        // The kernel answers the same question about a map, with other numbers in the same places.
        if kind(&fd)? != "bpf-prog" || prog_type != SOCKET_FILTER {
            return Err(SysError { call: "opening a socket filter", errno: Errno::EINVAL });
        }
        Self::adopt(fd)
    }

    /// Takes over the descriptor of a program that came from elsewhere. Its name is the kernel's, of at most 15 bytes.
    fn adopt(fd: OwnedFd) -> Result<Self, SysError> {
        let ProgInfo { name, .. } = prog_info(fd.as_fd())?;
        Ok(Self { name: text(name), fd })
    }
}

impl Map {
    /// Opens the map of this number.
    ///
    /// # Errors
    ///
    /// As [`map_by_id`].
    pub fn by_id(id: u32, access: Access) -> Result<Self, SysError> {
        Self::adopt(map_by_id(id, access)?)
    }

    /// Takes over the descriptor of a map that came from elsewhere. Its name is the kernel's, of at most 15 bytes; which number it had in
    /// a plan is not known.
    fn adopt(fd: OwnedFd) -> Result<Self, SysError> {
        let (fd, info) = MapFd::adopt(fd)?;
        let spec = MapCreate {
            id: MapId(0),
            name: text(info.name),
            attr: attr(&info),
            inner: None,
            is_pattern: false,
            warning: None,
            adjusted: None,
        };
        Ok(Self { spec, fd })
    }

    /// The types of key and value, as the kernel holds them; `None` if there are none.
    ///
    /// # Errors
    ///
    /// `EPERM`: no `CAP_SYS_ADMIN`.
    pub fn btf(&self) -> Result<Option<Vec<u8>>, SysError> {
        btf_of(self.info()?.btf_id)
    }
}

impl Program {
    /// The types that its records refer to, as the kernel holds them; `None` if there are none.
    ///
    /// # Errors
    ///
    /// `EPERM`: no `CAP_SYS_ADMIN`.
    pub fn btf(&self) -> Result<Option<Vec<u8>>, SysError> {
        btf_of(self.info()?.btf_id)
    }
}

fn btf_of(id: u32) -> Result<Option<Vec<u8>>, SysError> {
    if id == 0 { Ok(None) } else { btf_bytes(btf_by_id(id)?.as_fd()).map(Some) }
}

/// What the kernel calls a descriptor of its own: `bpf-map`, `bpf-prog`; empty for others.
fn kind(fd: &OwnedFd) -> Result<String, SysError> {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    let link = link.map_err(|error| SysError::from_io("readlink(/proc/self/fd)", &error))?;
    let text = link.to_string_lossy();
    Ok(text.strip_prefix("anon_inode:").unwrap_or_default().trim_matches(['[', ']']).to_owned())
}

/// A name, up to its first NUL.
fn text(name: ObjName) -> String {
    let bytes: Vec<u8> = name.into_iter().take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn attr(info: &MapInfo) -> MapAttr {
    MapAttr {
        map_type: info.map_type,
        key_size: info.key_size,
        value_size: info.value_size,
        max_entries: info.max_entries,
        map_flags: info.map_flags,
        numa_node: 0,
        map_extra: info.map_extra,
        btf_key_type_id: info.btf_key_type_id,
        btf_value_type_id: info.btf_value_type_id,
    }
}
