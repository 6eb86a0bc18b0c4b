//! What the kernel says of a loaded program: its number, its sizes, how often it ran.

use std::os::fd::AsFd;

use super::Program;
use crate::sys::attr::ProgInfo;
use crate::sys::{SysError, bpf};

/// What the kernel says of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramInfo {
    /// Its number, unique on this machine until the next boot.
    pub id: u32,
    /// `enum bpf_prog_type`; 1 is a socket filter.
    pub prog_type: u32,
    /// See [`crate::plan::Tags`].
    pub tag: [u8; 8],
    /// Whether the licence opens GPL-only helpers.
    pub gpl_compatible: bool,
    /// When it was loaded: nanoseconds since the machine was switched on, times of sleep included (`CLOCK_BOOTTIME`). Since 4.15.
    pub loaded_at: u64,
    /// The user who loaded it. Since 4.15.
    pub uid: u32,
    /// Bytes of the instructions as the verifier rewrote them; 0 where the kernel does not show them.
    pub bytes_xlated: u32,
    /// Bytes of machine code; 0 if there is none.
    pub bytes_jited: u32,
    /// How many maps it uses.
    pub maps: u32,
    /// Its BTF; 0 without one.
    pub btf_id: u32,
    /// Instructions that the verifier walked, over all paths. Since 5.16.
    pub verified_insns: u32,
    /// How often it ran, and how long in all, while statistics were on. Since 5.1.
    pub run_count: u64,
    /// Nanoseconds.
    pub run_time_ns: u64,
    /// How often it was not run, since it was running already on that CPU. Since 5.12.
    pub recursion_misses: u64,
}

impl Program {
    /// What the kernel says of it.
    ///
    /// # Errors
    ///
    /// None that a healthy process would see.
    pub fn info(&self) -> Result<ProgramInfo, SysError> {
        let info: ProgInfo = bpf::prog_info(self.as_fd())?;
        Ok(ProgramInfo {
            id: info.id,
            prog_type: info.prog_type,
            tag: info.tag,
            gpl_compatible: info.gpl_compatible & 1 == 1,
            loaded_at: info.load_time,
            uid: info.created_by_uid,
            bytes_xlated: info.xlated_prog_len,
            bytes_jited: info.jited_prog_len,
            maps: info.nr_map_ids,
            btf_id: info.btf_id,
            verified_insns: info.verified_insns,
            run_count: info.run_cnt,
            run_time_ns: info.run_time_ns,
            recursion_misses: info.recursion_misses,
        })
    }
}
