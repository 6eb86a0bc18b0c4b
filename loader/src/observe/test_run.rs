//! A program run on a packet without a socket, by the kernel itself.

use std::os::fd::AsFd;

use crate::kernel::Program;
use crate::sys::SysError;
use crate::sys::test_run::prog_test_run;

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
    /// ```ignore (needs CAP_BPF)
    /// # const OBJECT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bpf/pass.bpf.o"));
    /// let filter = minibpf::filter::Filter::load(OBJECT, "pass")?;
    /// let frame = minibpf::packet::make::make("tcp:80:GET / HTTP/1.0")?;
    /// let run = filter.program().test_run(&frame, 1)?;
    /// assert_eq!(run.ret as usize, frame.len() - 14, "it keeps all but the Ethernet header, which it is not shown");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the frame is too short or too long, see [`prog_test_run`].
    /// - `EINTR`, `EAGAIN`: a signal came; the maps show the runs until then.
    /// - `EPERM`: no `CAP_BPF`.
    ///
    /// Kernel: `bpf_prog_test_run_skb()`, `net/bpf/test_run.c`. Since 4.12.
    pub fn test_run(&self, frame: &[u8], repeat: u32) -> Result<TestRun, SysError> {
        prog_test_run(self.as_fd(), frame, repeat).map(|(ret, mean_ns)| TestRun { ret, mean_ns })
    }
}
