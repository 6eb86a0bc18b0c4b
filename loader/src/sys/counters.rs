//! What a socket counts, by getsockopt(2): drops, and the segments of a TCP connection.

use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;

use super::SysError;
use super::socket::kind_of;

/// Calls getsockopt(2) for a struct of plain numbers; what an older kernel does not fill in stays zero.
pub(super) fn get<T: Default + Copy>(
    socket: BorrowedFd<'_>,
    level: i32,
    option: i32,
    call: &'static str,
) -> Result<T, SysError> {
    let mut value = MaybeUninit::new(T::default());
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes to `value`, which has room for them.
    let ret = unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, value.as_mut_ptr().cast(), &raw mut len) };
    Errno::result(ret).map_err(|errno| SysError { call, errno })?;
    // SAFETY: it was initialised before the call, and the callers' types are structs of integers: any bytes are valid.
    Ok(unsafe { value.assume_init() })
}

/// What `SO_MEMINFO` says, in bytes but for the last (`SK_MEMINFO_*`, `include/uapi/linux/sock_diag.h`).
#[repr(C)]
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct MemInfo {
    /// What waits to be read, with the kernel's own bookkeeping.
    pub rmem_alloc: u32,
    /// How much may wait.
    pub rcvbuf: u32,
    /// What is on its way out.
    pub wmem_alloc: u32,
    /// How much may be.
    pub sndbuf: u32,
    /// Reserved, not used yet.
    pub fwd_alloc: u32,
    /// What TCP keeps until it is acknowledged.
    pub wmem_queued: u32,
    /// Options and filter: 96 and the bytes of the program as the kernel stores it.
    pub optmem: u32,
    /// What came while the socket was in use.
    pub backlog: u32,
    /// Packets dropped: by the filter, or for want of room.
    pub drops: u32,
}

const _: () = assert!(size_of::<MemInfo>() == 36);

/// `SO_MEMINFO`: the socket's memory, and the packets that it dropped.
///
/// # Errors
///
/// `ENOPROTOOPT`: a kernel before 4.12.
///
/// Kernel: `sk_get_meminfo()`, `net/core/sock.c`.
pub fn meminfo(socket: impl AsFd) -> Result<MemInfo, SysError> {
    get(socket.as_fd(), libc::SOL_SOCKET, libc::SO_MEMINFO, "getsockopt(SO_MEMINFO)")
}

/// Whether a socket's drops are those of its filter too. TCP and UDP count what the filter drops; a UNIX, raw or packet socket counts it
/// nowhere, and its number says nothing of the filter.
///
/// Kernel: `tcp_v4_rcv()`, `net/ipv4/tcp_ipv4.c`; `udp_queue_rcv_one_skb()`, `net/ipv4/udp.c`.
pub fn counts_drops(socket: impl AsFd) -> bool {
    let protocols = [libc::IPPROTO_TCP, libc::IPPROTO_UDP];
    kind_of(socket).is_ok_and(|[family, kind, protocol]| {
        matches!(family, libc::AF_INET | libc::AF_INET6) && kind != libc::SOCK_RAW && protocols.contains(&protocol)
    })
}

/// The packets that a socket dropped.
///
/// # Errors
///
/// As [`meminfo`].
pub fn drops(socket: impl AsFd) -> Result<u32, SysError> {
    meminfo(socket).map(|memory| memory.drops)
}

/// What `PACKET_STATISTICS` says (`struct tpacket_stats`, `include/uapi/linux/if_packet.h`).
#[repr(C)]
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PacketStatistics {
    /// Packets that the filter kept, those dropped included.
    pub packets: u32,
    /// Those of them that found no room.
    pub drops: u32,
}

/// `PACKET_STATISTICS`: what a packet socket counted since the last call, which sets it to zero.
///
/// # Errors
///
/// `ENOPROTOOPT`, `EOPNOTSUPP`: not a packet socket.
///
/// Kernel: `packet_getsockopt()`, `net/packet/af_packet.c`.
pub fn packet_statistics(socket: impl AsFd) -> Result<PacketStatistics, SysError> {
    get(socket.as_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS, "getsockopt(PACKET_STATISTICS)")
}

/// `struct tcp_info`, `include/uapi/linux/tcp.h`, up to what is needed here.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TcpInfo {
    bytes_before_rto: [u8; 8],
    words_before_pacing: [u32; 24],
    /// Bytes a second.
    pub pacing_rate: u64,
    /// Bytes a second.
    pub max_pacing_rate: u64,
    /// Bytes of ours that the peer has acknowledged. Since 4.2.
    pub bytes_acked: u64,
    /// Bytes of the peer's that were taken. Since 4.2.
    pub bytes_received: u64,
    /// Segments sent. Since 4.2.
    pub segs_out: u32,
    /// Segments that came through the filter. Since 4.2.
    pub segs_in: u32,
    /// Bytes not yet sent.
    pub notsent_bytes: u32,
    /// Microseconds.
    pub min_rtt: u32,
    /// Segments that came through the filter with data in them. Since 4.6.
    pub data_segs_in: u32,
    /// Segments sent with data in them. Since 4.6.
    pub data_segs_out: u32,
    words_before_ooopack: [u32; 16],
    /// Segments that came out of order: something before them was missing. Since 5.4.
    pub rcv_ooopack: u32,
    /// The window that the peer lets us use, in bytes. Since 5.4.
    pub snd_wnd: u32,
}

const _: () = assert!(std::mem::offset_of!(TcpInfo, bytes_acked) == 120);
const _: () =
    assert!(std::mem::offset_of!(TcpInfo, segs_in) == 140 && std::mem::offset_of!(TcpInfo, data_segs_in) == 152);
const _: () = assert!(std::mem::offset_of!(TcpInfo, rcv_ooopack) == 224 && size_of::<TcpInfo>() == 232);

impl TcpInfo {
    /// Whether each segment carries a timestamp, which makes its header 12 bytes longer (`tcpi_options`).
    pub fn has_timestamps(&self) -> bool {
        /// `TCPI_OPT_TIMESTAMPS`, `include/uapi/linux/tcp.h`.
        const TIMESTAMPS: u8 = 1;
        self.bytes_before_rto.get(5).is_some_and(|options| options & TIMESTAMPS != 0)
    }

    /// Segments that were sent again (`tcpi_total_retrans`).
    pub fn total_retrans(&self) -> u32 {
        self.words_before_pacing.get(23).copied().unwrap_or(0)
    }

    /// Segments of ours that the peer has not acknowledged yet (`tcpi_unacked`).
    pub fn unacked(&self) -> u32 {
        self.words_before_pacing.get(4).copied().unwrap_or(0)
    }
}

/// `TCP_INFO`: what the connection has seen.
///
/// # Errors
///
/// `EOPNOTSUPP`, `ENOPROTOOPT`: not a TCP socket.
///
/// Kernel: `tcp_get_info()`, `net/ipv4/tcp.c`.
pub fn tcp_info(socket: impl AsFd) -> Result<TcpInfo, SysError> {
    get(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, "getsockopt(TCP_INFO)")
}
