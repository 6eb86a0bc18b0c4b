//! What `include/uapi/linux/bpf.h` lists by number, and what of it is for socket filters: helpers, the fields of the context, and
//! the names of types and flags.
//!
//! The one place for them: lints, the verifier's explanation and the reasons for a refusal all ask here, and a test asks the
//! running kernel about each.

mod context;
mod helper_numbers;
mod helpers;
pub mod names;

pub use context::{Access, FIELDS, Field};
pub use helpers::Helper;
