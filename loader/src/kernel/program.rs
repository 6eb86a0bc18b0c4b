//! A program that this process holds, and how it is loaded: silently first, with a log only after a failure.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::{Attempt, KernelError, Outcome};
use crate::plan::{MapId, ProgLoad, kernel_name};
use crate::sys::SysError;
use crate::sys::bpf::{self, Log, Records};

/// `BPF_PROG_TYPE_SOCKET_FILTER`.
pub(crate) const SOCKET_FILTER: u32 = 1;

/// The first log buffer, in bytes; a larger one is made when the kernel says how large.
const FIRST_LOG: usize = 64 << 10;
/// The largest. Since 6.4 the kernel keeps the end of a longer log, which is where the reason stands.
const LARGEST_LOG: usize = 64 << 20;
/// EAGAIN means that a signal came while the verifier was at work. Enough tries for a burst of them.
pub(crate) const TRIES: usize = 5;

/// Which log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogRequest {
    /// Only of a program that was refused.
    #[default]
    OnFailure,
    /// Of every program, at this level: 1 keeps the path that failed, 2 every path. Both have each instruction of it.
    Always(u32),
}

/// A loaded program. It is attached in [`crate::hook::socket`], run without a socket in [`crate::observe::test_run`], and its
/// instructions are read back in [`crate::observe::xlated`].
#[derive(Debug)]
pub struct Program {
    pub(super) name: String,
    pub(super) fd: OwnedFd,
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Program {
    /// Its name in the object, in full.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Loads a program.
pub(super) fn load(
    step: &ProgLoad,
    map_fd: impl Fn(MapId) -> i32,
    btf: Option<BorrowedFd<'_>>,
    log: LogRequest,
) -> (Option<Program>, Outcome) {
    // The licence was read up to its first NUL, so it holds none.
    let license = CString::new(step.license.as_str()).unwrap_or_default();
    let name = kernel_name(&step.name);
    let records = btf.filter(|_| step.has_records());
    let load = bpf::ProgLoad {
        prog_type: SOCKET_FILTER,
        insns: &step.resolve(map_fd),
        license: &license,
        name: &name,
        btf: records.map(|btf| Records { btf, func_info: &step.func_info, line_info: &step.line_info }),
    };
    let mut loader = Loader { load, attempts: Vec::new() };
    let (result, log) = loader.load(log);
    let (program, error, log) = match result {
        Ok(fd) => (Some(Program { name: step.name.clone(), fd }), None, log),
        Err(source) => {
            (None, Some(KernelError { what: format!("program `{}`", step.name), source, log, mismatch: None }), None)
        }
    };
    (program, Outcome { attempts: loader.attempts, error, fallback: None, log })
}

struct Loader<'a> {
    load: bpf::ProgLoad<'a>,
    attempts: Vec<Attempt>,
}

impl Loader<'_> {
    /// Loads without a log; after a failure asks again, for the log. A buffer that is too small would make even a valid
    /// program fail (ENOSPC), so the first try decides.
    fn load(&mut self, log: LogRequest) -> (Result<OwnedFd, SysError>, Option<String>) {
        let silent = match log {
            LogRequest::OnFailure => self.call(0, 0).0,
            LogRequest::Always(level) => return self.with_log(level, None),
        };
        match silent {
            // Without the privilege there is no verifier to ask.
            Err(error) if error.errno != Errno::EPERM => self.with_log(1, Some(error)),
            other => (other, None),
        }
    }

    /// Asks for a log in a buffer that is large enough. `first` is the failure to be explained: a log that does not fit
    /// must not hide it.
    fn with_log(&mut self, level: u32, first: Option<SysError>) -> (Result<OwnedFd, SysError>, Option<String>) {
        let mut size = FIRST_LOG;
        loop {
            let (result, log, true_size) = self.call(level, size);
            let too_small = result.as_ref().is_err_and(|error| error.errno == Errno::ENOSPC);
            if too_small && size < LARGEST_LOG {
                let wanted = if true_size > size { true_size } else { size * 4 };
                size = wanted.min(LARGEST_LOG);
                continue;
            }
            let log = Some(log).filter(|log| !log.is_empty());
            return match (first, result) {
                // It loads now: the kernel was short of something for a moment.
                (_, Ok(fd)) => (Ok(fd), log),
                (Some(first), Err(_)) => (Err(first), log),
                (None, Err(error)) => (Err(error), log),
            };
        }
    }

    /// One `BPF_PROG_LOAD`, repeated on EAGAIN; returns its log and the size that the kernel says the log has.
    fn call(&mut self, level: u32, size: usize) -> (Result<OwnedFd, SysError>, String, usize) {
        let mut buffer = vec![0; size];
        for _ in 0..TRIES {
            let log = (level > 0).then_some(Log { level, buffer: &mut buffer });
            let (result, true_size) = bpf::prog_load(&self.load, log);
            let number = result.as_ref().map(AsRawFd::as_raw_fd).map_err(|error| error.errno);
            self.attempts.push(Attempt { log_level: level, log_size: size as u32, is_fallback: false, result: number });
            if number != Err(Errno::EAGAIN) {
                let text = buffer.split(|&byte| byte == 0).next().unwrap_or_default();
                return (result, String::from_utf8_lossy(text).into_owned(), true_size as usize);
            }
        }
        (Err(SysError { call: "bpf(BPF_PROG_LOAD)", errno: Errno::EAGAIN }), String::new(), 0)
    }
}
