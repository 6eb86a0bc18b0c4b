//! `--as`: the ways that a packet can take.

use clap::ValueEnum;
use minibpf::hook::{packet, tcp, udp, unix};

/// How packets reach the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum How {
    /// BPF_PROG_TEST_RUN: no socket; byte 0 is the network header, and nothing is trimmed
    TestRun,
    /// The payload over a TCP connection; byte 0 is the TCP header
    Tcp,
    /// The payload in a UDP datagram; byte 0 is the UDP header
    Udp,
    /// The whole frame to a packet socket; byte 0 is the Ethernet header
    Packet,
    /// The payload in a UNIX datagram, and byte 0 with it
    Unixgram,
}

impl How {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::TestRun => "test-run",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Packet => "packet",
            Self::Unixgram => "unixgram",
        }
    }

    /// What byte 0 of a packet is.
    pub(super) fn byte0(self) -> &'static str {
        match self {
            Self::TestRun => "network header",
            Self::Tcp => tcp::LISTENER.byte0,
            Self::Udp => udp::HOOK.byte0,
            Self::Packet => packet::RAW.byte0,
            Self::Unixgram => unix::DATAGRAM.byte0,
        }
    }
}
