//! `BPF_PROG_TEST_RUN`: the kernel runs a program on a packet that we give it.

use std::mem::{offset_of, size_of};
use std::os::fd::BorrowedFd;

use super::SysError;
use super::attr::{Attr, Pointer};
use super::bpf::{Command, bpf, raw};

const PROG_TEST_RUN: Command = Command(10, "bpf(BPF_PROG_TEST_RUN)");

/// `BPF_PROG_TEST_RUN`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct TestRunAttr<'a> {
    /// The program.
    pub prog_fd: u32,
    /// Written by the kernel: what the program returned.
    pub retval: u32,
    /// Bytes of the packet.
    pub data_size_in: u32,
    /// Bytes of the buffer for the packet afterwards.
    pub data_size_out: u32,
    /// Pointer to the packet.
    pub data_in: Pointer<'a>,
    /// Pointer to the buffer; unused here: a socket filter changes nothing.
    pub data_out: Pointer<'a>,
    /// How often it is to run; 0 counts as 1.
    pub repeat: u32,
    /// Written by the kernel: mean nanoseconds of a run.
    pub duration: u32,
    /// Bytes of a context given. Since 5.1.
    pub ctx_size_in: u32,
    /// Bytes of the buffer for the context afterwards.
    pub ctx_size_out: u32,
    /// Pointer to a context; unused here.
    pub ctx_in: Pointer<'a>,
    /// Pointer to the buffer; unused here.
    pub ctx_out: Pointer<'a>,
    /// For other program types. Since 5.10.
    pub flags: u32,
    /// For other program types. Since 5.10.
    pub cpu: u32,
    /// For other program types. Since 5.18.
    pub batch_size: u32,
    /// The kernel's struct ends at a multiple of 8.
    pub pad: u32,
}

const _: () = assert!(size_of::<TestRunAttr>() == 80 && offset_of!(TestRunAttr, data_in) == 16);
const _: () = assert!(offset_of!(TestRunAttr, repeat) == 32 && offset_of!(TestRunAttr, ctx_in) == 48);
const _: () = assert!(offset_of!(TestRunAttr, flags) == 64 && offset_of!(TestRunAttr, batch_size) == 72);
// SAFETY: the layout is asserted above, all pointers are typed.
unsafe impl Attr for TestRunAttr<'_> {}

/// `BPF_PROG_TEST_RUN`: runs a program `repeat` times on `packet`, an Ethernet frame. Returns what the program returned the last
/// time, and the mean nanoseconds of a run.
///
/// # Errors
///
/// - `EINVAL`: the packet has fewer than 14 bytes, or where its EtherType is IPv4's fewer than 34, or IPv6's fewer than 54 (so on 6.1.192,
///   6.12.117 and 6.18.44), or more than a page less what the kernel needs besides (on x86-64 3712 bytes of 4096).
/// - `EINTR`: a signal came in the middle of the runs.
/// - `EPERM`: no `CAP_BPF`, and `kernel.unprivileged_bpf_disabled` is set.
///
/// Kernel: `bpf_prog_test_run_skb()`, `net/bpf/test_run.c`. Since 4.12.
pub fn prog_test_run(prog: BorrowedFd<'_>, packet: &[u8], repeat: u32) -> Result<(u32, u32), SysError> {
    let mut attr = TestRunAttr {
        prog_fd: raw(prog),
        data_size_in: packet.len() as u32,
        data_in: Pointer::to(packet),
        repeat,
        ..Default::default()
    };
    bpf(PROG_TEST_RUN, &mut attr)?;
    Ok((attr.retval, attr.duration))
}
