//! What a machine, a container or an administrator has taken away: descriptors, locked memory, file systems.

use std::process::Command;

use crate::support::process::{MINIBPF, Ran, Running};
use crate::world::World;

/// Runs minibpf after a shell has done this, in mounts of its own.
#[track_caller]
fn after(prepare: &str, args: &[&str]) -> Ran {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-e", "-c"]);
    command.arg(format!("{prepare}\nexec \"$0\" \"$@\"")).arg(MINIBPF).args(args);
    let mut running = Running::command(&mut command);
    running.end_input();
    let ran = running.end();
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

#[test]
#[ignore = "needs CAP_BPF"]
fn however_few_descriptors_there_may_be_a_command_ends_in_order_and_leaves_nothing() {
    let world = World::new();
    let (rich, q, foreign, dir) = (world.rich.path(), world.program("q"), world.foreign_at(), world.pins.path("here"));
    let load = ["load", &rich, "--program", &q, "--duration", "10ms", "--json"];
    let targets =
        [["--connect", &world.tcp], ["--attach", &foreign], ["--packet", "lo"], ["--listen", "udp:127.0.0.1:0"]];
    let mut commands: Vec<Vec<&str>> = targets.iter().map(|target| [&load[..], &target[..]].concat()).collect();
    commands.push(vec!["check", &rich, "--json", "--pin", &dir]);
    commands.push(vec!["run", &rich, "--program", &q, "icmp", "--json"]);
    for command in commands {
        let mut failed = 0;
        for limit in 3..24 {
            world.tidy();
            let ran = after(&format!("ulimit -n {limit}"), &command);
            let code = ran.code.expect("no signal ends it");
            failed += u32::from(code != 0);
            if code != 0 {
                // Below some number the program's own libraries cannot be opened, and nothing of ours has begun.
                let is_ours = ran.stderr.contains("error: ") && matches!(code, 1..=7);
                assert!(is_ours || code == 127, "{limit} descriptors, {command:?}: {ran:?}");
                assert!(world.pins.listing().is_empty(), "{limit} descriptors: {ran:?}");
            }
            assert_eq!(world.filter(), minibpf::sys::filter::Present::None, "{limit} descriptors: {ran:?}");
        }
        assert!(failed > 0, "three descriptors are not enough for {command:?}");
    }
    world.assert_nothing_loaded();
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_proc_what_does_not_need_it_works_and_the_rest_says_so() {
    let world = World::new();
    let gone = "umount -l /proc";
    let (rich, pin) = (world.rich.path(), world.kept.path("count/count"));
    after(gone, &["check", &rich]).expect(0);
    let q = world.program("q");
    after(gone, &["load", &rich, "--program", &q, "--listen", "udp:127.0.0.1:0", "--duration", "10ms"]).expect(0);
    let ran = after(gone, &["dump", &pin]).expect(1);
    assert!(ran.stderr.contains("readlink(/proc/self/fd)"), "{}", ran.stderr);
    let ran = after(gone, &["check", &world.asking.path()]).expect(3);
    assert!(ran.stderr.contains("is /proc mounted"), "{}", ran.stderr);
    after(gone, &["doctor"]).expect(0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn with_a_read_only_sys_everything_works_and_without_it_what_needs_it_says_so() {
    let world = World::new();
    let (rich, asking) = (world.rich.path(), world.asking.path());
    after("mount -o remount,bind,ro /sys", &["check", &rich, &asking]).expect(0);
    let gone = "mount -t tmpfs none /sys";
    let q = world.program("q");
    let ran = after(gone, &["load", &rich, "--program", &q, "--listen", "udp:127.0.0.1:0"]).expect(1);
    assert!(ran.stderr.contains("is /sys mounted?"), "{}", ran.stderr);
    // Not 5: the kernel has refused nothing.
    let ran = after(gone, &["check", &rich, "--program", &q]).expect(1);
    assert!(ran.stderr.contains("is /sys mounted?"), "{}", ran.stderr);
    let ran = after(gone, &["check", &asking]).expect(3);
    assert!(ran.stderr.contains("needs a target BTF"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_a_bpffs_pinning_says_how_to_mount_one() {
    let world = World::new();
    let dir = tempfile::tempdir().unwrap();
    let ran = after("", &["check", &world.rich.path(), "--pin", dir.path().to_str().unwrap()]).expect(2);
    assert!(ran.stderr.contains("mount -t bpf"), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn no_locked_memory_is_no_obstacle_to_maps_and_a_perf_buffer_says_what_is() {
    let world = World::new();
    after("ulimit -l 0", &["check", &world.rich.path()]).expect(0);
    let args = ["load", &world.perf.path(), "--listen", "udp:127.0.0.1:0", "--duration", "10ms"];
    after("ulimit -l 0", &args).expect(0);
    // Whoever has CAP_IPC_LOCK, as root has, is not held to the limit; kernel.perf_event_mlock_kb is what others have besides.
    let everybody = crate::support::everybody::Everybody::new();
    let object = everybody.object(world.perf.path());
    let mut by_way_of = crate::support::everybody::nobody_with(&["CAP_BPF", "CAP_PERFMON"]);
    by_way_of.splice(0..0, ["prlimit".to_owned(), "--memlock=0".to_owned()]);
    let ran = everybody.run(&by_way_of, &["load", &object, "--listen", "udp:127.0.0.1:0", "--duration", "10ms"]);
    match ran.code {
        Some(0) => {}
        code => {
            assert_eq!(code, Some(1), "{ran:?}");
            assert!(ran.stderr.contains("RLIMIT_MEMLOCK"), "{}", ran.stderr);
        }
    }
}
