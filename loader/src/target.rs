//! What a plan must know of the kernel it is made for: plain data, read from the running one or stated.

/// A kernel, as far as an object can depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Bytes in a page of memory: ring buffers are whole pages.
    pub page_size: Option<u32>,
}

impl Target {
    /// No kernel in particular. A plan made for it shows the object's own numbers where a kernel's would be needed.
    pub fn none() -> Self {
        Self::default()
    }

    /// The running kernel.
    pub fn running() -> Self {
        let page_size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
        Self { page_size: page_size.and_then(|size| u32::try_from(size).ok()) }
    }
}
