//! Least privilege: what a command that goes on watching no longer needs, it gives up when the filter is in place.
//!
//! What the rest takes was measured with strace, call by call. These need no capability: everything on an open descriptor of a
//! socket (`SO_DETACH_BPF`, `SO_DETACH_REUSEPORT_BPF`, statistics, accept4), of a tun device (TUNSETFILTEREBPF, TUNSETSTEERINGEBPF),
//! of a map or a program (since 5.19), of run statistics (they are on for as long as it is open), of a perf event and its memory.
//! What is left is in [`Needs`]. Capabilities are of the thread: there is only this one by now.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use minibpf::target;

use super::failure::Failure;
use super::output::Output;

/// What must stay.
#[derive(Debug, Default)]
pub(crate) struct Needs(CapsHashSet);

impl Needs {
    /// What any watching needs.
    pub(crate) fn new() -> Self {
        let mut needs = Self::default();
        if target::every_command_asks() {
            needs.0.extend([Capability::CAP_BPF, Capability::CAP_SYS_ADMIN]);
        }
        needs
    }

    /// A file that is removed at the end: a directory of somebody else's may be open to `CAP_DAC_OVERRIDE` alone.
    pub(crate) fn removes(&mut self, path: &Path) {
        const ANYBODY: u32 = 0o003;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let is_open = std::fs::metadata(directory)
            .is_ok_and(|found| found.uid() == nix::unistd::geteuid().as_raw() || found.mode() & ANYBODY == ANYBODY);
        if !is_open {
            self.0.insert(Capability::CAP_DAC_OVERRIDE);
        }
    }

    /// A socket that another process has: it is not held open, so a descriptor for it is taken again and again (`pidfd_getfd`, and
    /// `/proc/PID/fd` where its owner has moved it). Either `CAP_SYS_PTRACE` allows that, or being the same user with no fewer
    /// capabilities.
    ///
    /// Kernel: `__ptrace_may_access()`, `kernel/ptrace.c`; `cap_ptrace_access_check()`, `security/commoncap.c`.
    pub(crate) fn process(&mut self, pid: i32) {
        let may_trace = caps::has_cap(None, CapSet::Permitted, Capability::CAP_SYS_PTRACE).unwrap_or(false);
        if may_trace {
            // The directory is its owner's, and shut to others whatever they may trace.
            self.0.extend([Capability::CAP_SYS_PTRACE, Capability::CAP_DAC_READ_SEARCH]);
        } else {
            // Where it cannot be asked, nothing is given up.
            self.0.extend(caps::read(Some(pid), CapSet::Permitted).unwrap_or_else(|_| caps::all()));
        }
    }
}

/// Gives up every capability but these, in all five sets, and the way to new ones (`no_new_privs`).
pub(crate) fn keep_only(needs: &Needs, output: &Output) -> Result<(), Failure> {
    match give_up(needs) {
        Ok(()) => Ok(()),
        // It goes on with more than it needs, which is no reason not to watch.
        Err(error) => output.warn("privileges", format_args!("capabilities that are no longer needed stay: {error}")),
    }
}

fn give_up(Needs(needs): &Needs) -> Result<(), caps::errors::CapsError> {
    let kept: CapsHashSet = caps::read(None, CapSet::Permitted)?.intersection(needs).copied().collect();
    // The bounding set is changed with CAP_SETPCAP, so it comes first; without that nothing is lost: no_new_privs makes it void.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for capability in caps::all().difference(&kept) {
            if caps::has_cap(None, CapSet::Bounding, *capability).unwrap_or(false) {
                caps::drop(None, CapSet::Bounding, *capability)?;
            }
        }
    }
    caps::clear(None, CapSet::Ambient)?;
    caps::set(None, CapSet::Inheritable, &CapsHashSet::new())?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)?;
    nix::sys::prctl::set_no_new_privs().map_err(|errno| format!("prctl(PR_SET_NO_NEW_PRIVS): {errno}").into())
}
