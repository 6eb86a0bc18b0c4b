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
pub struct ProgDump {
    /// The instructions as the verifier rewrote them, eight bytes each.
    pub xlated: Vec<u8>,
    /// The numbers of its maps.
    pub map_ids: Vec<u32>,
    /// Where functions begin: records of `func_info_size` bytes.
    pub func_info: Vec<u8>,
    /// Bytes in such a record, as the kernel says.
    pub func_info_size: usize,
    /// Where lines begin: records of `line_info_size` bytes.
    pub line_info: Vec<u8>,
    /// Bytes in such a record, as the kernel says.
    pub line_info_size: usize,
    /// The address of each function's machine code, the main one's first.
    pub ksyms: Vec<u64>,
    /// How many functions have machine code, whether or not their addresses are shown.
    pub functions: usize,
}

/// BPF_OBJ_GET_INFO_BY_FD for a program, with room for its lists.
///
/// # Errors
///
/// - `EINVAL`: not a program.
/// - `E2BIG`: a list is larger than any program needs.
///
/// Kernel: `bpf_prog_get_info_by_fd()`, `kernel/bpf/syscall.c`. Instructions since 4.13, records since 5.0. It shows them with
/// `CAP_BPF` (before 5.8 `CAP_SYS_ADMIN`), and addresses only where `kallsyms_show_value()` would.
pub fn prog_dump(prog: BorrowedFd<'_>) -> Result<ProgDump, SysError> {
    let invalid = |errno| SysError { call: OBJ_GET_INFO_BY_FD.1, errno };
    let link = std::fs::read_link(format!("/proc/self/fd/{}", prog.as_raw_fd())).unwrap_or_default();
    if link.as_os_str() != "anon_inode:bpf-prog" {
        return Err(invalid(Errno::EINVAL));
    }
    let sizes = prog_info(prog)?;
    let room = |count: u32, size: u64| match u64::from(count) * size {
        bytes if bytes <= LARGEST => Ok(vec![0_u8; bytes as usize]),
        _ => Err(invalid(Errno::E2BIG)),
    };
    let mut xlated = room(sizes.xlated_prog_len, 1)?;
    let mut func_info = room(sizes.nr_func_info, sizes.func_info_rec_size.into())?;
    let mut line_info = room(sizes.nr_line_info, sizes.line_info_rec_size.into())?;
    let mut map_ids = room(sizes.nr_map_ids, 4)?;
    let mut ksyms = room(sizes.nr_jited_ksyms, 8)?;
    let mut info = ProgInfo {
        xlated_prog_len: sizes.xlated_prog_len,
        xlated_prog_insns: Pointer::room(&mut xlated),
        nr_map_ids: sizes.nr_map_ids,
        map_ids: Pointer::room(&mut map_ids),
        nr_func_info: sizes.nr_func_info,
        func_info_rec_size: sizes.func_info_rec_size,
        func_info: Pointer::room(&mut func_info),
        nr_line_info: sizes.nr_line_info,
        line_info_rec_size: sizes.line_info_rec_size,
        line_info: Pointer::room(&mut line_info),
        nr_jited_ksyms: sizes.nr_jited_ksyms,
        jited_ksyms: Pointer::room(&mut ksyms),
        // The kernel wants to see the sizes of these records, too, though none is asked for.
        jited_line_info_rec_size: sizes.jited_line_info_rec_size,
        ..ProgInfo::default()
    };
    // To each list the kernel writes at most as many bytes as its number of records and their size say: that is how large each was made,
    // for what was seen to be a program.
    info_by_fd(prog, &mut info)?;
    let ProgInfo {
        xlated_prog_len,
        nr_map_ids,
        nr_func_info,
        func_info_rec_size,
        nr_line_info,
        line_info_rec_size,
        ..
    } = info;
    let functions = info.nr_jited_ksyms;
    // What the kernel hides it says by a pointer that is null afterwards, or by a length of 0.
    let pointers = [info.xlated_prog_insns, info.map_ids, info.func_info, info.line_info, info.jited_ksyms];
    let [xlated_hidden, map_ids_hidden, func_info_hidden, line_info_hidden, ksyms_hidden] =
        pointers.map(Pointer::is_null);
    let shown = |list: Vec<u8>, is_hidden: bool, count: u32, size: u32| -> Vec<u8> {
        let bytes = usize::try_from(u64::from(count) * u64::from(size)).unwrap_or(usize::MAX);
        if is_hidden { Vec::new() } else { list.into_iter().take(bytes).collect() }
    };
    let map_ids = shown(map_ids, map_ids_hidden, nr_map_ids, 4);
    let ksyms = shown(ksyms, ksyms_hidden, functions, 8);
    Ok(ProgDump {
        xlated: shown(xlated, xlated_hidden, xlated_prog_len, 1),
        func_info: shown(func_info, func_info_hidden, nr_func_info, func_info_rec_size),
        line_info: shown(line_info, line_info_hidden, nr_line_info, line_info_rec_size),
        map_ids: map_ids.as_chunks().0.iter().map(|id| u32::from_ne_bytes(*id)).collect(),
        ksyms: ksyms.as_chunks().0.iter().map(|address| u64::from_ne_bytes(*address)).collect(),
        func_info_size: func_info_rec_size as usize,
        line_info_size: line_info_rec_size as usize,
        functions: functions as usize,
    })
}
