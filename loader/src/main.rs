//! The command line of minibpf. What it does is in the library; here is only what a terminal needs.

mod cmd;

use std::process::ExitCode;

fn main() -> ExitCode {
    cmd::main()
}
