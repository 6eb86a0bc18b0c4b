//! Waiting for programs that are still running.

/// `MEMBARRIER_CMD_GLOBAL`, `include/uapi/linux/membarrier.h`.
const GLOBAL: libc::c_int = 1;

/// Returns when every program has ended that was running when it was called. A filter that was just taken off a socket may still
/// be at work on a packet, on another CPU; it runs in a read-side section of RCU, and this waits for a grace period.
///
/// Where the kernel cannot do it (without `CONFIG_MEMBARRIER`, or with CPUs that have no tick, `nohz_full`), it returns at once.
///
/// Kernel: `SYSCALL_DEFINE3(membarrier)`, `kernel/sched/membarrier.c`: `synchronize_rcu()` where more than one CPU is online. Since 4.3.
pub fn wait_for_programs() {
    // SAFETY: the call takes three numbers and touches no memory of ours.
    let _ = unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) };
}
