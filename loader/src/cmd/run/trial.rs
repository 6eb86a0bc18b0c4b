//! One packet through the filter, and what came of it.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use minibpf::explain::{Fd, prog_test_run};
use minibpf::kernel::{Kernel, Program};
use minibpf::observe::events::EventTypes;
use minibpf::packet::{ETH_HLEN, ETH_P_IP, ETH_P_IPV6, headers::Headers};
use minibpf::privileges::{Privileges, Refused};
use minibpf::sys::SysError;
use minibpf::target;
use nix::errno::Errno;

use super::How;
use super::events::Events;
use super::real::{Real, Travel};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::target::opening::Opening;
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
    /// How it fared on a real socket.
    pub(super) travel: Option<Travel>,
}

impl Seen {
    /// What the return value says by itself.
    fn returned(len: u32, ret: u32, mean_ns: u32) -> Self {
        let verdict = match ret {
            0 => Verdict::Drop,
            ret if ret < len => Verdict::Trim,
            _ => Verdict::Keep,
        };
        Self { len, ret: Some(ret), verdict, kept: ret.min(len), mean_ns: Some(mean_ns), travel: None }
    }
}

/// Why a packet did not go through.
pub(super) enum Unfit {
    /// This one cannot; others may.
    Packet(String),
    /// Nothing can.
    Failed(Failure),
    /// A signal came before it was through.
    Interrupted,
}

impl From<Failure> for Unfit {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The way that packets go.
pub(super) struct Trial<'a> {
    opening: Opening<'a>,
    /// How often a test run runs it, and until when.
    repeat: u32,
    until: Option<Instant>,
    /// How long a packet may take on a real socket.
    patience: Duration,
    real: Option<Real>,
    /// The filter once more, with maps of its own: what a test run would say of the same packet. And its events, which nobody wants.
    twin: Option<(&'a Program, Events<'a>)>,
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        mut opening: Opening<'a>,
        how: How,
        patience: Duration,
        repeat: Option<u32>,
        until: Option<Instant>,
        twin: Option<(&'a Program, &'a Kernel)>,
    ) -> Result<Self, Failure> {
        let real = Real::open(how, &mut opening)?;
        let twin = match twin {
            Some((program, kernel)) => {
                Some((program, Events::new(kernel, &Tracer::if_asked(opening.output, false), EventTypes::new(None))?))
            }
            None => None,
        };
        Ok(Self { opening, repeat: repeat.unwrap_or(1), until, patience, real, twin })
    }
}

impl Trial<'_> {
    /// Lets a packet go its way; with a real socket returns also what a test run says of it, if that can.
    pub(super) fn one(&mut self, frame: &[u8]) -> Result<(Seen, Option<Seen>), Unfit> {
        let Some(real) = &mut self.real else {
            return Ok((self.test_run(frame)?, None));
        };
        let seen = real.send(frame, &mut self.opening, self.patience)?;
        let Some((twin, events)) = &mut self.twin else { return Ok((seen, None)) };
        let test = twin.test_run(frame, 1).ok();
        events.take(|_| Ok(()))?;
        let test = test.map(|run| Seen::returned(network_len(frame), run.ret, run.mean_ns));
        Ok((seen, test))
    }
}

/// `skb->len` in a test run.
fn network_len(frame: &[u8]) -> u32 {
    frame.len().saturating_sub(ETH_HLEN) as u32
}

/// Runs that one call makes: some tenths of a second of them, so that an end that was asked for is not missed.
const AT_ONCE: u32 = 1 << 20;

/// EINTR means that a signal came. Enough tries for a burst of them.
const TRIES: u32 = 100;

impl Trial<'_> {
    /// `BPF_PROG_TEST_RUN`, as often as it takes.
    fn test_run(&self, frame: &[u8]) -> Result<Seen, Unfit> {
        let (program, mut left, mut ns, mut tries) = (self.opening.program, self.repeat, 0, TRIES);
        loop {
            let repeat = left.min(AT_ONCE);
            let result = program.test_run(frame, repeat);
            let written = result.as_ref().map_or((0, 0), |run| (run.ret, run.mean_ns));
            let fd = Fd::Number(program.as_fd().as_raw_fd());
            self.opening.tracer.result(|| prog_test_run(fd, frame, repeat, written), &result)?;
            let run = match result {
                // Some signal, such as the one after a stop; ours is looked for below.
                Err(error) if error.errno == Errno::EINTR && tries > 0 && !self.is_over() => {
                    tries -= 1;
                    continue;
                }
                result => result.map_err(|error| refusal(error, program, frame))?,
            };
            ns += u64::from(run.mean_ns) * u64::from(repeat);
            left -= repeat;
            if left == 0 {
                let mean = ns.checked_div(self.repeat.into()).unwrap_or(0);
                return Ok(Seen::returned(network_len(frame), run.ret, u32::try_from(mean).unwrap_or(u32::MAX)));
            }
            if self.is_over() {
                return Err(Unfit::Interrupted);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.opening.signals.came() || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// What the kernel puts beside a packet that it makes for a test run, in the same page: room for headers (`NET_SKB_PAD`), and
/// `struct skb_shared_info`. Measured on Linux 6.1.192, 6.12.117 and 6.18.44 for x86-64.
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
        Errno::EINTR | Errno::EAGAIN => Unfit::Interrupted,
        Errno::ENOMEM => packet(format!("the kernel has no memory for {length} bytes")),
        Errno::EPERM => Failure::privilege(&error, Privileges::running().explain_eperm(Refused::Program)).into(),
        _ => Failure::new(Exit::Other, format!("running `{}`: {error}", program.name())).into(),
    }
}

fn ip_header(length: usize, name: &str, least: usize) -> String {
    format!(
        "{length} bytes, and its EtherType says {name}: a test run then needs the whole IP header, {least} bytes at least"
    )
}
