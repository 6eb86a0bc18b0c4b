//! A program run on a packet without a socket, by the kernel itself.

use std::os::fd::AsFd;

use nix::errno::Errno;

use crate::kernel::Program;
use crate::sys::SysError;
use crate::sys::test_run::prog_test_run;

/// EAGAIN and EINTR mean that a signal came. Enough tries for a burst of them.
const TRIES: usize = 5;

/// What came of a test run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestRun {
    /// What the program returned the last time.
    pub ret: u32,
    /// Mean nanoseconds of a run.
    pub mean_ns: u32,
}

impl Program {
    /// Runs it `repeat` times on an Ethernet frame. It finds byte 0 at the network header, as on no socket but a cooked packet
    /// socket, and its return value trims nothing; what it does to its maps is done.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the frame is too short or too long, see [`prog_test_run`].
    /// - `EINTR`: signals keep coming; the maps show the runs until then.
    /// - `EPERM`: no `CAP_BPF`.
    ///
    /// Kernel: `bpf_prog_test_run_skb()`, `net/bpf/test_run.c`. Since 4.12.
    pub fn test_run(&self, frame: &[u8], repeat: u32) -> Result<TestRun, SysError> {
        let mut result = prog_test_run(self.as_fd(), frame, repeat);
        for _ in 1..TRIES {
            match result {
                Err(SysError { errno: Errno::EAGAIN | Errno::EINTR, .. }) => {
                    result = prog_test_run(self.as_fd(), frame, repeat);
                }
                _ => break,
            }
        }
        result.map(|(ret, mean_ns)| TestRun { ret, mean_ns })
    }
}
