//! Has the filter brought the connection to a stand?
//!
//! TCP takes what a filter cuts off for lost: the peer sends it again, and again. From outside that looks like a slow
//! network. Two counters that need no privilege tell it apart:
//!
//! - a dropped segment (return value 0) counts as a drop of the socket (SO_MEMINFO);
//! - a trimmed one comes through without data: `segs_in` rises while `data_segs_in` does not (TCP_INFO). Acknowledgements
//!   do the same, but only if there is something of ours to acknowledge.

use std::fmt;
use std::os::fd::AsFd;

use crate::sys::SysError;
use crate::sys::sockopt::{self, TcpInfo};

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

/// Segments without data, and without anything to acknowledge, that are taken for trimmed ones. One or two may be a window
/// update or the end of a handshake.
const SUSPICIOUS: u32 = 3;

/// Watches one connection.
#[derive(Debug, Default)]
pub struct StallWatch {
    idle_since: Option<TcpInfo>,
}

impl StallWatch {
    /// Looks at the counters; call it every second or so.
    ///
    /// # Errors
    ///
    /// None on a TCP socket.
    pub fn check(&mut self, socket: impl AsFd) -> Result<Option<Stall>, SysError> {
        let drops = sockopt::drops(&socket)?;
        if drops > 0 {
            return Ok(Some(Stall::Dropped(drops)));
        }
        Ok(self.trimmed(sockopt::tcp_info(&socket)?))
    }

    /// Compares with the moment since when neither side has got any further.
    fn trimmed(&mut self, now: TcpInfo) -> Option<Stall> {
        let stands = |before: &TcpInfo| {
            now.data_segs_in == before.data_segs_in
                && now.data_segs_out == before.data_segs_out
                && now.bytes_acked == before.bytes_acked
                && now.unacked() == 0
        };
        match self.idle_since.as_ref().filter(|before| stands(before)) {
            Some(before) => {
                let empty = now.segs_in.wrapping_sub(before.segs_in);
                (empty >= SUSPICIOUS).then_some(Stall::Trimmed(empty))
            }
            None => {
                self.idle_since = Some(now);
                None
            }
        }
    }
}
