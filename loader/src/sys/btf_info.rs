//! The bytes of types that the kernel holds.

use std::mem::offset_of;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;

use super::SysError;
use super::attr::ObjInfoAttr;
use super::bpf::{OBJ_GET_INFO_BY_FD, bpf, raw};

/// `struct bpf_btf_info`, up to what is needed here.
#[repr(C)]
#[derive(Debug, Default)]
struct BtfInfo {
    /// Pointer to where the types go.
    btf: u64,
    /// Bytes there; written by the kernel: bytes of the types.
    btf_size: u32,
    id: u32,
}

const _: () = assert!(size_of::<BtfInfo>() == 16 && offset_of!(BtfInfo, btf_size) == 8);

/// The most that the kernel takes (`BTF_MAX_SIZE`, `include/linux/btf.h`).
const LARGEST: usize = 16 << 20;

/// BPF_OBJ_GET_INFO_BY_FD for types: their bytes, as a section `.BTF` has them.
///
/// # Errors
///
/// `EINVAL`: not types; `E2BIG`: more of them than the kernel lets anybody load.
///
/// Kernel: `btf_get_info_by_fd()`, `kernel/bpf/btf.c`. Since 4.18.
pub fn btf_bytes(btf: BorrowedFd<'_>) -> Result<Vec<u8>, SysError> {
    let size = ask(btf, &mut [])?;
    if size > LARGEST {
        return Err(SysError { call: OBJ_GET_INFO_BY_FD.1, errno: Errno::E2BIG });
    }
    let mut bytes = vec![0; size];
    ask(btf, &mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` as far as they reach, and says how many there are.
fn ask(btf: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<usize, SysError> {
    let room = if bytes.is_empty() { 0 } else { bytes.as_mut_ptr() as u64 };
    let mut info = BtfInfo { btf: room, btf_size: bytes.len() as u32, id: 0 };
    let mut attr = ObjInfoAttr {
        bpf_fd: raw(btf),
        info_len: size_of::<BtfInfo>() as u32,
        info: std::ptr::from_mut(&mut info) as u64,
    };
    // SAFETY: the attr of this command; the kernel writes at most `info_len` bytes to `info`, whose fields may hold any number,
    // and at most `btf_size` bytes to `btf`, which is borrowed mutably. Is the descriptor no BTF, then what it reads there as
    // other fields is within the 16 bytes: it follows a pointer only where one stands beyond them.
    unsafe { bpf(OBJ_GET_INFO_BY_FD, &mut attr) }?;
    Ok(info.btf_size as usize)
}
