//! What a load that watches gives up, what it keeps, and that this is enough to the end.

use crate::support::bpffs::Bpffs;
use crate::support::everybody::{Everybody, nobody_with, root_with};
use crate::support::netns::Netns;
use crate::support::objects::object;
use crate::support::process::{MINIBPF, Running, run};
use crate::support::server::udp_owner;
use crate::support::{Json, PATIENCE, wait_for};

/// The five sets of capabilities of a process, and whether it can get new ones.
fn held(pid: u32) -> Vec<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let lines = status.lines().filter(|line| line.starts_with("Cap") || line.starts_with("NoNewPrivs"));
    lines.map(|line| line.split_whitespace().last().unwrap().to_owned()).collect()
}

fn only(capabilities: u64) -> Vec<String> {
    let set = |bits: u64| format!("{bits:016x}");
    vec![set(0), set(capabilities), set(capabilities), set(capabilities), set(0), "1".to_owned()]
}

const NOTHING: u64 = 0;
const DAC_OVERRIDE: u64 = 1 << 1;
const DAC_READ_SEARCH: u64 = 1 << 2;
const NET_RAW: u64 = 1 << 13;
const SYS_PTRACE: u64 = 1 << 19;

/// Waits for the first look at the traffic: by then it has given up what it will.
#[track_caller]
fn watching(running: &Running) -> Vec<String> {
    running.line("attached");
    let pid = running.pid();
    wait_for("no_new_privs", PATIENCE, || {
        let found = held(pid);
        (found.last().unwrap() == "1").then_some(found)
    })
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_load_that_watches_has_no_capability_left_and_ends_as_well() {
    let netns = Netns::new();
    let targets: [&[&str]; 7] = [
        &["--listen", "127.0.0.1:0"],
        &["--listen", "udp:127.0.0.1:0"],
        &["--listen", "raw:icmp"],
        &["--packet", "lo"],
        &["--attach", "fanout:lo:4712"],
        &["--attach", "reuseport:127.0.0.1:0"],
        &["--attach", "tun-steer:least1"],
    ];
    for target in targets {
        let running = netns.minibpf(&[&["load", &object("count"), "--json"], target].concat());
        assert_eq!(watching(&running), only(NOTHING), "{target:?}");
        running.interrupt();
        let summary = running.end().expect(0).summary();
        assert_eq!((&summary["ended"], &summary["run_cnt_needs"]), (&"interrupted".into(), &Json::Null), "{summary}");
    }
    let fs = Bpffs::mount();
    run(["check", &object("pass"), "--pin", &fs.path("x")]).expect(0);
    let running = Running::start(["attach", &fs.path("x/pass"), "--listen", "udp:127.0.0.1:0", "--json"]);
    assert_eq!(watching(&running), only(NOTHING));
    running.interrupt();
    running.end().expect(0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_a_load_still_needs_it_keeps_and_takes_the_filter_off_with_it() {
    for owner in [vec![], nobody_with(&[])] {
        let (_owner, by_fd, _) = udp_owner(&owner);
        let running = Running::start(["load", &object("pass"), "--attach", &by_fd, "--json"]);
        assert_eq!(watching(&running), only(SYS_PTRACE | DAC_READ_SEARCH));
        running.interrupt();
        running.end().expect(0);
        run(["detach", "--attach", &by_fd]).expect(6);
    }
    // The file of a socket in a directory that is somebody else's.
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
    let path = dir.path().join("socket");
    let target = format!("unixgram:{}", path.display());
    let running = Running::start(["load", &object("pass"), "--listen", &target, "--json"]);
    assert_eq!(watching(&running), only(DAC_OVERRIDE));
    running.interrupt();
    running.end().expect(0);
    assert!(!path.exists());
}

/// Without `CAP_SYS_PTRACE` a process is open to the same user if that has no less than it: so just that much stays.
#[test]
#[ignore = "needs root, to drop capabilities"]
fn of_a_process_of_the_same_user_what_that_has_is_kept_and_no_more() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    for (theirs, bits) in [(&[][..], NOTHING), (&["CAP_NET_RAW"], NET_RAW)] {
        let (_owner, by_fd, _) = udp_owner(&root_with(theirs));
        let args = ["load", &pass, "--attach", &by_fd, "--json"];
        let running = everybody.start(&root_with(&["CAP_BPF", "CAP_NET_RAW", "CAP_NET_ADMIN"]), &args);
        // The bounding set stays, for want of CAP_SETPCAP.
        let [_, permitted, effective, _, ambient, _] = watching(&running).try_into().unwrap();
        let [kept, none] = [bits, NOTHING].map(|bits| format!("{bits:016x}"));
        assert_eq!([permitted, effective, ambient], [kept.clone(), kept, none]);
        running.interrupt();
        running.end().expect(0);
        run(["detach", "--attach", &by_fd]).expect(6);
    }
}

/// Every call from there to the end, on each kind of target, as strace records it.
#[test]
#[ignore = "needs CAP_BPF and strace"]
fn after_it_has_given_them_up_nothing_is_refused() {
    let (netns, record) = (Netns::new(), tempfile::NamedTempFile::new().unwrap());
    let (_owner, by_fd, by_address) = udp_owner(&nobody_with(&[]));
    let listener = netns.start(&["nc", "-lk", "127.0.0.1", "7001"]);
    let targets: [&[&str]; 11] = [
        &["--connect", "127.0.0.1:7001"],
        &["--connect", "udp:127.0.0.1:7002"],
        &["--listen", "127.0.0.1:0"],
        &["--listen", "udp:127.0.0.1:0"],
        &["--listen", "raw:icmp"],
        &["--packet", "lo"],
        &["--attach", "fanout:lo:4713"],
        &["--attach", "reuseport:udp:127.0.0.1:0"],
        &["--attach", "tun-filter:least2"],
        &["--attach", &by_fd],
        &["--attach", &by_address],
    ];
    let mut detached = 0;
    for target in targets {
        wait_for("the listener", PATIENCE, || netns.run(&["ss", "-Hltn"]).contains(":7001").then_some(()));
        // Ring-buffer events, statistics every so often, and a look at drops and stalls each quarter of a second.
        let object = object("http");
        let common = ["-f", "-o", record.path().to_str().unwrap(), MINIBPF, "load", &object, "--duration", "600ms"];
        let words = [&["strace"][..], &common, &["--watch", "100ms", "--json"], target].concat();
        netns.start(&words).end().expect(0);
        let record = std::fs::read_to_string(record.path()).unwrap();
        let (_, after) = record.split_once("PR_SET_NO_NEW_PRIVS").expect("it gives them up");
        assert!(after.contains("BPF_OBJ_GET_INFO_BY_FD"), "{target:?}: {after}");
        detached += usize::from(after.contains("SO_DETACH_") || after.contains("TUNSETFILTEREBPF"));
        let refused: Vec<_> = after.lines().filter(|line| line.contains("EPERM") || line.contains("EACCES")).collect();
        assert!(refused.is_empty(), "{target:?}: {refused:?}");
    }
    assert_eq!(detached, targets.len() - 1, "all but the fanout group, whose program goes with its sockets");
    drop(listener);
}
