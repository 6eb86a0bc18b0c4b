//! What lies behind the pointers of each bpf(2), read from minibpf's own memory while it waits in the call.
//!
//! strace 6 shows the keys and values of maps, and the function and line records of programs, only as addresses. So the process
//! is traced once more, by ptrace(2), and its memory read through /proc.

#![allow(unsafe_code, reason = "a child asks to be traced between fork and exec, where only pre_exec can run anything")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::libc::{PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT, SYS_bpf};
use nix::sys::ptrace;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::support::process::{MINIBPF, Ran};

/// The kernel reads no more of one (`bpf_prog_load()`).
const LONGEST_LICENSE: u64 = 128;

/// One bpf(2): its command's number, the bytes behind its pointers by the fields' names, and what it returned.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) command: u64,
    pub(crate) attr: Vec<u8>,
    pub(crate) behind: BTreeMap<&'static str, Vec<u8>>,
    pub(crate) ret: i64,
}

impl Seen {
    pub(crate) fn u32_at(&self, offset: usize) -> u32 {
        self.attr.get(offset..offset + 4).map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().unwrap()))
    }

    fn u64_at(&self, offset: usize) -> u64 {
        u64::from(self.u32_at(offset)) | u64::from(self.u32_at(offset + 4)) << 32
    }
}

/// Runs minibpf, stopped at each system call of its main thread.
#[allow(clippy::zombie_processes, reason = "`follow` waits for it, stop by stop, until it has exited")]
pub(crate) fn watch(args: &[&str], input: &[u8]) -> (Vec<Seen>, Ran) {
    let (mut stdin, stdout, stderr) = (tempfile::tempfile().unwrap(), temporary(), temporary());
    stdin.write_all(input).unwrap();
    std::io::Seek::rewind(&mut stdin).unwrap();
    let mut command = Command::new(MINIBPF);
    command.args(args).stdin(stdin).stdout(stdout.reopen().unwrap()).stderr(stderr.reopen().unwrap());
    // SAFETY: ptrace(PTRACE_TRACEME) is one system call, which allocates nothing and takes no lock.
    unsafe { command.pre_exec(|| Ok(ptrace::traceme()?)) };
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    let (seen, code) = follow(pid);
    let ran = Ran {
        code: Some(code),
        stdout: std::fs::read(stdout.path()).unwrap(),
        stderr: std::fs::read_to_string(stderr.path()).unwrap(),
    };
    (seen, ran)
}

fn temporary() -> tempfile::NamedTempFile {
    tempfile::NamedTempFile::new().unwrap()
}

/// Goes from stop to stop until the process exits.
fn follow(pid: Pid) -> (Vec<Seen>, i32) {
    // Stopped by its exec.
    assert!(matches!(waitpid(pid, None).unwrap(), WaitStatus::Stopped(..)));
    let options = ptrace::Options::PTRACE_O_TRACESYSGOOD | ptrace::Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(pid, options).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut seen: Vec<Seen> = Vec::new();
    let mut sizes = BTreeMap::new();
    let mut in_bpf = false;
    let mut signal = None;
    loop {
        ptrace::syscall(pid, signal.take()).unwrap();
        match waitpid(pid, None).unwrap() {
            WaitStatus::PtraceSyscall(_) => {}
            WaitStatus::Stopped(_, other) => {
                signal = Some(other);
                continue;
            }
            WaitStatus::Exited(_, code) => return (seen, code),
            other => panic!("{other:?}"),
        }
        let info = ptrace::syscall_info(pid).unwrap();
        if info.op == PTRACE_SYSCALL_INFO_ENTRY {
            // SAFETY: `op` says which member of the union the kernel has filled in.
            let entry = unsafe { info.u.entry };
            in_bpf = entry.nr == SYS_bpf as u64;
            if in_bpf {
                seen.push(enter(&memory, &sizes, entry.args));
            }
        } else if info.op == PTRACE_SYSCALL_INFO_EXIT && in_bpf {
            // SAFETY: as above.
            let exit = unsafe { info.u.exit };
            let call = seen.last_mut().unwrap();
            call.ret = exit.sval;
            if call.command == MAP_CREATE {
                sizes.insert(call.ret as u32, (call.u32_at(4), call.u32_at(8)));
            }
        }
    }
}

const MAP_CREATE: u64 = 0;

/// Reads the attr and what it points to. Offsets: `union bpf_attr`, `include/uapi/linux/bpf.h`.
fn enter(memory: &File, sizes: &BTreeMap<u32, (u32, u32)>, args: [u64; 6]) -> Seen {
    let read = |address: u64, length: usize| {
        let mut bytes = vec![0; length];
        memory.read_exact_at(&mut bytes, address).unwrap_or_else(|e| panic!("{length} bytes at {address:#x}: {e}"));
        bytes
    };
    let attr = read(args[1], args[2] as usize);
    let mut seen = Seen { command: args[0], attr, behind: BTreeMap::new(), ret: 0 };
    let (key, value) = sizes.get(&seen.u32_at(0)).copied().unwrap_or_default();
    let pointers: &[(&str, usize, u32)] = &match seen.command {
        1 | 4 => vec![("key", 8, key)],
        2 => vec![("key", 8, key), ("value", 16, value)],
        5 => vec![
            ("insns", 8, seen.u32_at(4) * 8),
            ("func_info", 80, seen.u32_at(76) * seen.u32_at(88)),
            ("line_info", 96, seen.u32_at(92) * seen.u32_at(104)),
        ],
        18 => vec![("btf", 0, seen.u32_at(16))],
        _ => Vec::new(),
    };
    for (name, at, length) in pointers {
        let address = seen.u64_at(*at);
        if address != 0 {
            seen.behind.insert(name, read(address, *length as usize));
        }
    }
    if seen.command == 5 {
        // A string has no length: it ends at its NUL.
        let start = seen.u64_at(16);
        let license = (0..LONGEST_LICENSE).map(|at| read(start + at, 1)[0]).take_while(|byte| *byte != 0).collect();
        seen.behind.insert("license", license);
    }
    seen
}
