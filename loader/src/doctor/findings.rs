//! What the kernel and the process are found to be, and what they let a filter do: looked up and really tried.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::{Findings, Tried};
use crate::insn::Insn;
use crate::kernel::{SOCKET_FILTER, TRIES};
use crate::privileges::Privileges;
use crate::sys::attr::MapCreateAttr;
use crate::sys::map::MapFd;
use crate::sys::{SysError, bpf, sockopt};
use crate::target::{config_source, number, optmem_max, running_version, text};

impl Findings {
    /// Looks at the running kernel and tries what a filter needs. Nothing is left of it.
    pub fn running() -> Self {
        Self {
            release: text("/proc/sys/kernel/osrelease").unwrap_or_default(),
            version: running_version(),
            privileges: Privileges::running(),
            tried: tried(),
            memlock: memlock(&text("/proc/self/limits").unwrap_or_default()),
            jit: number("/proc/sys/net/core/bpf_jit_enable"),
            btf: fs::File::open("/sys/kernel/btf/vmlinux").is_ok(),
            bpffs: bpffs(&text("/proc/self/mounts").unwrap_or_default()),
            optmem_max: optmem_max(),
            config: config_source(),
            addresses: shows_addresses(),
        }
    }
}

fn tried() -> Tried {
    let program = program();
    let attach = program.as_ref().ok().map(attach);
    let packet = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None);
    Tried { map: map(), program: program.map(drop), attach, packet: packet.map(drop) }
}

/// `r0 = 0; exit`.
fn program() -> Result<OwnedFd, Errno> {
    const MOV: u8 = 0xb7;
    let insns = [Insn { code: MOV, ..Insn::default() }, Insn { code: Insn::EXIT, ..Insn::default() }];
    let load = bpf::ProgLoad { prog_type: SOCKET_FILTER, insns: &insns, license: c"GPL", name: "doctor", btf: None };
    let tried = || bpf::prog_load(&load, None).0.map_err(|error| error.errno);
    // A signal may end the call, as it may in a load.
    (1..TRIES).map(|_| tried()).find(|result| !matches!(result, Err(Errno::EAGAIN))).unwrap_or_else(tried)
}

fn map() -> Result<(), Errno> {
    const ARRAY: u32 = 2;
    let attr = MapCreateAttr { map_type: ARRAY, key_size: 4, value_size: 4, max_entries: 1, ..Default::default() };
    MapFd::create(attr).map(drop).map_err(|error| error.errno)
}

/// On a socket that needs neither a network nor an address.
fn attach(program: &OwnedFd) -> Result<(), Errno> {
    let socket = UnixDatagram::unbound().map_err(|error| SysError::from_io("socket", &error).errno)?;
    sockopt::attach_bpf(&socket, program).map_err(|error| error.errno)
}

/// The soft limit in the line `Max locked memory  8388608  8388608  bytes` of `/proc/self/limits`.
fn memlock(limits: &str) -> Option<String> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    let soft = line.split_ascii_whitespace().next()?;
    Some(if soft == "unlimited" { soft.to_owned() } else { format!("{soft} bytes") })
}

/// The directories at which a file system of type `bpf` is mounted.
fn bpffs(mounts: &str) -> Vec<String> {
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let directory = |fields: Vec<&str>| match fields.as_slice() {
        [_, directory, "bpf", ..] => Some((*directory).to_owned()),
        _ => None,
    };
    fields.filter_map(directory).collect()
}

/// Whether the first symbol has an address: who may not see them finds zeros.
fn shows_addresses() -> bool {
    let mut start = [0; 16];
    let read = fs::File::open("/proc/kallsyms").and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start.iter().any(|digit| *digit != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_limit_of_locked_memory_the_soft_one_counts() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax locked memory         65536                unlimited            bytes\n";
        assert_eq!(memlock(limits).as_deref(), Some("65536 bytes"));
        assert_eq!(memlock("Max locked memory  unlimited  unlimited  bytes").as_deref(), Some("unlimited"));
        assert_eq!(memlock(""), None);
    }

    #[test]
    fn a_bpffs_is_known_by_its_type_not_by_its_name() {
        let mounts = "bpf /somewhere bpf rw 0 0\nbpf /sys/fs/bpf tmpfs rw 0 0\nnone /a\\040b bpf rw 0 0\n";
        assert_eq!(bpffs(mounts), ["/somewhere", "/a\\040b"]);
    }
}
