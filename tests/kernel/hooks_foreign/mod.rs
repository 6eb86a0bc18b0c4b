//! Sockets of other processes: found by descriptor or address, filtered while the process runs on, and left as they were.

mod filtered;
mod found;
mod listed;
mod undone;

use std::net::UdpSocket;
use std::process::Command;

use crate::support::process::{Ran, Running};
use crate::support::{PATIENCE, text, wait_for};

/// A server in python3, in a process of its own.
struct Server {
    running: Running,
    port: u16,
}

impl Server {
    /// Runs lines that begin with a bound socket `s`; `port` is said first.
    fn start(kind: &str, lines: &str) -> Self {
        let script = format!(
            "import socket, struct, ctypes\ns = socket.socket(socket.AF_INET, socket.{kind})\ns.bind(('127.0.0.1', 0))\nprint('port', s.getsockname()[1], flush=True)\n{lines}"
        );
        let running = Running::command(Command::new("python3").args(["-u", "-c", &script]));
        running.says("port ");
        let port =
            wait_for("the port", PATIENCE, || running.said().lines().next()?.strip_prefix("port ")?.parse().ok());
        Self { running, port }
    }

    /// A TCP server that sends back what it gets, one connection.
    fn echo() -> Self {
        Self::start(
            "SOCK_STREAM",
            "s.listen()\nc, _ = s.accept()\nprint('accepted', flush=True)\nwhile True:\n  b = c.recv(4096)\n  if not b: break\n  c.sendall(b)\nprint('closed', flush=True)\nc.close()\nimport time\ntime.sleep(30)",
        )
    }

    /// A UDP socket whose classic filter, if there is one, keeps `keep` bytes: it says what it gets.
    fn datagrams(keep: Option<u32>) -> Self {
        let filter = keep.map_or_else(String::new, |keep| {
            format!(
                "b = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, {keep}))\ns.setsockopt(socket.SOL_SOCKET, 26, struct.pack('HxxxxxxQ', 1, ctypes.addressof(b)))\n"
            )
        });
        Self::start("SOCK_DGRAM", &format!("{filter}while True: print('got', s.recv(99).decode(), flush=True)"))
    }

    fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Sends a datagram, and waits until the server says what came of it.
    #[track_caller]
    fn gets(&self, sent: &str, got: &str) {
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(sent.as_bytes(), ("127.0.0.1", self.port)).unwrap();
        self.running.says(&format!("got {got}\n"));
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }
}

fn hint(ran: &Ran) -> String {
    text(&ran.only("error"), "hint").to_owned()
}
