//! What somebody else has loaded, by its number: programs, maps, and types.

use std::mem::offset_of;
use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::SysError;
use super::attr::Attr;
use super::bpf::{Command, bpf, bpf_fd};

/// `BPF_PROG_GET_FD_BY_ID`, `BPF_MAP_GET_FD_BY_ID`, `BPF_BTF_GET_FD_BY_ID`, `BPF_PROG_GET_NEXT_ID`, `BPF_MAP_GET_NEXT_ID`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct GetIdAttr {
    /// The number of what is wanted, or of what the next one is asked for.
    pub id: u32,
    /// Written by the kernel: the next number.
    pub next_id: u32,
    /// `BPF_F_RDONLY` and `BPF_F_WRONLY`, of maps.
    pub open_flags: u32,
}

const _: () = assert!(size_of::<GetIdAttr>() == 12 && offset_of!(GetIdAttr, open_flags) == 8);
// SAFETY: the layout is asserted above; it has no pointer.
unsafe impl Attr for GetIdAttr {}

const PROG_GET_NEXT_ID: Command = Command(11, "bpf(BPF_PROG_GET_NEXT_ID)");
const MAP_GET_NEXT_ID: Command = Command(12, "bpf(BPF_MAP_GET_NEXT_ID)");
const PROG_GET_FD_BY_ID: Command = Command(13, "bpf(BPF_PROG_GET_FD_BY_ID)");
const MAP_GET_FD_BY_ID: Command = Command(14, "bpf(BPF_MAP_GET_FD_BY_ID)");
const BTF_GET_FD_BY_ID: Command = Command(19, "bpf(BPF_BTF_GET_FD_BY_ID)");

/// `BPF_F_RDONLY`: the descriptor reads, and writes nothing.
const READ_ONLY: u32 = 1 << 3;

/// What a descriptor is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// To read (`BPF_F_RDONLY`): also what may not be written.
    Read,
    /// To read and to write.
    #[default]
    Write,
}

impl Access {
    /// The flags of `BPF_MAP_GET_FD_BY_ID` and `BPF_OBJ_GET`.
    pub(super) fn flags(self) -> u32 {
        if self == Self::Read { READ_ONLY } else { 0 }
    }
}

/// `BPF_PROG_GET_FD_BY_ID`: opens the program of this number.
///
/// # Errors
///
/// - `ENOENT`: there is none.
/// - `EPERM`: no `CAP_SYS_ADMIN`.
///
/// Kernel: `bpf_prog_get_fd_by_id()`, `kernel/bpf/syscall.c`. Since 4.13.
pub fn prog_by_id(id: u32) -> Result<OwnedFd, SysError> {
    open(PROG_GET_FD_BY_ID, id, 0)
}

/// `BPF_MAP_GET_FD_BY_ID`: opens the map of this number.
///
/// # Errors
///
/// - `ENOENT`: there is none.
/// - `EPERM`: no `CAP_SYS_ADMIN`.
///
/// Kernel: `bpf_map_get_fd_by_id()`, `kernel/bpf/syscall.c`. Since 4.13; `access` since 4.15.
pub fn map_by_id(id: u32, access: Access) -> Result<OwnedFd, SysError> {
    open(MAP_GET_FD_BY_ID, id, access.flags())
}

/// `BPF_BTF_GET_FD_BY_ID`: opens the types of this number.
///
/// # Errors
///
/// - `ENOENT`: there are none.
/// - `EPERM`: no `CAP_SYS_ADMIN`.
///
/// Kernel: `bpf_btf_get_fd_by_id()`, `kernel/bpf/syscall.c`. Since 4.18.
pub fn btf_by_id(id: u32) -> Result<OwnedFd, SysError> {
    open(BTF_GET_FD_BY_ID, id, 0)
}

/// `BPF_MAP_GET_NEXT_ID`: the lowest number of a map above this one; `None` after the last.
///
/// # Errors
///
/// `EPERM`: no `CAP_SYS_ADMIN`.
///
/// Kernel: `bpf_obj_get_next_id()`, `kernel/bpf/syscall.c`. Since 4.13.
pub fn next_map(id: u32) -> Result<Option<u32>, SysError> {
    next(MAP_GET_NEXT_ID, id)
}

/// `BPF_PROG_GET_NEXT_ID`: as [`next_map`], of programs.
///
/// # Errors
///
/// As [`next_map`].
pub fn next_prog(id: u32) -> Result<Option<u32>, SysError> {
    next(PROG_GET_NEXT_ID, id)
}

fn open(command: Command, id: u32, open_flags: u32) -> Result<OwnedFd, SysError> {
    let mut attr = GetIdAttr { id, open_flags, ..Default::default() };
    bpf_fd(command, &mut attr)
}

fn next(command: Command, id: u32) -> Result<Option<u32>, SysError> {
    let mut attr = GetIdAttr { id, ..Default::default() };
    match bpf(command, &mut attr) {
        Ok(_) => Ok(Some(attr.next_id)),
        Err(error) if error.errno == Errno::ENOENT => Ok(None),
        Err(error) => Err(error),
    }
}
