//! bpf(2): one function per command. Those on a map's elements are in [`super::map`].

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::SysError;
use super::attr::{Attr, BtfLoadAttr, EnableStatsAttr, Info, ObjInfoAttr, ObjName, Pointer, ProgInfo, ProgLoadAttr};
use crate::btf::ext::{FuncInfo, LineInfo};
use crate::insn::Insn;

/// `enum bpf_cmd`: the number that the kernel knows, and the name for people.
#[derive(Clone, Copy)]
pub(super) struct Command(pub(super) libc::c_int, pub(super) &'static str);

pub(super) const MAP_CREATE: Command = Command(0, "bpf(BPF_MAP_CREATE)");
pub(super) const MAP_LOOKUP_ELEM: Command = Command(1, "bpf(BPF_MAP_LOOKUP_ELEM)");
pub(super) const MAP_UPDATE_ELEM: Command = Command(2, "bpf(BPF_MAP_UPDATE_ELEM)");
pub(super) const MAP_GET_NEXT_KEY: Command = Command(4, "bpf(BPF_MAP_GET_NEXT_KEY)");
const PROG_LOAD: Command = Command(5, "bpf(BPF_PROG_LOAD)");
pub(super) const OBJ_GET_INFO_BY_FD: Command = Command(15, "bpf(BPF_OBJ_GET_INFO_BY_FD)");
const BTF_LOAD: Command = Command(18, "bpf(BPF_BTF_LOAD)");
pub(super) const MAP_FREEZE: Command = Command(22, "bpf(BPF_MAP_FREEZE)");
const ENABLE_STATS: Command = Command(32, "bpf(BPF_ENABLE_STATS)");

/// Calls bpf(2) with an attr of this command. The kernel reads it, follows its pointers, and may write results into it.
pub(super) fn bpf<A: Attr>(command: Command, attr: &mut A) -> Result<libc::c_long, SysError> {
    let Command(number, call) = command;
    // SAFETY: `Attr` promises the layout and the pointers; its size is passed along, so the kernel stays inside it.
    let ret = unsafe { libc::syscall(libc::SYS_bpf, number, std::ptr::from_mut(attr), size_of::<A>()) };
    Errno::result(ret).map_err(|errno| SysError { call, errno })
}

/// The same for a command that answers with a new descriptor, which the kernel opens with `O_CLOEXEC`.
pub(super) fn bpf_fd<A: Attr>(command: Command, attr: &mut A) -> Result<OwnedFd, SysError> {
    let fd = bpf(command, attr)?;
    // SAFETY: the kernel has just opened this descriptor for us, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}

/// `BPF_OBJ_GET_INFO_BY_FD`: fills in what the kernel knows of an object, at most the bytes of `info`.
pub(super) fn info_by_fd<T: Info>(object: BorrowedFd<'_>, info: &mut T) -> Result<(), SysError> {
    let mut attr = ObjInfoAttr { bpf_fd: raw(object), info_len: size_of::<T>() as u32, info: Pointer::info(info) };
    bpf(OBJ_GET_INFO_BY_FD, &mut attr).map(drop)
}

pub(super) fn raw(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// `BPF_PROG_LOAD`'s arguments; slices live as long as the call.
#[derive(Debug)]
pub struct ProgLoad<'a> {
    /// `enum bpf_prog_type`.
    pub prog_type: u32,
    /// The slots.
    pub insns: &'a [Insn],
    /// The licence.
    pub license: &'a CStr,
    /// At most 15 bytes of letters, digits, `_` and `.`.
    pub name: &'a str,
    /// The object's types; without them there are no records.
    pub btf: Option<Records<'a>>,
}

/// Types, and records that refer to them.
#[derive(Debug)]
pub struct Records<'a> {
    /// From [`btf_load`].
    pub btf: BorrowedFd<'a>,
    /// Where functions begin; slots.
    pub func_info: &'a [FuncInfo],
    /// Where lines begin; slots.
    pub line_info: &'a [LineInfo],
}

/// What the verifier is asked to write.
#[derive(Debug)]
pub struct Log<'a> {
    /// 1: the path that is refused; 2: every path.
    pub level: u32,
    /// Where the text goes, NUL-terminated.
    pub buffer: &'a mut [u8],
}

