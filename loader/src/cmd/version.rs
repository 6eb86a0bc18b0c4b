//! `minibpf --version`: which source this is, and how it was built.

/// Whatever `MINIBPF_REVISION` holds when this file is compiled, such as `git log -1 --format='%h %cs'` prints it; scripts/static sets it.
/// A build script that asks git would do without, and compile the library and all tests anew after every commit.
const REVISION: Option<&str> = option_env!("MINIBPF_REVISION");

/// What `-V` prints after the name.
pub(crate) fn short() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match REVISION {
        Some(revision) if !revision.is_empty() => format!("{version} ({revision})"),
        _ => version.to_owned(),
    }
}

/// What `--version` prints: also for which machine it was built, and which parts of the package are in it.
pub(crate) fn long() -> String {
    let linked = if cfg!(target_feature = "crt-static") { "static" } else { "dynamic" };
    let libc = match () {
        () if cfg!(target_env = "musl") => "musl",
        () if cfg!(target_env = "gnu") => "glibc",
        () => "another C library",
    };
    let features =
        [("cli", cfg!(feature = "cli")), ("humantime", cfg!(feature = "humantime")), ("pcap", cfg!(feature = "pcap"))];
    let features: Vec<_> = features.iter().filter(|(_, is_in)| *is_in).map(|(name, _)| *name).collect();
    let arch = std::env::consts::ARCH;
    format!("{}\nfeatures: {}\ntarget: {arch}, {libc}, {linked}", short(), features.join(" "))
}
