//! The units of docs/systemd: what systemd says of them, and what becomes of a service that is started as they say. systemd itself is not run.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::everybody::{Everybody, root_with};
use crate::support::objects::object;
use crate::support::process::{MINIBPF, Running, output_of};
use crate::support::{PATIENCE, number, text};

/// What systemd does for the service: the socket is bound, and is descriptor 3 of the server and of minibpf.
const SYSTEMD: &str = r#"
import ctypes, os, signal, socket, sys
server, minibpf = sys.argv[1], sys.argv[2:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print('{"kind":"bound","port":%d}' % s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
def start(argv):
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL) # PR_SET_PDEATHSIG
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        os.execvp(argv[0], argv)
    return pid
filter, server = start(minibpf), start(["python3", server])
signal.signal(signal.SIGTERM, lambda *_: os.kill(filter, signal.SIGTERM))
status = os.waitpid(filter, 0)[1]
os.kill(server, signal.SIGKILL); os.waitpid(server, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"#;

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/systemd")
}

/// What the unit says after `KEY=`.
fn setting(key: &str) -> String {
    let unit = fs::read_to_string(units().join("minibpf@.service")).unwrap();
    let of_key = |line: &str| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
    unit.lines().find_map(of_key).unwrap_or_else(|| panic!("no {key}= in\n{unit}"))
}

/// The units where the programs that they start are.
fn verifiable() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for unit in ["minibpf@.service", "echo.service", "echo.socket"] {
        let text = fs::read_to_string(units().join(unit)).unwrap();
        let text = text.replace("/usr/local/bin/minibpf", MINIBPF);
        fs::write(dir.path().join(unit), text).unwrap();
    }
    dir
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units_and_little_that_they_expose() {
    let dir = verifiable();
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "minibpf@echo.service", "echo.service", "echo.socket"]);
    let path = format!("{}:", dir.path().display());
    let verified = verify.env("SYSTEMD_UNIT_PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    // Of units of the machine's own it may say something; of these it may not.
    let of_ours: Vec<_> = said.lines().filter(|line| line.contains("echo") || line.contains("minibpf")).collect();
    assert!(verified.status.success() && of_ours.is_empty(), "{said}");
    // From 0, which is nothing, to 10. A service that says nothing of this has 9.6.
    let unit = dir.path().join("minibpf@.service");
    output_of(Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=15"]).arg(unit));
}

#[test]
#[ignore = "needs root, to become somebody"]
fn a_filter_on_an_activated_socket_needs_cap_bpf_alone_and_its_server_does_not_know() {
    let everybody = Everybody::new();
    let filter = everybody.object(object("drop"));
    let capabilities = [setting("AmbientCapabilities"), setting("CapabilityBoundingSet")];
    assert_eq!(capabilities, ["CAP_BPF", "CAP_BPF"]);
    // As DynamicUser= has it: a user without a name.
    let mut by_way_of =
        ["python3", "-c", SYSTEMD, units().join("echo.py").to_str().unwrap()].map(str::to_owned).to_vec();
    by_way_of.extend(["unshare", "--net"].map(str::to_owned));
    by_way_of.extend(root_with(&[&setting("CapabilityBoundingSet")]));
    // Becoming somebody else undoes what the starter asked for: to die with it.
    by_way_of.extend(["--reuid=61234", "--regid=61234", "--clear-groups", "--pdeathsig=KILL"].map(str::to_owned));
    by_way_of.push("--no-new-privs".to_owned());
    let line =
        setting("ExecStart").replace("/etc/minibpf/%i.bpf.o", &filter).replace("$OPTIONS", "--set longer_than=20");
    let args: Vec<&str> = line.split_whitespace().skip(1).collect();

    let service: Running = everybody.start(&by_way_of, &args);
    let port = number(&service.line("bound"), "port");
    assert_eq!(text(&service.line("attached"), "target"), "listen-fd:0");
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    // The UDP header, of 8 bytes, counts.
    for datagram in ["first", "of 20 bytes, too long", "another, likewise", "the last"] {
        client.send(datagram.as_bytes()).unwrap();
    }
    let mut buffer = [0; 64];
    for expected in ["first", "the last"] {
        let len = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], expected.as_bytes());
    }
    service.terminate();
    let ran = service.end().expect(0);
    assert_eq!(ran.map(".bss")["entries"][0]["value"]["dropped"], 2, "{}", ran.text());
    assert_eq!(ran.summary()["ended"], "interrupted");
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

/// systemd's own implementation of the protocol, for one service.
#[test]
#[ignore = "needs CAP_BPF"]
fn systemd_socket_activate_passes_a_socket_that_a_filter_can_be_attached_to() {
    let address = format!("127.0.0.1:{}", UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let mut activate = Command::new("systemd-socket-activate");
    activate.args(["--datagram", "--listen", &address, MINIBPF]);
    activate.args(["load", &object("count"), "--attach", "listen-fd:0", "--json", "--duration", "1s"]);
    let service = Running::command(&mut activate);
    service.says("Listening on");
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"start", &address).unwrap();
    assert_eq!(text(&service.line("attached"), "hook"), "udp");
    assert_eq!(service.end().expect(0).summary()["ended"], "duration over");
}

/// The filter of system calls that the unit asks for lets through what minibpf makes.
#[test]
#[ignore = "needs CAP_BPF"]
fn the_unit_allows_the_system_calls_that_are_made() {
    let allowed = setting("SystemCallFilter");
    let mut groups: Vec<String> = allowed.split_whitespace().map(str::to_owned).collect();
    let mut calls = Vec::new();
    while let Some(name) = groups.pop() {
        if name.starts_with('@') {
            let list = output_of(Command::new("systemd-analyze").args(["syscall-filter", &name]));
            let members = list.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            groups.extend(members.map(str::to_owned));
        } else {
            calls.push(name);
        }
    }
    assert!(calls.len() > 200, "{calls:?}");
    let log = tempfile::NamedTempFile::new().unwrap();
    let script = format!(
        "exec 3<>/dev/udp/127.0.0.1/9; export LISTEN_FDS=1; strace -f -o {} {} load {} --attach listen-fd:0 --replace --no-stats --json --duration 200ms",
        log.path().display(),
        MINIBPF,
        object("count"),
    );
    output_of(Command::new("bash").args(["-c", &script]));
    let trace = fs::read_to_string(log.path()).unwrap();
    let made = trace.lines().filter_map(|line| line.split_whitespace().nth(1)?.split_once('(')).map(|(name, _)| name);
    let made: std::collections::BTreeSet<&str> =
        made.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect();
    assert!(made.contains("bpf") && made.contains("capset"), "{made:?}");
    let refused: Vec<_> = made.iter().filter(|name| !calls.iter().any(|call| call == *name)).collect();
    assert!(refused.is_empty(), "{refused:?}");
    // RestrictAddressFamilies=none
    assert!(!made.contains("socket"), "{made:?}");
}
