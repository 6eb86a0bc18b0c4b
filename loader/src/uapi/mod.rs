//! What `include/uapi/linux/bpf.h` lists by number, and what of it is for socket filters: helpers, and the fields of the context.
//!
//! The one place for both: lints, the verifier's explanation and the reasons for a refusal all ask here, and a test asks the
//! running kernel about each.

mod context;
mod helper_numbers;
mod helpers;

pub use context::{Access, FIELDS, Field};
pub use helpers::Helper;
