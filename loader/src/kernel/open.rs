//! A program that is loaded already: pinned in a bpffs, or known by its number.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;

use super::Program;
use super::program::SOCKET_FILTER;
use crate::sys::bpf::prog_info;
use crate::sys::pin::obj_get;
use crate::sys::prog_id::prog_by_id;
use crate::sys::{SysError, attr::ProgInfo};

impl Program {
    /// Opens the program that is pinned at a path.
    ///
    /// # Errors
    ///
    /// As [`obj_get`]; `EINVAL`: what is pinned there is no socket filter.
    pub fn pinned(path: &Path) -> Result<Self, SysError> {
        Self::adopt(obj_get(path)?)
    }

    /// Opens the program of this number.
    ///
    /// # Errors
    ///
    /// As [`prog_by_id`]; `EINVAL`: it is no socket filter.
    pub fn by_id(id: u32) -> Result<Self, SysError> {
        Self::adopt(prog_by_id(id)?)
    }

    /// Takes over a descriptor that came from elsewhere. Its name is the kernel's, of at most 15 bytes.
    fn adopt(fd: OwnedFd) -> Result<Self, SysError> {
        // The kernel answers the same question about a map, with other numbers in the same places.
        let link = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        let is_program = link.is_ok_and(|link| link.as_os_str() == "anon_inode:bpf-prog");
        let ProgInfo { prog_type, name, .. } = prog_info(fd.as_fd())?;
        if !is_program || prog_type != SOCKET_FILTER {
            return Err(SysError { call: "opening a socket filter", errno: Errno::EINVAL });
        }
        let name: Vec<u8> = name.into_iter().take_while(|&byte| byte != 0).collect();
        Ok(Self { name: String::from_utf8_lossy(&name).into_owned(), fd })
    }
}
