//! A network namespace of a test's own, in which the loopback interface is quiet.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::process::{MINIBPF, Running, output_of};

/// Removed when it is dropped, so also where the test fails.
pub(crate) struct Netns(String);

impl Netns {
    #[track_caller]
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("minibpf-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        output_of(Command::new("ip").args(["netns", "add", &name]));
        let made = Self(name);
        made.run(&["ip", "link", "set", "lo", "up"]);
        made
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).args(args);
        command
    }

    /// What goes before a command line that is to run in it.
    pub(crate) fn exec(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.0].map(str::to_owned).into()
    }

    /// Runs a program in it, to its end.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> String {
        output_of(&mut self.command(args))
    }

    /// Runs a program in it that must fail.
    #[track_caller]
    pub(crate) fn fails(&self, args: &[&str]) {
        let output = self.command(args).output().unwrap();
        assert!(!output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    }

    /// Starts a program in it.
    #[track_caller]
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::command(&mut self.command(args))
    }

    /// Starts minibpf in it.
    #[track_caller]
    pub(crate) fn minibpf<A: AsRef<str>>(&self, args: &[A]) -> Running {
        let args: Vec<_> = std::iter::once(MINIBPF).chain(args.iter().map(AsRef::as_ref)).collect();
        self.start(&args)
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

/// Runs a line of python3.
#[track_caller]
pub(crate) fn python(line: &str) -> String {
    output_of(Command::new("python3").args(["-c", line]))
}
