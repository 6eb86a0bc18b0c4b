//! The places that take a socket filter: one file each.

pub mod socket;
