//! What was wrong once, each by the fault that showed it.

use minibpf::sys::filter::Present;

use crate::inject::{Ended, Fault, nth, run};
use crate::scenarios;
use crate::support::PATIENCE;
use crate::support::process::MINIBPF;
use crate::world::World;

/// A command in which the first call of this name that has these words in strace's record fails.
struct Failed {
    world: World,
    ended: Ended,
    plain: Ended,
}

impl Failed {
    fn new(scenario: &str, call: &str, words: &str, what: &str) -> Self {
        let world = World::new();
        let all = scenarios::all(&world);
        let scenario = all.iter().find(|one| one.name == scenario).expect("a scenario");
        scenario.prepare(&world);
        let plain = run(scenario, None);
        let nth = nth(&plain, call, words).unwrap_or_else(|| panic!("no {call} with {words} in:\n{}", plain.log));
        let fault = Fault { call: call.to_owned(), nth, on: false, what: what.to_owned() };
        // Which call is the nth may differ by one from time to time: a poll more, a read less.
        let ended = crate::support::wait_for("the call to fail", PATIENCE, || {
            scenario.prepare(&world);
            let ended = run(scenario, Some(&fault));
            ended.hit(&fault).is_some_and(|hit| hit.contains(words)).then_some(ended)
        });
        Self { world, ended, plain }
    }

    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.ended.code, code, "{:#?}", self.ended);
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(self.ended.stderr.contains(words), "no `{words}` in {}", self.ended.stderr);
        self
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn no_more_threads_is_an_error_and_no_panic() {
    Failed::new("run --as udp", "clone3", "CLONE_THREAD", "error=EAGAIN").ends(6).says("clone: ");
    Failed::new("demo", "clone3", "CLONE_THREAD", "error=EAGAIN").ends(6).says("the built-in server");
    Failed::new("load --connect NAME", "clone3", "CLONE_THREAD", "error=EAGAIN").ends(6).says("no thread");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_connect_that_a_signal_ended_is_asked_again() {
    Failed::new("load --connect", "connect", "AF_INET", "error=EINTR").ends(0);
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_load_that_a_signal_ended_is_asked_again_by_the_doctor_too() {
    Failed::new("check", "bpf", "BPF_PROG_LOAD", "error=EAGAIN").ends(0);
    // Without strace's own seccomp filter, which the doctor would look into.
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut strace = std::process::Command::new("strace");
    strace.args(["-qq", "--trace=bpf", "-e", "inject=bpf:error=EAGAIN:when=1", "-o"]).arg(log.path());
    let ended = strace.args([MINIBPF, "doctor"]).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.starts_with("bpf(BPF_PROG_LOAD, ") && log.contains("(INJECTED)"), "{log}");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_standard_output_that_is_full_for_a_moment_is_waited_for() {
    let failed = Failed::new("explain", "write", "write(1<", "error=EAGAIN").ends(0);
    assert_eq!(failed.ended.stdout, failed.plain.stdout);
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_standard_output_that_takes_nothing_is_named() {
    Failed::new("check", "write", "write(1<", "error=ENOSPC").ends(1).says("error: standard output: No space left");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn what_the_summary_cannot_ask_any_more_is_a_warning_for_the_filter_has_worked() {
    let failed = Failed::new("load --json, pinned", "bpf", "BPF_MAP_LOOKUP_BATCH", "error=ENOMEM").ends(0);
    let failed = failed.says("warning: reading map");
    assert!(failed.ended.stdout.contains("\"kind\":\"summary\""), "{}", failed.ended.stdout);
    assert!(!failed.world.pins.listing().is_empty(), "the load is done, so its pins stay");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_socket_of_which_no_descriptor_is_to_be_had_for_a_moment_is_not_taken_for_closed() {
    let world = World::new();
    let all = scenarios::all(&world);
    let scenario = all.iter().find(|one| one.name == "load --attach pid").unwrap();
    scenario.prepare(&world);
    let plain = run(scenario, None);
    let first = nth(&plain, "pidfd_getfd", "pidfd").unwrap();
    // The first two are the look before the load, and the one to attach to.
    for nth in first + 2..first + 6 {
        scenario.prepare(&world);
        let what = "error=EMFILE".to_owned();
        let ended = run(scenario, Some(&Fault { call: "pidfd_getfd".to_owned(), nth, on: false, what }));
        assert!(!ended.stderr.contains("was closed"), "{}", ended.stderr);
        assert_eq!(world.filter(), Present::None, "call {nth}: {}", ended.stderr);
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_filter_that_could_not_be_taken_off_is_taken_off_at_the_second_try() {
    let failed = Failed::new("load --attach pid", "setsockopt", "SO_DETACH_FILTER", "error=ENOMEM").ends(6);
    assert_eq!(failed.world.filter(), Present::None);
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn an_interface_that_cannot_be_looked_up_is_not_said_to_be_missing() {
    let failed = Failed::new("load --packet", "ioctl", "SIOCGIFINDEX", "error=ENOMEM").ends(6);
    assert!(!failed.says("if_nametoindex: ").ended.stderr.contains("there is no interface"));
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_pin_whose_kind_cannot_be_read_is_no_mistake_of_the_users() {
    Failed::new("dump a map", "readlink", "/proc/self/fd", "error=ENOENT").ends(1).says("readlink(/proc/self/fd)");
    Failed::new("attach", "readlink", "/proc/self/fd", "error=ENOENT").ends(6).says("readlink(/proc/self/fd)");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_test_run_that_a_signal_ended_is_run_again() {
    Failed::new("run", "bpf", "BPF_PROG_TEST_RUN", "error=EINTR").ends(0);
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn without_sys_the_file_that_is_missing_is_named_and_the_kernel_is_not_blamed() {
    let failed = Failed::new("load --connect", "openat", "cpu/possible", "error=ENOENT").ends(1);
    failed.says("is /sys mounted?").says("(ENOENT)");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn without_proc_kallsyms_no_file_of_types_is_asked_for() {
    let failed = Failed::new("check", "openat", "/proc/kallsyms", "error=ENOENT");
    assert!(!failed.says("/proc/kallsyms").ended.stderr.contains("--btf FILE"));
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn signals_that_cannot_be_caught_are_named() {
    Failed::new("load --connect", "socketpair", "AF_UNIX", "error=EMFILE").ends(1).says("SIGINT and SIGTERM");
    Failed::new("run", "rt_sigaction", "SIGTERM", "error=EINVAL").ends(1).says("SIGINT and SIGTERM");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_tcp_socket_that_is_refused_is_not_said_to_lack_cap_net_raw() {
    let failed = Failed::new("load --connect", "socket", "AF_INET", "error=EPERM").ends(4);
    assert!(!failed.says("seccomp").ended.stderr.contains("CAP_NET_RAW"));
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn an_address_that_cannot_be_asked_for_says_why() {
    Failed::new("load --connect", "getsockname", "", "error=ENOMEM").ends(6).says("getsockname: ");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_directory_for_pins_that_cannot_be_looked_at_is_no_mistake_of_the_users() {
    Failed::new("check --json --pin", "statfs", "", "error=EIO").ends(1).says("--pin: ");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn an_event_loop_that_cannot_be_made_is_not_said_to_lack_cap_perfmon() {
    let failed = Failed::new("load --connect", "epoll_create1", "", "error=EPERM").ends(1);
    assert!(!failed.says("epoll_create1").ended.stderr.contains("CAP_PERFMON"));
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn the_kernel_that_refuses_the_types_gets_the_load_without_them() {
    let failed = Failed::new("load --connect", "bpf", "BPF_BTF_LOAD", "error=EINVAL").ends(0);
    failed.says("BPF_BTF_LOAD");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_security_module_that_forbids_a_map_is_a_missing_privilege_for_check_too() {
    Failed::new("check", "bpf", "BPF_MAP_CREATE", "error=EACCES").ends(4).says("security module");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_test_run_that_is_always_interrupted_is_given_up() {
    let world = World::new();
    let all = scenarios::all(&world);
    let scenario = all.iter().find(|one| one.name == "run").unwrap();
    scenario.prepare(&world);
    let nth = nth(&run(scenario, None), "bpf", "BPF_PROG_TEST_RUN").unwrap();
    let ended = run(scenario, Some(&Fault { call: "bpf".to_owned(), nth, on: true, what: "error=EINTR".to_owned() }));
    assert!(!ended.is_late && ended.code == 1, "{ended:?}");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn a_check_that_is_interrupted_while_it_pins_leaves_no_pin() {
    let failed = Failed::new("check --json --pin", "bpf", "BPF_OBJ_PIN", "signal=SIGINT").ends(1).says("interrupted");
    assert_eq!(failed.world.pins.listing(), [""; 0]);
}
