//! What `/proc/PID/fdinfo/FD` says of maps and programs: which ones a process holds, and how much memory they take.
//!
//! Kernel: `bpf_map_show_fdinfo()` and `bpf_prog_show_fdinfo()`, `kernel/bpf/syscall.c`.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The maps and programs that a process holds, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// `map_id`, since 5.9.
    pub maps: BTreeSet<u32>,
    /// `prog_id`, since 4.19.
    pub programs: BTreeSet<u32>,
}

/// What a process holds.
///
/// # Errors
///
/// `NotFound`: there is no such process; `PermissionDenied`: it is another user's.
pub fn held(pid: i32) -> io::Result<Held> {
    let mut held = Held::default();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // A descriptor may be closed while they are listed.
        let text = entry.and_then(|entry| std::fs::read_to_string(entry.path())).unwrap_or_default();
        held.maps.extend(number::<u32>(&text, "map_id"));
        held.programs.extend(number::<u32>(&text, "prog_id"));
    }
    Ok(held)
}

/// The processes that hold a map, as far as they can be looked at; this one left out.
pub fn holders(map: u32) -> Vec<i32> {
    let own = std::process::id().cast_signed();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let holding = pids.filter(|pid| *pid != own && held(*pid).is_ok_and(|held| held.maps.contains(&map)));
    holding.collect()
}

/// Bytes of memory that a map or a program takes (`memlock`); `None` if the kernel does not say.
pub fn memory(fd: impl AsFd) -> Option<u64> {
    own(fd, "memlock")
}

/// Whether user space can write a map no more (`frozen`, since 5.2).
pub fn is_frozen(map: impl AsFd) -> bool {
    own(map, "frozen") == Some(1u8)
}

fn own<T: std::str::FromStr>(fd: impl AsFd, key: &str) -> Option<T> {
    number(&std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_fd().as_raw_fd())).ok()?, key)
}

/// The number that follows `key:`.
fn number<T: std::str::FromStr>(text: &str, key: &str) -> Option<T> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_behind_its_key() {
        let text = "pos:\t0\nmap_type:\t1\nmemlock:\t5200\nmap_id:\t77\nfrozen:\t1\n";
        assert_eq!(number(text, "map_id"), Some(77));
        assert_eq!(number::<u32>(text, "prog_id"), None);
        assert_eq!(number::<u8>(text, "memlock"), None);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert_eq!(held(i32::MAX).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
