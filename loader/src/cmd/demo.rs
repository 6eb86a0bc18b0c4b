//! demo
use super::{failure::Failure, output::Output};
use clap::Args;
/// The whole journey on a built-in filter and a built-in server; no other file needed.
#[derive(Args)]
pub(crate) struct Demo {}
impl Demo {
    pub(crate) fn run(&self, _output: &Output) -> Result<(), Failure> {
        Ok(())
    }
}
