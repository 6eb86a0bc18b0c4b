//! Names in a bpffs: what is pinned under one outlives the process that made it.

use std::mem::offset_of;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use nix::NixPath;
use nix::errno::Errno;
use nix::sys::stat::Mode;

use super::SysError;
use super::attr::{Attr, Pointer};
use super::bpf::{Command, bpf, bpf_fd, raw};
use super::id::Access;

/// `BPF_OBJ_PIN`, `BPF_OBJ_GET`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct ObjPinAttr<'a> {
    /// Pointer to the path, NUL-terminated.
    pub pathname: Pointer<'a>,
    /// What is to be pinned; 0 for `BPF_OBJ_GET`.
    pub bpf_fd: u32,
    /// `BPF_F_RDONLY` and `BPF_F_WRONLY` of `BPF_OBJ_GET`.
    pub file_flags: u32,
}

const _: () = assert!(size_of::<ObjPinAttr>() == 16 && offset_of!(ObjPinAttr, bpf_fd) == 8);
// SAFETY: the layout is asserted above; its pointer is typed.
unsafe impl Attr for ObjPinAttr<'_> {}

const OBJ_PIN: Command = Command(6, "bpf(BPF_OBJ_PIN)");
const OBJ_GET: Command = Command(7, "bpf(BPF_OBJ_GET)");

/// `BPF_OBJ_PIN`: gives a map or a program a name in a bpffs, which keeps it alive.
///
/// # Errors
///
/// - `EEXIST`: the name is taken.
/// - `EPERM`: the directory is not on a bpffs, or the name has a dot in it.
/// - `ENOENT`, `ENOTDIR`, `EACCES`: the directory is missing, is none, or is not open to this process.
/// - `EINVAL`: the path has a NUL in it.
///
/// Kernel: `bpf_obj_do_pin()` and `bpf_lookup()`, `kernel/bpf/inode.c`. Since 4.4.
pub fn obj_pin(object: BorrowedFd<'_>, path: &Path) -> Result<(), SysError> {
    with_attr(OBJ_PIN, path, |attr| {
        attr.bpf_fd = raw(object);
        bpf(OBJ_PIN, attr).map(drop)
    })
}

/// `BPF_OBJ_GET`: opens what is pinned under a name, map or program. A program is only ever opened for writing.
///
/// # Errors
///
/// - `ENOENT`: there is no such name.
/// - `EACCES`: the file is no pin, or its mode does not allow this process to read, or to write.
/// - `EINVAL`: it is a program, and was to be read.
/// - `EPERM`: the kernel keeps bpf(2) from processes without `CAP_BPF` (`kernel.unprivileged_bpf_disabled`, before 5.19).
/// - `EINVAL`: the path has a NUL in it.
///
/// Kernel: `bpf_obj_do_get()`, `kernel/bpf/inode.c`. Since 4.4.
pub fn obj_get(path: &Path, access: Access) -> Result<OwnedFd, SysError> {
    with_attr(OBJ_GET, path, |attr| {
        attr.file_flags = access.flags();
        bpf_fd(OBJ_GET, attr)
    })
}

/// mkdir(2) with mode 0700: a directory for pins.
///
/// # Errors
///
/// - `EEXIST`: there is something of that name.
/// - `EPERM`: on a bpffs, a name with a dot in it.
/// - `ENOENT`, `EACCES`: the directory above is missing, or not open to this process.
///
/// Kernel: `bpf_mkdir()`, `kernel/bpf/inode.c`. Since 4.4.
pub fn make_dir(path: &Path) -> Result<(), SysError> {
    nix::unistd::mkdir(path, Mode::S_IRWXU).map_err(|errno| SysError { call: "mkdir", errno })
}

fn with_attr<T>(
    command: Command,
    path: &Path,
    call: impl FnOnce(&mut ObjPinAttr<'_>) -> Result<T, SysError>,
) -> Result<T, SysError> {
    let result =
        path.with_nix_path(|path| call(&mut ObjPinAttr { pathname: Pointer::string(path), ..Default::default() }));
    result.unwrap_or_else(|_| Err(SysError { call: command.1, errno: Errno::EINVAL }))
}
