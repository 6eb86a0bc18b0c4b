//! Why there is no plan at all.

use thiserror::Error;

use crate::btf::BtfError;

use super::{PinError, SetError};

/// Why there is no plan at all.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum PlanError {
    /// No section of the object holds a socket filter.
    #[error("no socket filter in this object: its code is in {}", found.join(", "))]
    NoProgram {
        /// The code sections that there are.
        found: Vec<String>,
    },
    /// `section` names none of the object's code.
    #[error("no section `{name}` with code in this object; there are: {}", known.join(", "))]
    UnknownSection {
        /// The name asked for.
        name: String,
        /// The sections that there are.
        known: Vec<String>,
    },
    /// `program` names none of the object's.
    #[error("no program `{name}` in this object; there are: {}", known.join(", "))]
    UnknownProgram {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A global cannot be set.
    #[error(transparent)]
    Set(#[from] SetError),
    /// Something cannot be pinned or reused.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The target's types cannot be read.
    #[error("the target's BTF: {0}")]
    Target(#[source] BtfError),
}
