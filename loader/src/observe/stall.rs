//! Has the filter brought the connection to a stand?
//!
//! TCP takes what a filter cuts off for lost: the peer sends it again, and again. From outside that looks like a slow
//! network. Two counters that need no privilege tell it apart:
//!
//! - a dropped segment (return value 0) counts as a drop of the socket (`SO_MEMINFO`). What TCP itself drops, such as a
//!   keep-alive probe, counts there too, but it has come through the filter, so it also counts in `segs_in` (`TCP_INFO`);
//! - one that is trimmed to its header comes through without data: `segs_in` rises while `data_segs_in` does not. Acknowledgements do the same,
//!   but only after we have sent something, be it a probe of the peer's closed window; keep-alive probes do, but are
//!   answered. A trimmed segment looks like an acknowledgement of nothing new, which nobody answers: `segs_out` stands.
//!
//! A filter that lets a few bytes of the payload through is not recognised: the connection crawls, and looks like a slow one.

use std::fmt;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::sys::SysError;
use crate::sys::counters::{self, TcpInfo};

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// The filter returned 0 for this many packets.
    Dropped(u32),
    /// This many segments came through with nothing but their header.
    Trimmed(u32),
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(packets) => write!(f, "the filter dropped {packets} packets (it returned 0)")?,
            Self::Trimmed(segments) => write!(
                f,
                "{segments} segments came through without their data (the filter returned less than skb->len, which cuts the payload off)"
            )?,
        }
        f.write_str(
            ". TCP takes them for lost, and the peer sends them again and again: this connection stalls. A filter returns skb->len for what is to pass",
        )
    }
}

/// So many within [`WINDOW`], while nothing else moves, are taken for a stall. One may be a window update or a stray
/// duplicate; the peer's timer doubles from 0.2 s, so two come within the first second or two.
const SUSPICIOUS: u32 = 2;
/// Retransmissions come within seconds of one another; keep-alive probes, which look alike, do not.
const WINDOW: Duration = Duration::from_secs(10);

/// Watches one connection.
#[derive(Debug, Default)]
pub struct StallWatch {
    stands_since: Option<Moment>,
}

#[derive(Debug)]
struct Moment {
    at: Instant,
    drops: u32,
    tcp: TcpInfo,
}

impl StallWatch {
    /// Looks at the counters; call it a few times a second, while the application reads what it gets.
    ///
    /// # Errors
    ///
    /// None on a TCP socket.
    pub fn check(&mut self, socket: impl AsFd) -> Result<Option<Stall>, SysError> {
        let now = Moment { at: Instant::now(), drops: counters::drops(&socket)?, tcp: counters::tcp_info(&socket)? };
        let Some(before) = self.stands_since.as_ref().filter(|before| before.stands_until(&now)) else {
            self.stands_since = Some(now);
            return Ok(None);
        };
        let empty = now.tcp.segs_in.wrapping_sub(before.tcp.segs_in);
        let dropped = now.drops.wrapping_sub(before.drops).saturating_sub(empty);
        if dropped >= SUSPICIOUS {
            return Ok(Some(Stall::Dropped(dropped)));
        }
        let silent = before.tcp.unacked() == 0 && now.tcp.segs_out == before.tcp.segs_out;
        Ok((silent && empty >= SUSPICIOUS).then_some(Stall::Trimmed(empty)))
    }
}

/// Whether all that the peer sent was cut off, and its end accepted all the same. A peer that answers and closes leaves no time
/// for a stall: its last segment, sent again with the data, is trimmed to the end that it carries. What betrays it is that
/// something came out of order, so something was missing, and yet no segment ever had data.
///
/// # Errors
///
/// None on a TCP socket.
pub fn was_cut_off(socket: impl AsFd) -> Result<bool, SysError> {
    let tcp = counters::tcp_info(&socket)?;
    Ok(tcp.rcv_ooopack > 0 && tcp.data_segs_in == 0)
}

impl Moment {
    /// Whether neither side has got any further: no data came, and nothing of ours was acknowledged.
    fn stands_until(&self, now: &Self) -> bool {
        now.at.duration_since(self.at) <= WINDOW
            && now.tcp.data_segs_in == self.tcp.data_segs_in
            && now.tcp.bytes_acked == self.tcp.bytes_acked
    }
}
