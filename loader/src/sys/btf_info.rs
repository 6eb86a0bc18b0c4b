//! The bytes of types that the kernel holds.

use std::mem::offset_of;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;

use super::SysError;
use super::attr::{Info, Pointer};
use super::bpf::{OBJ_GET_INFO_BY_FD, info_by_fd};

/// `struct bpf_btf_info`, up to what is needed here.
#[repr(C)]
#[derive(Debug, Default)]
struct BtfInfo<'a> {
    /// Pointer to where the types go.
    btf: Pointer<'a>,
    /// Bytes there; written by the kernel: bytes of the types.
    btf_size: u32,
    id: u32,
}

const _: () = assert!(size_of::<BtfInfo>() == 16 && offset_of!(BtfInfo, btf_size) == 8);
// SAFETY: the layout is asserted above; its pointer is typed, the other fields may hold any number. Is the descriptor no BTF, then what
// the kernel reads as other fields is within the 16 bytes: it follows a pointer only where one stands beyond them.
unsafe impl Info for BtfInfo<'_> {}

/// The most that the kernel takes (`BTF_MAX_SIZE`, `include/linux/btf.h`).
const LARGEST: usize = 16 << 20;

/// `BPF_OBJ_GET_INFO_BY_FD` for types: their bytes, as a section `.BTF` has them.
///
/// # Errors
///
/// `EINVAL`: not types; `E2BIG`: more of them than the kernel lets anybody load.
///
/// Kernel: `btf_get_info_by_fd()`, `kernel/bpf/btf.c`. Since 4.18.
pub(crate) fn btf_bytes(btf: BorrowedFd<'_>) -> Result<Vec<u8>, SysError> {
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
    let btf_size = bytes.len() as u32;
    let mut info = BtfInfo { btf: Pointer::room(bytes), btf_size, id: 0 };
    info_by_fd(btf, &mut info)?;
    Ok(info.btf_size as usize)
}
