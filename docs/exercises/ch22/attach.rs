// SPDX-License-Identifier: MIT OR GPL-2.0-only
//! Takes a pinned socket filter, puts it on a UDP socket, and sends itself three datagrams.

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

#[cfg(target_arch = "x86_64")]
const SYS_BPF: c_long = 321;
#[cfg(target_arch = "aarch64")]
const SYS_BPF: c_long = 280;
const BPF_OBJ_GET: c_int = 7;
const SOL_SOCKET: c_int = 1;
const SO_ATTACH_BPF: c_int = 50;

// The C library is linked anyway; these two functions of it are all that std lacks.
unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn setsockopt(socket: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
}

/// The part of `union bpf_attr` that BPF_OBJ_GET reads.
#[repr(C)]
struct ObjGetAttr {
    pathname: *const c_char,
    bpf_fd: u32,
    file_flags: u32,
}

fn open_pin(path: &str) -> io::Result<OwnedFd> {
    let path = CString::new(path)?;
    let attr = ObjGetAttr { pathname: path.as_ptr(), bpf_fd: 0, file_flags: 0 };
    // SAFETY: the kernel reads `attr`, which has the size that is said, and the path, which ends with NUL.
    let fd = unsafe { syscall(SYS_BPF, BPF_OBJ_GET, &raw const attr, size_of::<ObjGetAttr>()) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

fn attach(socket: impl AsFd, program: impl AsFd) -> io::Result<()> {
    let program: c_int = program.as_fd().as_raw_fd();
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads four bytes, the descriptor of the program.
    match unsafe { setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, (&raw const program).cast(), 4) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn main() -> io::Result<()> {
    let program = open_pin(&std::env::args().nth(1).unwrap_or_default())?;
    // std has no moment between socket(2) and bind(2): what comes in between is not filtered.
    let receiver = UdpSocket::bind("127.0.0.1:0")?;
    attach(&receiver, &program)?;
    drop(program); // the socket holds it

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
