//! What a piece of work takes: processor time and memory of its thread alone, whatever else the machine does.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// What no mutant of a committed object may take.
pub(crate) const LONGEST: Duration = Duration::from_secs(1);
pub(crate) const MOST: u64 = 64 << 20;

/// What a piece of work took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) time: Duration,
    /// The most bytes that it held at once.
    pub(crate) memory: u64,
}

pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let mut result = None;
    let before = now();
    let memory = allocation_counter::measure(|| result = Some(work())).bytes_max;
    (result.unwrap(), Cost { time: now().saturating_sub(before), memory })
}

/// Does the work, and claims that it took no more than it may.
#[track_caller]
pub(crate) fn bounded<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (result, cost) = measured(work);
    assert!(cost.time <= LONGEST, "{what} took {:?}, at most {LONGEST:?}", cost.time);
    assert!(cost.memory <= MOST, "{what} held {} bytes, at most {MOST}", cost.memory);
    result
}

fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}
