//! How often a program runs, and how long it takes: counted only while somebody asks for it. And what its socket counts.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};

use crate::kernel::ProgramInfo;
use crate::sys::counters::{self, MemInfo, PacketStatistics, TcpInfo};
use crate::sys::{SysError, bpf};

/// While this lives, the kernel counts and times the runs of every program of the machine.
#[derive(Debug)]
pub struct RunStats(OwnedFd);

impl AsFd for RunStats {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl RunStats {
    /// Switches the statistics on.
    ///
    /// # Errors
    ///
    /// `EPERM`: no `CAP_SYS_ADMIN`.
    pub fn enable() -> Result<Self, SysError> {
        bpf::enable_stats().map(Self)
    }
}

/// Mean nanoseconds of a run; `None` if it never ran.
pub fn mean_ns(info: &ProgramInfo) -> Option<u64> {
    info.run_time_ns.checked_div(info.run_count)
}

/// What a socket has counted since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SocketStats {
    /// Its queues; `None` on kernels before 4.12.
    pub memory: Option<MemInfo>,
    /// See [`drops`].
    pub drops: Option<u32>,
    /// Of a TCP connection.
    pub tcp: Option<TcpInfo>,
    /// Of a packet socket.
    pub packets: Option<PacketStatistics>,
}

impl SocketStats {
    /// Looks at a socket. The kernel forgets `PACKET_STATISTICS` when it tells them, so they are added to those told before; of somebody else's socket
    /// they are not asked for.
    pub fn look(&mut self, socket: impl AsFd, is_own: bool) {
        let socket = socket.as_fd();
        self.memory = counters::meminfo(socket).ok();
        self.drops = self.memory.filter(|_| counters::counts_drops(socket)).map(|memory| memory.drops);
        self.tcp = counters::tcp_info(socket).ok();
        if let Some(new) = is_own.then(|| counters::packet_statistics(socket).ok()).flatten() {
            let PacketStatistics { packets, drops } = self.packets.unwrap_or_default();
            let (packets, drops) = (packets.saturating_add(new.packets), drops.saturating_add(new.drops));
            self.packets = Some(PacketStatistics { packets, drops });
        }
    }
}

/// The packets that a socket dropped, those that its filter dropped among them; `None` where nobody counts those, see
/// [`counters::counts_drops`].
pub fn drops(socket: impl AsFd) -> Option<u32> {
    let socket = socket.as_fd();
    counters::counts_drops(socket).then(|| counters::drops(socket).ok()).flatten()
}

/// When a program was loaded; `None` where the clocks cannot be read, or say what cannot be.
pub fn loaded_at(info: &ProgramInfo) -> Option<SystemTime> {
    // CLOCK_BOOTTIME counts from when the machine was switched on: the difference to the time of day tells when that was.
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).ok().map(Duration::from)?;
    SystemTime::now().checked_sub(now)?.checked_add(Duration::from_nanos(info.loaded_at))
}
