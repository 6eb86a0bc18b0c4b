mod calls;
mod core;
mod core_types;
mod errors;
mod externs;
mod linkage;
mod maps;
mod nested;
mod pins;
mod records;
mod set;
mod types;

use crate::plan::{Fate, LinkError, LinkErrorKind, Plan};

/// Why the first program of a plan cannot be linked.
fn link_error(plan: &Plan) -> LinkError {
    match &plan.programs[0].fate {
        Fate::Unlinkable(error) => error.clone(),
        fate => panic!("linked: {fate:?}"),
    }
}

/// The same, and only what is wrong.
fn kind(plan: &Plan) -> LinkErrorKind {
    link_error(plan).kind
}
