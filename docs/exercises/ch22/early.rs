// SPDX-License-Identifier: MIT OR GPL-2.0-only
//! Solution of exercise 3 of chapter 22: a UDP socket that has its filter before it has an address.

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

#[cfg(target_arch = "x86_64")]
const SYS_BPF: c_long = 321;
#[cfg(target_arch = "aarch64")]
const SYS_BPF: c_long = 280;
const BPF_OBJ_GET: c_int = 7;
const AF_INET: c_int = 2;
const SOCK_DGRAM: c_int = 2;
const SOCK_CLOEXEC: c_int = 0o2000000;
const SOL_SOCKET: c_int = 1;
const SO_ATTACH_BPF: c_int = 50;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn bind(socket: c_int, address: *const c_void, length: u32) -> c_int;
    fn setsockopt(socket: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
}

/// The part of `union bpf_attr` that BPF_OBJ_GET reads.
#[repr(C)]
struct ObjGetAttr {
    pathname: *const c_char,
    bpf_fd: u32,
    file_flags: u32,
}

/// `struct sockaddr_in`; port and address in network byte order.
#[repr(C)]
struct SockaddrIn {
    family: u16,
    port: u16,
    address: [u8; 4],
    zero: [u8; 8],
}

fn ok(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn filtered(path: &str) -> io::Result<UdpSocket> {
    let path = CString::new(path)?;
    let attr = ObjGetAttr { pathname: path.as_ptr(), bpf_fd: 0, file_flags: 0 };
    let local = SockaddrIn { family: AF_INET as u16, port: 0, address: [127, 0, 0, 1], zero: [0; 8] };
    // SAFETY: every pointer leads to as many bytes as is said, and each new descriptor has this owner only.
    unsafe {
        let program = ok(syscall(SYS_BPF, BPF_OBJ_GET, &raw const attr, size_of::<ObjGetAttr>()) as c_int)?;
        let program = OwnedFd::from_raw_fd(program);
        let receiver = UdpSocket::from_raw_fd(ok(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))?);
        let (fd, program) = (receiver.as_raw_fd(), program.as_raw_fd());
        ok(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, (&raw const program).cast(), 4))?;
        ok(bind(fd, (&raw const local).cast(), size_of::<SockaddrIn>() as u32))?;
        Ok(receiver)
    }
}

fn main() -> io::Result<()> {
    let receiver = filtered(&std::env::args().nth(1).unwrap_or_default())?;
    let sender = UdpSocket::bind("127.0.0.1:0")?;
    for text in ["short", "a datagram with more than twenty bytes", "end"] {
        sender.send_to(text.as_bytes(), receiver.local_addr()?)?;
    }
    let mut buffer = [0; 64];
    loop {
        let got = receiver.recv(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..got]);
        println!("received: {text}");
        if text == "end" {
            return Ok(());
        }
    }
}
