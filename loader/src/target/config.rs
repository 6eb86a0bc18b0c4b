//! How the running kernel was built: its version, and the lines of its `.config`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use super::{Config, symbols};
use crate::spec::Spec;

/// Longer than any configuration; a file that unpacks to more is none.
const MAX_BYTES: u64 = 16 << 20;

/// Reads what the object asks for.
pub(super) fn running(spec: &Spec<'_>) -> Config {
    let asks = |name: &str| spec.externs.iter().any(|external| external.name.starts_with(name));
    let mut config = Config {
        version: running_version(),
        has_syscall_wrapper: asks("LINUX_HAS_SYSCALL_WRAPPER") && symbols::has(WRAPPED_CALL),
        ..Config::default()
    };
    if asks("CONFIG_") {
        (config.options, config.source) = read_options(&plain(), PACKED);
    }
    config
}

/// `KERNEL_VERSION(a, b, c)` of the running kernel.
pub(crate) fn running_version() -> u32 {
    let release = line_of("/proc/sys/kernel/osrelease");
    version(&line_of("/proc/version_signature"), &line_of("/proc/sys/kernel/version"), &release)
}

/// Where the running kernel's configuration can be read, if anywhere.
pub(crate) fn source() -> Option<String> {
    [plain(), PACKED.to_owned()].into_iter().find(|path| fs::File::open(path).is_ok())
}

const PACKED: &str = "/proc/config.gz";

fn plain() -> String {
    format!("/boot/config-{}", line_of("/proc/sys/kernel/osrelease"))
}

/// A system call under its name with a wrapper.
const WRAPPED_CALL: &str = if cfg!(target_arch = "aarch64") { "__arm64_sys_bpf" } else { "__x64_sys_bpf" };

fn line_of(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// `KERNEL_VERSION` of a running kernel. Ubuntu and Debian number their releases by themselves, and tell the true version
/// elsewhere: `Ubuntu 5.4.0-12.15-generic 5.4.8`, and `#1 SMP Debian 4.19.194-3`.
pub(super) fn version(signature: &str, version: &str, release: &str) -> u32 {
    let ubuntu = signature.split_ascii_whitespace().nth(2);
    let debian = version.split_once("Debian ").map(|(_, rest)| rest);
    let text = ubuntu.or(debian).unwrap_or(release);
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let (major, minor, patch) = (next(), next(), next());
    // Since 4.9.256 the last number may pass what its byte can hold.
    major << 16 | minor.min(255) << 8 | patch.min(255)
}

/// The options that are set, and where they were read: a plain file, or else a packed one.
fn read_options(plain: &str, packed: &str) -> (BTreeMap<String, String>, String) {
    if let Ok(text) = fs::read_to_string(plain) {
        return (parse(&text), plain.to_owned());
    }
    let mut text = String::new();
    let read = fs::File::open(packed)
        .and_then(|file| flate2::read::GzDecoder::new(file).take(MAX_BYTES).read_to_string(&mut text));
    match read {
        Ok(_) => (parse(&text), packed.to_owned()),
        Err(error) => (BTreeMap::new(), format!("neither {plain} nor {packed} can be read: {error}")),
    }
}

/// `CONFIG_NAME=value`, a line each; what is not set is a comment.
pub(super) fn parse(text: &str) -> BTreeMap<String, String> {
    let options = text.lines().filter(|line| line.starts_with("CONFIG_"));
    options.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
