//! What a filter collects, read from outside: maps, events, and what the socket itself counts.

pub mod fdinfo;
pub mod globals;
pub mod maps;
pub mod ringbuf;
pub mod sockets;
pub mod stall;
pub mod stats;
pub mod test_run;
