//! Every fault of every command, or a sample of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::calls::errnos;
use crate::expected;
use crate::inject::{Fault, calls, run};
use crate::scenarios::{self, Scenario};
use crate::world::World;

/// Commands that run at once, each in a world of its own.
const WORKERS: usize = 6;
/// After so many of them a worker looks whether anything is left in the kernel.
const LOOK: usize = 100;
/// The tests take one fault of so many.
const SAMPLE: usize = 97;

/// A fault, and what came of it.
struct Case {
    scenario: &'static str,
    fault: Fault,
    hit: String,
    code: i32,
    said: String,
    wrong: Vec<String>,
}

/// Calls whose failure may last: a limit, a filter of system calls, a file that is not there.
const LASTING: &[(&str, &[&str])] = &[
    ("bpf", &["EPERM", "ENOMEM", "EAGAIN", "ENOSYS", "EINVAL", "EINTR"]),
    ("socket", &["EMFILE", "EPERM"]),
    ("setsockopt", &["ENOMEM", "EPERM"]),
    ("connect", &["ECONNREFUSED", "EPERM"]),
    ("bind", &["EADDRINUSE", "EACCES"]),
    ("openat", &["EMFILE", "EACCES", "ENOENT"]),
    ("read", &["EIO"]),
    ("write", &["ENOSPC", "EPIPE", "EIO"]),
    ("mmap", &["EPERM"]),
    ("poll", &["ENOMEM", "EINVAL"]),
    ("close", &["EIO"]),
    ("pidfd_getfd", &["EPERM"]),
    ("pidfd_open", &["ENOSYS"]),
    ("perf_event_open", &["EACCES", "EMFILE"]),
    ("unshare", &["EPERM"]),
];

/// In strace's words: brk(2) fails without an errno.
fn what(errno: &str) -> String {
    if errno.contains('=') { errno.to_owned() } else { format!("error={errno}") }
}

/// Every fault of a command, as it runs where nothing fails.
fn faults(scenario: &Scenario, world: &World) -> Vec<Fault> {
    scenario.prepare(world);
    let plain = run(scenario, None);
    assert!(plain.code == 0 && !plain.is_late, "{}: {}{}", scenario.name, plain.stdout, plain.stderr);
    let fault = |call: &str, nth, on, what| Fault { call: call.to_owned(), nth, on, what };
    let mut all = Vec::new();
    for (call, nth) in calls(&plain) {
        let errnos = errnos(&call);
        all.extend(errnos.iter().map(|errno| fault(&call, nth, false, what(errno))));
        if !errnos.is_empty() {
            all.extend(["SIGINT", "SIGKILL"].map(|signal| fault(&call, nth, false, format!("signal={signal}"))));
        }
        let lasting = LASTING.iter().filter(|(name, _)| *name == call).flat_map(|(_, errnos)| *errnos);
        all.extend(lasting.map(|errno| fault(&call, nth, true, format!("error={errno}"))));
    }
    all
}

/// Injects every `step`th fault of every command whose name has this in it.
fn inject(step: usize, only: &str) -> Vec<Case> {
    let planned = {
        let world = World::new();
        let scenarios = scenarios::all(&world);
        let wanted = scenarios.iter().enumerate().filter(|(_, scenario)| scenario.name.contains(only));
        let of = |(number, scenario)| faults(scenario, &world).into_iter().map(move |fault| (number, fault));
        // `signal`, `error`: for one who looks for something.
        let kind = variable("MINIBPF_FAULTS_KIND").unwrap_or_default();
        let is_of_kind = |(_, fault): &(usize, Fault)| fault.what.contains(&kind);
        wanted.flat_map(of).filter(is_of_kind).step_by(step).collect::<Vec<_>>()
    };
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let world = World::new();
                let scenarios = scenarios::all(&world);
                let mut count = 0;
                while let Some((number, fault)) = planned.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let case = one(&scenarios[*number], &world, fault);
                    found.lock().unwrap().extend(case);
                    count += 1;
                    if count % LOOK == 0 {
                        world.assert_nothing_loaded();
                    }
                }
                world.assert_nothing_loaded();
            });
        }
    });
    found.into_inner().unwrap()
}

/// One fault; `None` if the command made no such call this time.
fn one(scenario: &Scenario, world: &World, fault: &Fault) -> Option<Case> {
    scenario.prepare(world);
    let ended = run(scenario, Some(fault));
    let hit = ended.hit(fault)?.to_owned();
    let wrong = expected::wrong(scenario, world, fault, &hit, &ended);
    let said = ended.stderr.lines().collect::<Vec<_>>().join(" / ");
    Some(Case { scenario: scenario.name, fault: fault.clone(), hit, code: ended.code, said, wrong })
}

/// A line for each case, of fields with tabs between them.
fn lines(cases: &[&Case]) -> String {
    let line = |Case { scenario, fault, hit, code, said, wrong }: &&Case| {
        format!("{scenario}\t{}\t{code}\t{}\t{hit}\t{said}\n", fault.rule(), wrong.join("; "))
    };
    cases.iter().map(line).collect()
}

/// The table of docs/trust-kernel.md.
fn table(cases: &[Case], step: usize) -> String {
    let mut calls: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    for case in cases {
        let column = match (case.fault.signal(), case.code) {
            (Some(_), _) => 3,
            (_, 0) => 1,
            (_, 1..=7) => 2,
            // Out of memory, where Rust ends a program.
            _ => 4,
        };
        for row in [case.fault.call.as_str(), "**all**"] {
            let row = calls.entry(row).or_default();
            row[0] += 1;
            row[column] += 1;
        }
    }
    let mut commands: Vec<_> = cases.iter().map(|case| case.scenario).collect();
    commands.sort_unstable();
    commands.dedup();
    let which = if step == 1 { "every fault".to_owned() } else { format!("one fault of {step}") };
    let mut text = format!("{} commands, {which}: {} were injected.\n\n", commands.len(), cases.len());
    text +=
        "| call | faults | it went on | an error that says why | ended, or not, by SIGINT or SIGKILL | no memory |\n";
    text += "| --- | --- | --- | --- | --- | --- |\n";
    for (call, [all, on, error, signal, memory]) in calls {
        let call = if call == "**all**" { call.to_owned() } else { format!("`{call}`") };
        writeln!(text, "| {call} | {all} | {on} | {error} | {signal} | {memory} |").unwrap();
    }
    text
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A sample; `scripts/faults` takes all of them.
#[test]
#[ignore = "needs CAP_BPF and strace"]
fn whichever_call_fails_a_command_ends_with_the_right_code_says_why_and_leaves_nothing() {
    let step = variable("MINIBPF_FAULTS_STEP").map_or(SAMPLE, |step| step.parse().unwrap());
    let cases = inject(step, &variable("MINIBPF_FAULTS_ONLY").unwrap_or_default());
    let wrong: Vec<_> = cases.iter().filter(|case| !case.wrong.is_empty()).collect();
    if let Some(path) = variable("MINIBPF_FAULTS_LOG") {
        std::fs::write(path, lines(&cases.iter().collect::<Vec<_>>())).unwrap();
    }
    assert!(wrong.is_empty(), "{} of {} faults:\n{}", wrong.len(), cases.len(), lines(&wrong));
    if let Some(path) = variable("MINIBPF_FAULTS_RECORD") {
        std::fs::write(path, table(&cases, step)).unwrap();
    }
}
