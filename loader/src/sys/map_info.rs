//! What the kernel says of a map: `BPF_OBJ_GET_INFO_BY_FD`, and a descriptor that came from elsewhere.

use std::mem::offset_of;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::SysError;
use super::attr::{Info, ObjName};
use super::bpf::info_by_fd;
use super::map::{MapFd, value_bytes};

/// `struct bpf_map_info`, as of 5.16; an older kernel leaves the end zero.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
#[allow(missing_docs, reason = "the kernel's own names, those that minibpf uses explained at `MapCreateAttr`")]
pub struct MapInfo {
    pub map_type: u32,
    pub id: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub map_flags: u32,
    pub name: ObjName,
    pub ifindex: u32,
    pub btf_vmlinux_value_type_id: u32,
    pub netns_dev: u64,
    pub netns_ino: u64,
    pub btf_id: u32,
    pub btf_key_type_id: u32,
    pub btf_value_type_id: u32,
    pub btf_vmlinux_id: u32,
    pub map_extra: u64,
}

const _: () = assert!(size_of::<MapInfo>() == 88 && offset_of!(MapInfo, ifindex) == 40);
const _: () = assert!(offset_of!(MapInfo, btf_id) == 64 && offset_of!(MapInfo, map_extra) == 80);
// SAFETY: the layout is asserted above, and all fields may hold any number. Where the kernel would find pointers, were it asked about
// something else than a map, all bytes are zero.
unsafe impl Info for MapInfo {}

/// `BPF_OBJ_GET_INFO_BY_FD` for a map. Of a program it reads the first bytes of what the kernel says of that.
///
/// Kernel: `bpf_map_get_info_by_fd()`, `kernel/bpf/syscall.c`. Since 4.13; `btf_id` since 4.18, `map_extra` since 5.16.
///
/// # Errors
///
/// `EINVAL`: neither a map nor a program, nor BTF or a link.
pub fn map_info(map: BorrowedFd<'_>) -> Result<MapInfo, SysError> {
    let mut info = MapInfo::default();
    info_by_fd(map, &mut info)?;
    Ok(info)
}

impl MapFd {
    /// `BPF_OBJ_GET_INFO_BY_FD`: takes over the descriptor of a map that somebody else created, with the sizes that the kernel
    /// says it has. What is no map becomes one that the kernel refuses in every call.
    ///
    /// # Errors
    ///
    /// As [`map_info`].
    pub fn adopt(fd: OwnedFd) -> Result<(Self, MapInfo), SysError> {
        let info = map_info(fd.as_fd())?;
        let value_size = value_bytes(info.map_type, info.value_size as usize)?;
        Ok((Self { fd, key_size: info.key_size as usize, value_size }, info))
    }
}

impl From<MapFd> for OwnedFd {
    fn from(map: MapFd) -> Self {
        map.fd
    }
}
