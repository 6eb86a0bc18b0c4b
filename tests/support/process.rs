//! minibpf as a process: run to its end, or watched while it runs.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::{Json, PATIENCE, wait_for};

/// The binary under test.
pub(crate) const MINIBPF: &str = env!("CARGO_BIN_EXE_minibpf");

/// The PATH on which `minibpf` is the binary under test.
pub(crate) fn path() -> String {
    let bin = std::path::Path::new(MINIBPF).parent().unwrap();
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    /// Checks the exit code, and that whatever happened was no panic.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.text(), self.stderr);
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard output as JSON Lines.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Json> {
        json_lines(&self.text())
    }

    /// The lines of one kind.
    #[track_caller]
    pub(crate) fn kind(&self, kind: &str) -> Vec<Json> {
        self.lines().into_iter().filter(|line| line["kind"] == kind).collect()
    }

    /// The only line of its kind.
    #[track_caller]
    pub(crate) fn only(&self, kind: &str) -> Json {
        let found = self.kind(kind);
        assert_eq!(found.len(), 1, "lines of kind {kind}:\n{}\nstderr:\n{}", self.text(), self.stderr);
        found[0].clone()
    }

    /// The `map` line of a map.
    #[track_caller]
    pub(crate) fn map(&self, name: &str) -> Json {
        let maps = self.kind("map").into_iter().find(|map| map["name"] == name);
        maps.unwrap_or_else(|| panic!("no map `{name}` in:\n{}", self.text()))
    }

    /// What the program of the `summary` line says.
    #[track_caller]
    pub(crate) fn summary(&self) -> Json {
        self.only("summary")
    }
}

#[track_caller]
pub(crate) fn json_lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// A stream that is read as it comes, so that the writer never blocks.
struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Tail {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                into.lock().unwrap().extend(&buffer[..count]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn so_far(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.so_far()).into_owned()
    }

    fn rest(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

/// A process under way; killed if the test ends before it does.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Tail,
    stderr: Tail,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; that is not an error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts a command with pipes for all three streams.
    pub(crate) fn command(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout: Tail::of(stdout), stderr: Tail::of(stderr) }
    }

    /// Starts minibpf. Its standard input stays open until [`Running::end_input`].
    pub(crate) fn start<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self::command(Command::new(MINIBPF).args(args))
    }

    pub(crate) fn send(&mut self, input: &[u8]) {
        // A process that is not interested in its input may end while it is written.
        let _ = self.stdin.as_mut().expect("standard input is closed").write_all(input);
    }

    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits for a line of standard output of this kind.
    #[track_caller]
    pub(crate) fn line(&self, kind: &str) -> Json {
        wait_for(&format!("a line of kind {kind}; stderr: {}", self.stderr.text()), PATIENCE, || {
            let text = self.stdout.text();
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            json_lines(whole).into_iter().find(|line| line["kind"] == kind)
        })
    }

    /// Waits until standard output or standard error says this.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        let said = || (self.stdout.text() + &self.stderr.text()).contains(words).then_some(());
        wait_for(&format!("`{words}` in {}{}", self.stdout.text(), self.stderr.text()), PATIENCE, said);
    }

    /// What came on standard output up to now.
    pub(crate) fn said(&self) -> String {
        self.stdout.text()
    }

    /// What came on standard error up to now.
    pub(crate) fn narration(&self) -> String {
        self.stderr.text()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As Ctrl-C would.
    pub(crate) fn interrupt(&self) {
        self.signal(nix::sys::signal::Signal::SIGINT);
    }

    /// As a service manager would.
    pub(crate) fn terminate(&self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ran {
        let status =
            wait_for(&format!("the end; so far:\n{}\n{}", self.stdout.text(), self.stderr.text()), PATIENCE, || {
                self.child.try_wait().unwrap()
            });
        let stderr = String::from_utf8_lossy(&self.stderr.rest()).into_owned();
        Ran { code: status.code(), stdout: self.stdout.rest(), stderr }
    }
}

/// Runs minibpf without input.
#[track_caller]
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    run_with_input(args, b"")
}

/// Runs minibpf with this standard input.
#[track_caller]
pub(crate) fn run_with_input<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, input: &[u8]) -> Ran {
    let mut running = Running::start(args);
    running.send(input);
    running.end_input();
    running.end()
}

/// Copies a file by another process: a child that a test beside this one forks meanwhile would inherit our descriptor of the
/// copy, and a program that somebody has open for writing cannot be run (ETXTBSY).
#[track_caller]
pub(crate) fn copy_file(from: &str, to: &Path) {
    output_of(Command::new("cp").arg(from).arg(to));
}

/// Runs another program, which must succeed.
#[track_caller]
pub(crate) fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
