//! minibpf
pub mod btf;
pub mod elf;
pub mod hook;
pub mod insn;
pub mod kernel;
pub mod link;
pub mod plan;
pub mod spec;
pub mod sys;
pub mod target;

#[cfg(test)]
mod testing;
