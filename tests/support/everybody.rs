//! minibpf where everybody can reach it, run with less than what the tests have.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::process::{MINIBPF, Ran, Running, copy_file};

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
    pub(crate) fn run(&self, by_way_of: &[&str], args: &[&str]) -> Ran {
        let mut command = Command::new(by_way_of[0]);
        command.args(&by_way_of[1..]).arg(self.dir.path().join("minibpf")).args(args);
        Running::command(&mut command).end()
    }
}

/// A python program that forbids bpf(2) to what it starts, as the default filters of containers do.
pub(crate) const WITHOUT_BPF: &[&str] = &["python3", "-c", FORBID_BPF];

const FORBID_BPF: &str = "
import ctypes, os, platform, struct, sys
bpf = {'x86_64': 321, 'aarch64': 280}[platform.machine()]
op = lambda code, jt, jf, k: struct.pack('HBBI', code, jt, jf, k)
# Load the call's number; bpf: EPERM, any other: allowed.
code = op(0x20, 0, 0, 0) + op(0x15, 0, 1, bpf) + op(0x06, 0, 0, 0x00050001) + op(0x06, 0, 0, 0x7fff0000)
held = ctypes.create_string_buffer(code, len(code))
program = struct.pack('HxxxxxxP', len(code) // 8, ctypes.addressof(held))
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
";
