//! minibpf where everybody can reach it, run with less than what the tests have.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::process::{MINIBPF, Ran, Running, copy_file, output_of};

/// A copy of the binary, and of objects, that any user can read; gone when it is dropped.
pub(crate) struct Everybody {
    dir: TempDir,
}

/// As the user nobody, who has no capability and could get them.
pub(crate) const NOBODY: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

impl Everybody {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        copy_file(MINIBPF, &dir.path().join("minibpf"));
        Self { dir }
    }

    /// A copy of an object.
    pub(crate) fn object(&self, from: impl AsRef<Path>) -> String {
        let from = from.as_ref();
        let to = self.dir.path().join(from.file_name().unwrap());
        fs::copy(from, &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o644)).unwrap();
        to.to_str().unwrap().to_owned()
    }

    /// Runs minibpf by way of another program, which takes something from it.
    #[track_caller]
    pub(crate) fn run<S: AsRef<str>>(&self, by_way_of: &[S], args: &[&str]) -> Ran {
        self.start(by_way_of, args).end()
    }

    /// Starts it so.
    #[track_caller]
    pub(crate) fn start<S: AsRef<str>>(&self, by_way_of: &[S], args: &[&str]) -> Running {
        let words: Vec<&str> = by_way_of.iter().map(AsRef::as_ref).collect();
        let mut command = Command::new(words[0]);
        Running::command(command.args(&words[1..]).arg(self.dir.path().join("minibpf")).args(args))
    }

    /// Gives the copy of the binary capabilities of its own.
    #[track_caller]
    pub(crate) fn setcap(&self, capabilities: &str) {
        output_of(Command::new("setcap").arg(capabilities).arg(self.dir.path().join("minibpf")));
    }
}

/// `setpriv` with these capabilities (`CAP_BPF`) and no others, in all five sets.
fn with_only(capabilities: &[&str]) -> Vec<String> {
    let names = capabilities.iter().map(|name| format!(",+{}", name.trim_start_matches("CAP_").to_lowercase()));
    let set = format!("-all{}", names.collect::<String>());
    ["inh-caps", "ambient-caps", "bounding-set"].map(|name| format!("--{name}={set}")).into()
}

/// As the user nobody, with these capabilities.
pub(crate) fn nobody_with(capabilities: &[&str]) -> Vec<String> {
    NOBODY.iter().map(|word| (*word).to_owned()).chain(with_only(capabilities)).collect()
}

/// As root, with these capabilities.
pub(crate) fn root_with(capabilities: &[&str]) -> Vec<String> {
    std::iter::once("setpriv".to_owned()).chain(with_only(capabilities)).collect()
}

/// As root, without this one.
pub(crate) fn root_without(capability: &str) -> [String; 3] {
    let set = format!("-{}", capability.trim_start_matches("CAP_").to_lowercase());
    ["setpriv".to_owned(), format!("--bounding-set={set}"), format!("--inh-caps={set}")]
}

/// A python program that forbids bpf(2) to what it starts, as the default filters of containers do.
pub(crate) fn without_bpf(errno: &str) -> Vec<String> {
    let forbid = FORBID_BPF.replace("ERRNO", errno);
    ["python3", "-c", &forbid].map(str::to_owned).into()
}

const FORBID_BPF: &str = "
import ctypes, errno, os, platform, struct, sys
bpf = {'x86_64': 321, 'aarch64': 280}[platform.machine()]
op = lambda code, jt, jf, k: struct.pack('HBBI', code, jt, jf, k)
# Load the call's number; bpf: the errno, any other: allowed.
code = op(0x20, 0, 0, 0) + op(0x15, 0, 1, bpf) + op(0x06, 0, 0, 0x00050000 | errno.ERRNO) + op(0x06, 0, 0, 0x7fff0000)
held = ctypes.create_string_buffer(code, len(code))
program = struct.pack('HxxxxxxP', len(code) // 8, ctypes.addressof(held))
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
";
