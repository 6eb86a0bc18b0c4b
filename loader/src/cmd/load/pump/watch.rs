//! Whether the filter keeps a connection from getting on.

use std::time::Instant;

use minibpf::observe::stall::{StallWatch, was_cut_off};

use super::{Pump, TICK};
use crate::cmd::failure::Failure;
use crate::cmd::target::Flow;

impl Pump<'_> {
    /// A connection that ended before it could stall for long.
    pub(super) fn warn_of_loss(&mut self) -> Result<(), Failure> {
        let cut_off = self.endpoint.connection().is_some_and(|connection| was_cut_off(connection).unwrap_or(false));
        if self.peer_open || !cut_off || self.stall.take().is_none() {
            return Ok(());
        }
        self.output.warn("loss", "the peer closed, and all that it had sent was cut off: the filter returned less than skb->len. A filter returns skb->len for what is to pass")
    }

    /// Looks at the connection now and then, until there was reason to warn.
    pub(super) fn tick(&mut self) -> Result<(), Failure> {
        if Instant::now() < self.next_tick {
            return Ok(());
        }
        self.next_tick = Instant::now() + TICK;
        if self.endpoint.is_gone() {
            self.peer_open = false;
        }
        let Some(connection) = self.endpoint.connection() else { return self.watch_listener() };
        let Some(watch) = &mut self.stall else { return Ok(()) };
        if !self.sink.is_empty() {
            // It is our own reader that is slow: the peer probes a closed window, and that looks alike.
            *watch = StallWatch::default();
            return Ok(());
        }
        let Ok(Some(stall)) = watch.check(connection) else { return Ok(()) };
        self.stall = None;
        self.output.warn("stall", stall)
    }

    /// A SYN that the filter drops never becomes a connection. While one is served others may be dropped because too many
    /// wait; that is not the filter's doing.
    fn watch_listener(&mut self) -> Result<(), Failure> {
        let drops = self.endpoint.drops().unwrap_or(0);
        let new = drops.wrapping_sub(self.drops_when_idle.unwrap_or(drops));
        self.drops_when_idle = self.drops_when_idle.or(Some(drops));
        if self.endpoint.flow() != Flow::Listener || new == 0 || self.stall.take().is_none() {
            return Ok(());
        }
        let what = format!(
            "the listener dropped {new} packets: the filter returned 0 for a client's SYN or ACK, so no connection comes about. Byte 0 of a packet is the TCP header here, not Ethernet or IP"
        );
        self.output.warn("stall", what)
    }
}
