//! The object's types, and what is done if the kernel refuses them: asked why, given them without what may be the reason,
//! and at last left without. Types and lines serve people; only a few kinds of map need them.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;

use super::{Attempt, Outcome};
use crate::plan::BtfLoad;
use crate::sys::SysError;
use crate::sys::bpf;

/// Bytes of the kernel's complaints; of longer ones the end counts, which a kernel since 6.4 keeps.
const LOG_SIZE: usize = 64 << 10;

/// What the kernel had against the types, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BtfFallback {
    /// The refusal.
    pub error: SysError,
    /// The kernel's last complaint; empty if it gave none.
    pub reason: String,
    /// Whether it took them without what it may not know: see [`BtfLoad::sanitized`].
    pub is_sanitized: bool,
}

/// Loads the types.
pub(super) fn load(step: &BtfLoad) -> (Option<OwnedFd>, Outcome) {
    let mut attempts = Vec::new();
    let first = call(&step.btf, &mut [], false, &mut attempts);
    let (fd, fallback) = match first {
        Ok(fd) => (Some(fd), None),
        Err(error) => {
            let (fd, fallback) = again(step, error, &mut attempts);
            (fd, Some(fallback))
        }
    };
    (fd, Outcome { attempts, error: None, fallback, log: None })
}

/// After a refusal.
fn again(step: &BtfLoad, error: SysError, attempts: &mut Vec<Attempt>) -> (Option<OwnedFd>, BtfFallback) {
    let mut fallback = BtfFallback { error, reason: String::new(), is_sanitized: false };
    // Without the privilege nobody reads them.
    if error.errno == Errno::EPERM {
        return (None, fallback);
    }
    let mut log = vec![0; LOG_SIZE];
    if let Ok(fd) = call(&step.btf, &mut log, false, attempts) {
        return (Some(fd), fallback);
    }
    let text = log.split(|&byte| byte == 0).next().unwrap_or_default();
    fallback.reason = String::from_utf8_lossy(text).trim().lines().last().unwrap_or_default().trim().to_owned();
    let fd = step.sanitized().and_then(|step| call(&step.btf, &mut [], true, attempts).ok());
    fallback.is_sanitized = fd.is_some();
    (fd, fallback)
}

/// One `BPF_BTF_LOAD`.
fn call(btf: &[u8], log: &mut [u8], is_fallback: bool, attempts: &mut Vec<Attempt>) -> Result<OwnedFd, SysError> {
    let (log_level, log_size) = (u32::from(!log.is_empty()), log.len() as u32);
    let result = bpf::btf_load(btf, log);
    let number = result.as_ref().map(AsRawFd::as_raw_fd).map_err(|error| error.errno);
    attempts.push(Attempt { log_level, log_size, is_fallback, result: number });
    result
}
