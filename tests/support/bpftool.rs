//! bpftool, the referee: what the kernel holds, seen by somebody else.

use std::process::Command;

use super::{GRACE, Json, wait_for};

/// Runs `bpftool -j` and reads its answer; `None` if it failed, as it does for what is not there.
pub(crate) fn try_bpftool(args: &[&str]) -> Option<Json> {
    let output = Command::new("bpftool").arg("-j").args(args).output().expect("bpftool is needed");
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap_or(Json::Null))
}

#[track_caller]
pub(crate) fn bpftool(args: &[&str]) -> Json {
    try_bpftool(args).unwrap_or_else(|| panic!("bpftool {args:?} failed"))
}

/// Waits until no program or map (`what`) of this id is left.
#[track_caller]
pub(crate) fn wait_until_gone(what: &str, id: i64) {
    let id = id.to_string();
    wait_for(&format!("{what} {id} to go"), GRACE, || try_bpftool(&[what, "show", "id", &id]).is_none().then_some(()));
}

/// Waits until nothing of this name is left; only for names that one test alone uses.
#[track_caller]
pub(crate) fn wait_until_no(what: &str, name: &str) {
    wait_for(&format!("every {what} `{name}` to go"), GRACE, || {
        // Fails when an id vanishes between listing and showing: ask again then.
        let all = try_bpftool(&[what, "show"])?;
        let is_left = all.as_array()?.iter().any(|one| one["name"] == name);
        (!is_left).then_some(())
    });
}
