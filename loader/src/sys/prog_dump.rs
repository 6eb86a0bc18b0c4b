//! A program as the kernel holds it: its instructions as the verifier rewrote them, and the records that go with them.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

use super::SysError;
use super::attr::{Pointer, ProgInfo};
use super::bpf::{OBJ_GET_INFO_BY_FD, info_by_fd, prog_info};

/// Bytes that are fetched of any one list. A program given to the kernel has at most a million slots (8 MB), and what the verifier
/// makes of it a few times as many.
const LARGEST: u64 = 256 << 20;

/// What the kernel holds of a program. Where it hides something, the list is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ProgDump {
    /// The instructions as the verifier rewrote them, eight bytes each.
    pub(crate) xlated: Vec<u8>,
    /// The numbers of its maps.
    pub(crate) map_ids: Vec<u32>,
    /// Where functions begin: records of `func_info_size` bytes.
    pub(crate) func_info: Vec<u8>,
    /// Bytes in such a record, as the kernel says.
    pub(crate) func_info_size: usize,
    /// Where lines begin: records of `line_info_size` bytes.
    pub(crate) line_info: Vec<u8>,
    /// Bytes in such a record, as the kernel says.
    pub(crate) line_info_size: usize,
    /// The address of each function's machine code, the main one's first.
    pub(crate) ksyms: Vec<u64>,
    /// How many functions have machine code, whether or not their addresses are shown.
    pub(crate) functions: usize,
}

/// `BPF_OBJ_GET_INFO_BY_FD` for a program, with room for its lists.
///
/// # Errors
///
/// - `EINVAL`: not a program.
/// - `E2BIG`: a list is larger than any program needs.
///
/// Kernel: `bpf_prog_get_info_by_fd()`, `kernel/bpf/syscall.c`. Instructions since 4.13, records since 5.0. It shows them with
/// `CAP_BPF` (before 5.8 `CAP_SYS_ADMIN`), and addresses only where `kallsyms_show_value()` would.
pub(crate) fn prog_dump(prog: BorrowedFd<'_>) -> Result<ProgDump, SysError> {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", prog.as_raw_fd())).unwrap_or_default();
    if link.as_os_str() != "anon_inode:bpf-prog" {
        return Err(SysError { call: OBJ_GET_INFO_BY_FD.1, errno: Errno::EINVAL });
    }
    let sizes = prog_info(prog)?;
    Lists::room(&sizes)?.fill(prog, &sizes)
}

/// Room for what the kernel holds of a program, as bytes.
struct Lists {
    xlated: Vec<u8>,
    map_ids: Vec<u8>,
    func_info: Vec<u8>,
    line_info: Vec<u8>,
    ksyms: Vec<u8>,
}

impl Lists {
    fn room(sizes: &ProgInfo<'_>) -> Result<Self, SysError> {
        let room = |count: u32, size: u32| match u64::from(count) * u64::from(size) {
            bytes if bytes <= LARGEST => Ok(vec![0_u8; bytes as usize]),
            _ => Err(SysError { call: OBJ_GET_INFO_BY_FD.1, errno: Errno::E2BIG }),
        };
        Ok(Self {
            xlated: room(sizes.xlated_prog_len, 1)?,
            map_ids: room(sizes.nr_map_ids, 4)?,
            func_info: room(sizes.nr_func_info, sizes.func_info_rec_size)?,
            line_info: room(sizes.nr_line_info, sizes.line_info_rec_size)?,
            ksyms: room(sizes.nr_jited_ksyms, 8)?,
        })
    }

    /// To each list the kernel writes at most as many bytes as its number of records and their size say: that is how large each was
    /// made, for what was seen to be a program.
    fn fill(mut self, prog: BorrowedFd<'_>, sizes: &ProgInfo<'_>) -> Result<ProgDump, SysError> {
        let mut info = ProgInfo {
            xlated_prog_len: sizes.xlated_prog_len,
            xlated_prog_insns: Pointer::room(&mut self.xlated),
            nr_map_ids: sizes.nr_map_ids,
            map_ids: Pointer::room(&mut self.map_ids),
            nr_func_info: sizes.nr_func_info,
            func_info_rec_size: sizes.func_info_rec_size,
            func_info: Pointer::room(&mut self.func_info),
            nr_line_info: sizes.nr_line_info,
            line_info_rec_size: sizes.line_info_rec_size,
            line_info: Pointer::room(&mut self.line_info),
            nr_jited_ksyms: sizes.nr_jited_ksyms,
            jited_ksyms: Pointer::room(&mut self.ksyms),
            // The kernel wants to see the sizes of these records, too, though none is asked for.
            jited_line_info_rec_size: sizes.jited_line_info_rec_size,
            ..ProgInfo::default()
        };
        info_by_fd(prog, &mut info)?;
        let xlated = shown(info.xlated_prog_insns, info.xlated_prog_len, 1);
        let map_ids = shown(info.map_ids, info.nr_map_ids, 4);
        let func_info = shown(info.func_info, info.nr_func_info, info.func_info_rec_size);
        let line_info = shown(info.line_info, info.nr_line_info, info.line_info_rec_size);
        let ksyms = shown(info.jited_ksyms, info.nr_jited_ksyms, 8);
        Ok(ProgDump {
            func_info_size: info.func_info_rec_size as usize,
            line_info_size: info.line_info_rec_size as usize,
            functions: info.nr_jited_ksyms as usize,
            xlated: first(self.xlated, xlated),
            func_info: first(self.func_info, func_info),
            line_info: first(self.line_info, line_info),
            map_ids: first(self.map_ids, map_ids).as_chunks().0.iter().map(|id| u32::from_ne_bytes(*id)).collect(),
            ksyms: first(self.ksyms, ksyms).as_chunks().0.iter().map(|address| u64::from_ne_bytes(*address)).collect(),
        })
    }
}

/// How many bytes of a list are there. What the kernel hides it says by a pointer that is null afterwards, or by a length of 0.
fn shown(list: Pointer<'_>, count: u32, size: u32) -> usize {
    let bytes = usize::try_from(u64::from(count) * u64::from(size)).unwrap_or(usize::MAX);
    if list.is_null() { 0 } else { bytes }
}

fn first(mut list: Vec<u8>, bytes: usize) -> Vec<u8> {
    list.truncate(bytes);
    list
}
