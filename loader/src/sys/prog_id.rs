//! A program that somebody else has loaded, by its number.

use std::mem::offset_of;
use std::os::fd::OwnedFd;

use super::SysError;
use super::bpf::{Command, bpf_fd};

/// BPF_PROG_GET_FD_BY_ID.
#[repr(C)]
#[derive(Debug, Default)]
pub struct GetIdAttr {
    /// The program's number.
    pub prog_id: u32,
    /// Not for this command.
    pub next_id: u32,
    /// BPF_F_*.
    pub open_flags: u32,
}

const _: () = assert!(size_of::<GetIdAttr>() == 12 && offset_of!(GetIdAttr, open_flags) == 8);

const PROG_GET_FD_BY_ID: Command = Command(13, "bpf(BPF_PROG_GET_FD_BY_ID)");

/// BPF_PROG_GET_FD_BY_ID: opens the program of this number.
///
/// # Errors
///
/// - `ENOENT`: there is none.
/// - `EPERM`: no `CAP_SYS_ADMIN`.
///
/// Kernel: `bpf_prog_get_fd_by_id()`, `kernel/bpf/syscall.c`. Since 4.13.
pub fn prog_by_id(id: u32) -> Result<OwnedFd, SysError> {
    let mut attr = GetIdAttr { prog_id: id, ..Default::default() };
    // SAFETY: the attr of this command, and it holds no pointer.
    unsafe { bpf_fd(PROG_GET_FD_BY_ID, &mut attr) }
}
