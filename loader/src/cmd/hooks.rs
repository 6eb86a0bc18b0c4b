//! `minibpf explain --hooks`: the table of places that take a socket filter.

use minibpf::hook::{ALL, Hook};
use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use super::trace::merged;

/// Prints every hook, those that minibpf leaves out last.
pub(crate) fn print(output: &Output) -> Result<(), Failure> {
    for hook in ALL {
        output.data(&merged(json!({ "kind": "hook" }), serde_json::to_value(hook).unwrap_or_default()))?;
        let Hook { name, target, call, byte0, returns, privileges, detach, since, kernel, left_out } = hook;
        output.heading(&if target.is_empty() { (*name).to_owned() } else { format!("{name}: {target}") })?;
        for (what, text) in [
            ("attach", *call),
            ("byte 0", byte0),
            ("returns", returns),
            ("privileges", privileges),
            ("detach", detach),
            ("since", &format!("Linux {since}")),
            ("kernel", kernel),
        ] {
            output.text(format_args!("  {what:<10}  {text}"))?;
        }
        if let Some(reason) = left_out {
            output.text(format_args!("  {:<10}  {reason}", "left out"))?;
        }
    }
    Ok(())
}
