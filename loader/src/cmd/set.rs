//! `minibpf set`: global variables of a program that is loaded, while it runs.

use std::collections::BTreeSet;

use clap::Args;
use minibpf::btf::Btf;
use minibpf::kernel::Map;
use minibpf::observe::globals::{self, GlobalError};
use minibpf::observe::maps::Types;
use minibpf::sys::SysError;
use minibpf::sys::id::Access;
use minibpf::target::page_size;
use nix::errno::Errno;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::object::assignment;
use super::output::Output;
use super::what::What;

/// Set global variables of a loaded program, typed by their BTF.
///
/// A variable lies in the map of its section: .data, .bss. Constants (.rodata) are part of what the verifier has judged, and cannot be set
/// any more; before a load, `--set` of `load` and `check` does.
#[derive(Args)]
pub(crate) struct Set {
    /// The data section's map: a path in a bpffs, map:N, map:NAME or pid:PID:NAME
    #[arg(value_name = "WHAT")]
    what: What,
    /// What to set; all values are checked before the first is written
    #[arg(value_name = "VAR=VALUE", required = true, value_parser = assignment)]
    values: Vec<(String, String)>,
}

impl Set {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut names = BTreeSet::new();
        if let Some((name, _)) = self.values.iter().find(|(name, _)| !names.insert(name)) {
            return Err(Failure::new(Exit::Usage, format!("`{name}` is set twice")));
        }
        let map = self.what.only_map(Access::Write)?;
        let bytes = types_of(&map)?;
        // An empty section: no types.
        let btf = Btf::parse(&bytes).ok();
        let unfit = |error| unfit(&map, &error);
        let btf = btf.as_ref().ok_or_else(|| unfit(GlobalError::NoVariables { typed: false }))?;
        let checked = self.values.iter().map(|(name, value)| globals::assignment(&map, btf, name, value));
        let assignments = checked.collect::<Result<Vec<_>, _>>().map_err(unfit)?;

        let failed = |error| refused(&map, &error);
        let types = Types::of(&map, Some(btf));
        let value_of = || map.fd().lookup(&0u32.to_le_bytes()).map(|value| types.contents(&value)).map_err(failed);
        let before = value_of()?;
        let in_place = globals::write(&map, &assignments, page_size().unwrap_or(4096) as usize).map_err(failed)?;
        let after = value_of()?;
        if !in_place {
            output.say("the section cannot be mapped, so it was written as a whole: what the program counted at that moment is lost");
        }
        for (name, _) in &self.values {
            let (Some(before), Some(after)) = (before.variable(name), after.variable(name)) else { continue };
            output.text(format_args!("{name} = {after}  (was {before})"))?;
            output.data(&json!({ "kind": "set", "map": map.name(), "name": name, "before": before, "after": after, "in_place": in_place }))?;
        }
        Ok(())
    }
}

/// The types of the map's variables, as the kernel keeps them.
fn types_of(map: &Map) -> Result<Vec<u8>, Failure> {
    let failed = |error: SysError| {
        let exit = if error.errno == Errno::EPERM { Exit::Privileges } else { Exit::Other };
        Failure::new(exit, format!("map `{}`: the types of its variables: {error}", map.name()))
            .hint("types are read with CAP_SYS_ADMIN alone")
    };
    map.btf().map(Option::unwrap_or_default).map_err(failed)
}

/// What was asked for cannot be set.
fn unfit(map: &Map, error: &GlobalError) -> Failure {
    let failure = Failure::new(Exit::Usage, format!("map `{}`: {error}", map.name()));
    match error {
        GlobalError::Constants => failure.hint("set constants before the load: minibpf load OBJ --set VAR=VALUE"),
        _ => failure,
    }
}

/// The kernel did not let the map be read or written.
fn refused(map: &Map, error: &SysError) -> Failure {
    let failure = Failure::new(Exit::Other, format!("map `{}`: {error}", map.name()));
    match error.errno {
        Errno::EPERM => failure.hint("the map is frozen: user space can write it no more"),
        Errno::EACCES => failure.hint("the map was made read-only (BPF_F_RDONLY)"),
        _ => failure,
    }
}
