//! What should come of a fault: written from the contract of the command line, not from what minibpf does.

use minibpf::sys::filter::Present;

use crate::inject::{Ended, Fault};
use crate::scenarios::{Leaves, Scenario};
use crate::world::World;

/// What is wrong with how a command ended.
pub(crate) fn wrong(scenario: &Scenario, world: &World, fault: &Fault, hit: &str, ended: &Ended) -> Vec<String> {
    let mut found = Vec::new();
    let Ended { code, stdout, stderr, .. } = ended;
    let is_mute = is_mute(fault, hit);
    if ended.is_late {
        found.push("it hangs".to_owned());
    }
    if stderr.contains("panicked") {
        found.push("it panics".to_owned());
    }
    if !codes(scenario, fault, hit).contains(code) && !is_out_of_memory(fault, stderr) {
        found.push(format!("it ends with {code}"));
    }
    if (1..=7).contains(code) && !is_mute {
        found.extend(words(hit, stderr));
        let has_json = scenario.args.iter().any(|arg| arg == "--json");
        if has_json && !stdout.lines().any(|line| line.contains("\"kind\":\"error\"")) {
            found.push("no error line of JSON".to_owned());
        }
    }
    found.extend(left(scenario, world, fault, ended));
    found
}

/// The exit codes that the contract has for it.
fn codes(scenario: &Scenario, fault: &Fault, hit: &str) -> &'static [i32] {
    match fault.signal() {
        Some("SIGKILL") => return &[137],
        // Before minibpf minds it, Ctrl-C ends it at once; the commands that end by themselves never do mind it.
        // A check that pins has something to undo, and is not done.
        Some(_) if scenario.leaves == Leaves::Pins => return &[0, 1, 130],
        Some(_) => return &[0, 130],
        None => {}
    }
    let is = |word: &str| fault.what == format!("error={word}");
    let about = |words: &[&str]| words.iter().any(|word| hit.contains(word));
    let is_object = about(&["test.o", ".bpf.o"]);
    match fault.call.as_str() {
        // What follows is refused as well, so several codes are right.
        _ if fault.on => &[0, 1, 2, 3, 4, 5, 6, 7],
        "read" | "openat" if is_object => {
            if is("EINTR") {
                &[0, 3]
            } else {
                &[3]
            }
        }
        // A signal, or memory that was short for a moment: it is asked again.
        "connect" | "poll" | "recvfrom" | "sendto" | "read" | "write" if is("EINTR") => &[0],
        "poll" if is("EAGAIN") => &[0],
        "write" if is("EAGAIN") && about(&["write(1<", "write(2<"]) => &[0],
        "write" if hit.starts_with("write(2<") => &[0],
        "write" if hit.starts_with("write(1<") => &[1],
        "close" | "munmap" | "madvise" => &[0],
        "bpf" if scenario.name == "doctor" => &[0, 1, 4],
        "bpf" => bpf(hit, fault),
        // In `run` a packet that cannot travel is the packet's, 1.
        "socket" | "connect" | "bind" | "listen" | "setsockopt" | "getsockopt" | "ioctl" | "pidfd_open"
        | "pidfd_getfd" => match scenario.name {
            "doctor" => &[0, 1, 4],
            name if name.starts_with("run") => &[0, 1, 4, 6],
            _ => &[0, 4, 6, 7],
        },
        "perf_event_open" => {
            if is("EPERM") || is("EACCES") {
                &[4]
            } else {
                &[0, 1]
            }
        }
        _ => &[0, 1, 2, 3, 4, 5, 6, 7],
    }
}

/// Of bpf(2): by command.
fn bpf(hit: &str, fault: &Fault) -> &'static [i32] {
    let is = |word: &str| fault.what == format!("error={word}");
    let command = hit.split(['(', ',']).nth(1).unwrap_or_default();
    match command {
        "BPF_MAP_CREATE" if is("EPERM") || is("EACCES") => &[4],
        "BPF_MAP_CREATE" => &[5],
        // Asked once more, for the log, or without types.
        "BPF_PROG_LOAD" if is("EPERM") => &[0, 4],
        "BPF_PROG_LOAD" => &[0],
        "BPF_BTF_LOAD" => &[0, 4],
        "BPF_MAP_UPDATE_ELEM" | "BPF_MAP_FREEZE" => &[0, 1, 4, 5],
        "BPF_OBJ_PIN" => {
            if is("EPERM") || is("EACCES") {
                &[4]
            } else {
                &[1]
            }
        }
        "BPF_ENABLE_STATS" => &[0],
        // The filter has done its work by then: what it counted is missing, which fails nothing.
        "BPF_MAP_LOOKUP_BATCH" | "BPF_MAP_LOOKUP_ELEM" | "BPF_MAP_GET_NEXT_KEY" => &[0, 1],
        _ => &[0, 1, 3, 4, 6],
    }
}

/// Whether the error says what was wrong: the call, file or option, and its reason.
fn words(hit: &str, stderr: &str) -> Option<String> {
    let Some(error) = stderr.lines().find_map(|line| line.strip_prefix("error: ")) else {
        return Some("it fails and says nothing".to_owned());
    };
    // `= -1 ENOMEM (Cannot allocate memory) (INJECTED)`
    let reason = hit
        .rsplit_once(" (INJECTED)")
        .and_then(|(start, _)| start.rsplit_once('('))
        .map(|(_, text)| text.trim_end_matches(')'));
    if reason.is_some_and(|reason| error.starts_with(reason)) {
        return Some("it does not say what failed".to_owned());
    }
    None
}

/// Rust ends a program that has no memory left.
fn is_out_of_memory(fault: &Fault, stderr: &str) -> bool {
    matches!(fault.call.as_str(), "brk" | "mmap" | "mremap") && stderr.contains("memory allocation of")
}

/// Where the words go cannot be written to.
fn is_mute(fault: &Fault, hit: &str) -> bool {
    hit.starts_with("write(2<") || fault.on && fault.call == "write"
}

/// What is left that should not be.
fn left(scenario: &Scenario, world: &World, fault: &Fault, ended: &Ended) -> Vec<String> {
    let mut found = Vec::new();
    let is_killed = fault.signal() == Some("SIGKILL");
    let is_done = ended.code == 0;
    let written = world.written();
    if !written.is_empty() && !is_killed && matches!(ended.code, 1..=7) {
        found.push(format!("files are left: {written:?}"));
    }
    let pins = world.pins.listing();
    let may_stay = is_killed || is_done && scenario.leaves == Leaves::Pins;
    if !pins.is_empty() && !may_stay {
        found.push(format!("pins are left: {pins:?}"));
    }
    if world.filter() == Present::None || scenario.is_filtered() {
        return found;
    }
    if !(is_done && scenario.leaves == Leaves::Filter) {
        // What fails from here on fails when it is taken off, too.
        if !is_killed && !fault.on {
            found.push("a filter is left".to_owned());
        }
        if !(ended.stdout.clone() + &ended.stderr).contains("minibpf detach --attach") {
            found.push("a filter is left, and nobody said how to take it off".to_owned());
        }
    }
    found
}