/// `BPF_PROG_LOAD`: verifies and loads a program. Besides the result it returns how many bytes the whole log takes, NUL
/// included; 0 on kernels before 6.4, which do not tell.
///
/// # Errors
///
/// - `EPERM`: no `CAP_BPF`, and `kernel.unprivileged_bpf_disabled` is set.
/// - `EACCES`: the verifier judged the program unsafe.
/// - `EINVAL`: malformed instructions, a helper that is not for this type or licence, bad records.
/// - `ENOSPC`: the log did not fit. The program may be valid all the same.
/// - `E2BIG`: no instructions, too many, or too complex to verify.
///
/// Kernel: `bpf_prog_load()`, `kernel/bpf/syscall.c`; `bpf_check()`, `kernel/bpf/verifier.c`. Since 3.18.
pub fn prog_load(load: &ProgLoad<'_>, log: Option<Log<'_>>) -> (Result<OwnedFd, SysError>, u32) {
    let mut attr = ProgLoadAttr {
        prog_type: load.prog_type,
        insn_cnt: load.insns.len() as u32,
        insns: Pointer::to(load.insns),
        license: Pointer::string(load.license),
        prog_name: obj_name(load.name),
        ..Default::default()
    };
    if let Some(log) = log {
        attr.log_level = log.level;
        attr.log_size = log.buffer.len() as u32;
        attr.log_buf = Pointer::room(log.buffer);
    }
    if let Some(records) = &load.btf {
        attr.prog_btf_fd = raw(records.btf);
        attr.func_info_rec_size = size_of::<FuncInfo>() as u32;
        attr.func_info = Pointer::to(records.func_info);
        attr.func_info_cnt = records.func_info.len() as u32;
        attr.line_info_rec_size = size_of::<LineInfo>() as u32;
        attr.line_info = Pointer::to(records.line_info);
        attr.line_info_cnt = records.line_info.len() as u32;
    }
    // The lengths beside the pointers are those of the slices.
    let result = bpf_fd(PROG_LOAD, &mut attr);
    (result, attr.log_true_size)
}

/// `BPF_BTF_LOAD`: hands over types; the descriptor keeps them. An empty `log` asks for none.
///
/// # Errors
///
/// - `EPERM`: no `CAP_BPF`.
/// - `EINVAL`: the types are malformed, or of a kind that this kernel does not know.
///
/// Kernel: `btf_new_fd()`, `kernel/bpf/btf.c`. Since 4.18.
pub fn btf_load(btf: &[u8], log: &mut [u8]) -> Result<OwnedFd, SysError> {
    let mut attr = BtfLoadAttr { btf: Pointer::to(btf), btf_size: btf.len() as u32, ..Default::default() };
    if !log.is_empty() {
        attr.btf_log_level = 1;
        attr.btf_log_size = log.len() as u32;
        attr.btf_log_buf = Pointer::room(log);
    }
    bpf_fd(BTF_LOAD, &mut attr)
}

/// `BPF_OBJ_GET_INFO_BY_FD` for a program.
///
/// Kernel: `bpf_prog_get_info_by_fd()`, `kernel/bpf/syscall.c`. Since 4.13.
///
/// # Errors
///
/// `EINVAL`: not a program.
pub fn prog_info(prog: BorrowedFd<'_>) -> Result<ProgInfo<'static>, SysError> {
    let mut info = ProgInfo::default();
    info_by_fd(prog, &mut info)?;
    Ok(info)
}

/// `BPF_ENABLE_STATS` with `BPF_STATS_RUN_TIME`: every program of the machine is counted and timed while the descriptor is
/// open.
///
/// Kernel: `bpf_enable_stats()`, `kernel/bpf/syscall.c`. Since 5.8.
///
/// # Errors
///
/// `EPERM`: no `CAP_SYS_ADMIN`.
pub fn enable_stats() -> Result<OwnedFd, SysError> {
    bpf_fd(ENABLE_STATS, &mut EnableStatsAttr::default())
}

/// Copies a name into its field; `kernel_name` has cut it already, here only the room is minded.
pub fn obj_name(name: &str) -> ObjName {
    let mut field = ObjName::default();
    for (place, byte) in field.iter_mut().take(15).zip(name.bytes()) {
        *place = byte;
    }
    field
}
