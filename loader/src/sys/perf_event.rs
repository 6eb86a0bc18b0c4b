//! `perf_event_open(2)`, for what programs write with `bpf_perf_event_output()`.

use std::mem::offset_of;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::SysError;

/// `struct perf_event_attr`, `include/uapi/linux/perf_event.h`, up to the clock: `PERF_ATTR_SIZE_VER3`.
#[repr(C)]
#[derive(Debug, Default)]
struct PerfEventAttr {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    /// Bit fields in C.
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clockid: i32,
}

const _: () = assert!(size_of::<PerfEventAttr>() == 96 && offset_of!(PerfEventAttr, sample_type) == 24);
const _: () = assert!(offset_of!(PerfEventAttr, flags) == 40 && offset_of!(PerfEventAttr, wakeup_events) == 48);
const _: () = assert!(offset_of!(PerfEventAttr, clockid) == 92);

const PERF_TYPE_SOFTWARE: u32 = 1;
const PERF_COUNT_SW_BPF_OUTPUT: u64 = 10;
const PERF_SAMPLE_TIME: u64 = 1 << 2;
const PERF_SAMPLE_RAW: u64 = 1 << 10;
const PERF_FORMAT_LOST: u64 = 1 << 4;
/// The 26th bit field: times are those of `clockid`.
const USE_CLOCKID: u64 = 1 << 25;
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 1 << 3;

const CALL: &str = "perf_event_open";

/// Opens the event that programs which run on `cpu` write to. It is enabled, its samples are the program's bytes and the time
/// (`CLOCK_MONOTONIC`, nanoseconds), and each sample wakes whoever waits.
///
/// # Errors
///
/// - `EACCES`, `EPERM`: no `CAP_PERFMON` (5.8; before, `CAP_SYS_ADMIN`), and `kernel.perf_event_paranoid` is above 0.
/// - `ENODEV`: the CPU is offline.
/// - `EINVAL`: there is no such CPU.
/// - `EMFILE`: too many descriptors.
///
/// Kernel: `SYSCALL_DEFINE5(perf_event_open)`, `kernel/events/core.c`. `PERF_COUNT_SW_BPF_OUTPUT` since 4.4, the count of lost samples
/// since 6.0.
pub(crate) fn open_bpf_output(cpu: u32) -> Result<OwnedFd, SysError> {
    let attr = PerfEventAttr {
        kind: PERF_TYPE_SOFTWARE,
        size: size_of::<PerfEventAttr>() as u32,
        config: PERF_COUNT_SW_BPF_OUTPUT,
        sample_period: 1,
        sample_type: PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
        read_format: PERF_FORMAT_LOST,
        flags: USE_CLOCKID,
        wakeup_events: 1,
        clockid: libc::CLOCK_MONOTONIC,
        ..Default::default()
    };
    match open(&attr, cpu) {
        // Before 6.0 lost samples are not counted.
        Err(error) if error.errno == Errno::EINVAL => open(&PerfEventAttr { read_format: 0, ..attr }, cpu),
        result => result,
    }
}

fn open(attr: &PerfEventAttr, cpu: u32) -> Result<OwnedFd, SysError> {
    let (every_process, no_group) = (-1, -1);
    // SAFETY: the kernel reads `size` bytes of the attr, which is a struct of that size and lives until the call returns.
    let ret = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            std::ptr::from_ref(attr),
            every_process,
            cpu,
            no_group,
            PERF_FLAG_FD_CLOEXEC,
        )
    };
    let fd = Errno::result(ret).map_err(|errno| SysError { call: CALL, errno })?;
    // SAFETY: the kernel has just opened this descriptor for us, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}

/// Samples that found no room in the event's buffer, since it was opened; `None` before Linux 6.0.
///
/// Kernel: `perf_read_one()`, `kernel/events/core.c`.
pub(crate) fn lost_samples(event: impl AsFd) -> Option<u64> {
    // The counter itself, then what was lost.
    let mut values = [0; 16];
    let read = nix::unistd::read(event, &mut values).ok()?;
    let lost = values.last_chunk()?;
    (read == values.len()).then(|| u64::from_ne_bytes(*lost))
}

/// The CPUs that are online, ascending.
///
/// # Errors
///
/// `EIO`: `/sys/devices/system/cpu/online` cannot be read, or is no list such as `0-3,5`.
pub(crate) fn online_cpus() -> Result<Vec<u32>, SysError> {
    const CALL: &str = "read(/sys/devices/system/cpu/online)";
    let text =
        std::fs::read_to_string("/sys/devices/system/cpu/online").map_err(|error| SysError::from_io(CALL, &error))?;
    cpu_list(text.trim()).ok_or(SysError { call: CALL, errno: Errno::EIO })
}

/// `0-3,5`
fn cpu_list(text: &str) -> Option<Vec<u32>> {
    // More than the kernel can be built for (CONFIG_NR_CPUS).
    const MOST: u32 = 1 << 16;
    let mut cpus = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok().filter(|last| *last < MOST)?);
        cpus.extend(first..=last);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cpus_has_numbers_and_ranges() {
        assert_eq!(cpu_list("0"), Some(vec![0]));
        assert_eq!(cpu_list("0-2,5"), Some(vec![0, 1, 2, 5]));
        for wrong in ["", "x", "1-", "0-4294967295", "0,,1"] {
            assert_eq!(cpu_list(wrong), None, "{wrong}");
        }
    }
}
