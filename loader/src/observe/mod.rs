//! What a filter collects, read from outside: maps, events, and what the socket itself counts.

pub mod events;
pub mod fdinfo;
pub mod globals;
pub mod maps;
pub mod sockets;
pub mod stall;
pub mod stats;
pub mod test_run;
pub mod xlated;
