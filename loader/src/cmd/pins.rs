//! `--pin` and `--map`: what stays when minibpf is gone, and what was there before it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use minibpf::kernel::KernelError;
use minibpf::link::{PinError, PinOptions};
use minibpf::plan::{PinStep, Plan, Step};
use minibpf::target::{PinDirError, Target};
use minibpf::uapi::names;
use nix::errno::Errno;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::output::Output;

/// What is pinned, and what is reused.
#[derive(Args, Default)]
pub(crate) struct PinArgs {
    /// Pin programs and maps under this directory, which lies on a bpffs: DIR/PROG and DIR/maps/MAP. Maps that ask to be
    /// pinned by their name are reused where they are there already
    #[arg(long, value_name = "DIR")]
    pin: Option<PathBuf>,
    /// Reuse the map that is pinned at PATH instead of creating the object's map NAME; repeatable
    #[arg(long = "map", value_name = "NAME=PATH", value_parser = name_and_path)]
    maps: Vec<(String, PathBuf)>,
}

fn name_and_path(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_owned(), PathBuf::from(path))),
        _ => Err("expected NAME=PATH".to_owned()),
    }
}

impl PinArgs {
    pub(crate) fn options(&self) -> PinOptions {
        PinOptions { dir: self.pin.clone(), reuse: self.maps.clone() }
    }

    /// Adds what is pinned already, where pins are wanted.
    pub(crate) fn look(&self, target: Target) -> Result<Target, Failure> {
        match &self.pin {
            Some(dir) => Ok(target.with_pins(dir)?),
            None => Ok(target),
        }
    }
}

/// The step before which [`say_undo`] is said: the first that makes a pin.
pub(crate) fn first(plan: &Plan) -> Option<usize> {
    plan.steps.iter().position(|step| step.pins_at().is_some())
}

impl From<PinDirError> for Failure {
    fn from(error: PinDirError) -> Self {
        let exit = match &error {
            PinDirError::Unreadable { source, .. } if !matches!(source.errno, Errno::ENOENT | Errno::ENOTDIR) => {
                Exit::Other
            }
            _ => Exit::Usage,
        };
        let failure = Self::new(exit, format!("--pin: {error}"));
        match &error {
            PinDirError::NotBpffs { dir } => {
                let make = if dir.exists() { String::new() } else { format!("mkdir -p {0} && ", dir.display()) };
                let mount = format!("{make}mount -t bpf bpf {}", dir.display());
                failure.hint(format_args!("{mount}, or a directory in /sys/fs/bpf, where one is mounted as a rule"))
            }
            PinDirError::Unreadable { source, .. } if matches!(source.errno, Errno::EACCES | Errno::EPERM) => {
                Self { exit: Exit::Privileges, ..failure }.hint("its owner, or root, may pin there")
            }
            PinDirError::Dotted { .. } | PinDirError::Unreadable { .. } => failure,
        }
    }
}

impl From<&PinError> for Exit {
    /// What the user asks for can be wrong by itself (2), for this object (3), or for what is there already (1).
    fn from(error: &PinError) -> Self {
        match error {
            PinError::SamePath { .. } => Self::Object,
            PinError::Taken { .. } => Self::Other,
            PinError::UnknownMap { .. }
            | PinError::UnusedMap { .. }
            | PinError::Twice { .. }
            | PinError::SetInReused { .. } => Self::Usage,
        }
    }
}

/// Says how the pins of a plan are removed: for before the first is made, since they are what remains of minibpf if it is killed.
pub(crate) fn say_undo(output: &Output, plan: &Plan) -> Result<(), Failure> {
    let dir = |step: &Step| matches!(step, Step::Pin(PinStep::MakeDir { .. }));
    let dirs: BTreeSet<&Path> = plan.steps.iter().filter(|step| dir(step)).filter_map(Step::pins_at).collect();
    let outermost = |path: &&Path| !path.ancestors().skip(1).any(|above| dirs.contains(above));
    let paths = plan.steps.iter().filter_map(Step::pins_at).filter(outermost);
    let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
    let undo = format!("rm {}{}", if dirs.is_empty() { "" } else { "-r " }, paths.join(" "));
    output.say(format_args!("to remove the pins: {undo}"));
    output.data(&json!({ "kind": "undo", "command": undo }))
}

/// A step about a pin that failed. A pinned map that is missing, or another than the object asks for, is 3: the kernel has
/// refused nothing, the object cannot be linked with it.
pub(crate) fn failure(step: &PinStep, error: KernelError) -> Failure {
    if let Some(mismatch) = &error.mismatch {
        let show = |field: &str, number: u64| match (field, u32::try_from(number)) {
            ("type", Ok(number)) => names::map_type_short(number),
            ("map_flags", Ok(number)) => names::map_flags(number),
            _ => number.to_string(),
        };
        return Failure::new(Exit::Object, format_args!("{}: {}", error.what, mismatch.text(show)))
            .hint("a map is reused only as it is: bpftool map show pinned PATH prints it");
    }
    match (step, error.source.errno) {
        (PinStep::Get { .. }, Errno::ENOENT) => Failure::new(Exit::Object, error).hint("nothing is pinned there"),
        (PinStep::Get { .. }, Errno::EACCES) => {
            Failure::new(Exit::Object, error).hint("no pin, or one whose mode does not let this user read and write it")
        }
        (PinStep::Pin { .. }, Errno::EEXIST) => {
            Failure::new(Exit::Other, error).hint("somebody pinned it at this moment; try again")
        }
        (PinStep::Pin { .. } | PinStep::MakeDir { .. }, Errno::EACCES | Errno::EPERM) => {
            Failure::new(Exit::Privileges, error).hint("the owner of the directory, or root, may pin there")
        }
        (PinStep::Pin { .. } | PinStep::MakeDir { .. }, _) => Failure::new(Exit::Other, error),
        _ => error.into(),
    }
}
