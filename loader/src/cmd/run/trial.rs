//! One packet through the filter, and what came of it.

use std::os::fd::{AsFd, AsRawFd};

use minibpf::explain::{Fd, prog_test_run};
use minibpf::kernel::Program;
use minibpf::packet::{ETH_HLEN, ETH_P_IP, ETH_P_IPV6, headers::Headers};
use minibpf::privileges::Refused;
use minibpf::sys::SysError;
use minibpf::target;
use nix::errno::Errno;

use crate::cmd::failure::{Exit, Failure};
use crate::cmd::trace::Tracer;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Trim,
    Drop,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Trim => "trim",
            Self::Drop => "drop",
        }
    }
}

/// What came of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// `skb->len`, as the filter saw it; bytes.
    pub(super) len: u32,
    /// What the filter returned.
    pub(super) ret: Option<u32>,
    pub(super) verdict: Verdict,
    /// Bytes, of `len`.
    pub(super) kept: u32,
    /// Mean nanoseconds of a run.
    pub(super) mean_ns: Option<u32>,
}

impl Seen {
    /// What the return value says by itself.
    fn returned(len: u32, ret: u32, mean_ns: u32) -> Self {
        let verdict = match ret {
            0 => Verdict::Drop,
            ret if ret < len => Verdict::Trim,
            _ => Verdict::Keep,
        };
        Self { len, ret: Some(ret), verdict, kept: ret.min(len), mean_ns: Some(mean_ns) }
    }
}

/// Why a packet did not go through.
pub(super) enum Unfit {
    /// This one cannot; others may.
    Packet(String),
    /// Nothing can.
    Failed(Failure),
}

impl From<Failure> for Unfit {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The way that packets go.
pub(super) struct Trial<'a> {
    tracer: &'a Tracer<'a>,
    program: &'a Program,
    repeat: u32,
}

impl<'a> Trial<'a> {
    pub(super) fn new(tracer: &'a Tracer<'a>, program: &'a Program, repeat: Option<u32>) -> Self {
        Self { tracer, program, repeat: repeat.unwrap_or(1) }
    }

    pub(super) fn one(&mut self, frame: &[u8]) -> Result<Seen, Unfit> {
        test_run(self.tracer, self.program, frame, self.repeat)
    }
}

/// BPF_PROG_TEST_RUN.
fn test_run(tracer: &Tracer<'_>, program: &Program, frame: &[u8], repeat: u32) -> Result<Seen, Unfit> {
    let result = program.test_run(frame, repeat);
    let written = result.as_ref().map_or((0, 0), |run| (run.ret, run.mean_ns));
    let fd = Fd::Number(program.as_fd().as_raw_fd());
    tracer.result(|| prog_test_run(fd, frame, repeat, written), &result)?;
    let run = result.map_err(|error| refusal(error, program, frame))?;
    let len = frame.len().saturating_sub(ETH_HLEN) as u32;
    Ok(Seen::returned(len, run.ret, run.mean_ns))
}

/// What the kernel puts beside a packet that it makes for a test run, in the same page: room for headers (NET_SKB_PAD), and
/// `struct skb_shared_info`. Measured on Linux 6.1 to 6.18 for x86-64.
const BESIDE: u32 = 384;

/// Why the kernel refused to run the program on a packet.
fn refusal(error: SysError, program: &Program, frame: &[u8]) -> Unfit {
    let (length, most) = (frame.len(), target::page_size().unwrap_or(4096).saturating_sub(BESIDE));
    let packet = |why: String| Unfit::Packet(why);
    match error.errno {
        Errno::EINVAL if length < ETH_HLEN => {
            packet(format!("{length} bytes, but a test run needs an Ethernet header of {ETH_HLEN} at least"))
        }
        Errno::EINVAL if length > most as usize => packet(format!(
            "{length} bytes, but a test run takes at most {most}: the packet must fit into one page of memory"
        )),
        Errno::EINVAL => match Headers::of(frame).map(|headers| headers.ethertype) {
            Some(ETH_P_IP) if length < 34 => packet(ip_header(length, "IPv4", 34)),
            Some(ETH_P_IPV6) if length < 54 => packet(ip_header(length, "IPv6", 54)),
            _ => packet(format!("the kernel refused {length} bytes: {error}")),
        },
        Errno::ENOMEM => packet(format!("the kernel has no memory for {length} bytes")),
        Errno::EPERM => Failure::privilege(&error, target::privileges().explain_eperm(Refused::Program)).into(),
        _ => Failure::new(Exit::Other, format!("running `{}`: {error}", program.name())).into(),
    }
}

fn ip_header(length: usize, name: &str, least: usize) -> String {
    format!(
        "{length} bytes, and its EtherType says {name}: since Linux 6.18 a test run then needs the whole IP header, {least} bytes at least"
    )
}
