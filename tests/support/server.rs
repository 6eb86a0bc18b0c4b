//! Servers on loopback, each at a port that the kernel chose.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use tempfile::TempDir;

use super::PATIENCE;
use super::process::Running;

/// A server for one connection, in a thread.
pub(crate) struct Server<T> {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<T>,
}

impl<T> Server<T> {
    /// What the handler returned. Hangs if nobody came: ask only after a client was there.
    pub(crate) fn result(self) -> T {
        self.thread.join().unwrap()
    }

    /// The `--connect` argument.
    pub(crate) fn target(&self) -> String {
        self.address.to_string()
    }
}

/// Serves one connection at `host`.
pub(crate) fn serve<T: Send + 'static>(host: &str, handler: impl FnOnce(TcpStream) -> T + Send + 'static) -> Server<T> {
    let listener = TcpListener::bind((host, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        handler(stream)
    });
    Server { address, thread }
}

/// Sends the answer once the first bytes have come, then closes.
pub(crate) fn answering(host: &str, answer: &'static [u8]) -> Server<()> {
    serve(host, move |mut stream| {
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0, "the client sent nothing");
        stream.write_all(answer).unwrap();
    })
}

/// Sends this at once, and keeps the connection open until the client is gone.
pub(crate) fn talking(bytes: &'static [u8]) -> Server<()> {
    serve("127.0.0.1", move |mut stream| {
        // The client may be gone before it is written.
        let _ = stream.write_all(bytes);
        read_all(stream);
    })
}

/// Only reads; returns how many bytes came.
pub(crate) fn reading() -> Server<u64> {
    serve("127.0.0.1", read_all)
}

/// A peer that goes away resets the connection if it left something unread; that is an end like another.
fn read_all(mut stream: TcpStream) -> u64 {
    let (mut total, mut buffer) = (0, vec![0; 64 << 10]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        total += count as u64;
    }
    total
}

/// A port at which nobody listens.
pub(crate) fn closed_port() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}

/// `python3 -m http.server`, serving one file.
pub(crate) struct HttpServer {
    child: Child,
    pub(crate) port: u16,
    _dir: TempDir,
}

impl HttpServer {
    pub(crate) const REQUEST: &[u8] = b"GET /hello.txt HTTP/1.0\r\n\r\n";

    pub(crate) fn start() -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("hello.txt"), "hello\n".repeat(500)).unwrap();
        let mut child = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is needed");
        // "Serving HTTP on 127.0.0.1 port 41235 (http://127.0.0.1:41235/) ..."
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.split(" port ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {line:?}"));
        Self { child, port, _dir: dir }
    }

    pub(crate) fn target(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The answer that a plain client gets.
    pub(crate) fn answer(&self) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(Self::REQUEST).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process with a UDP socket, as root or as somebody else, and how its socket is named: by descriptor, and by address.
#[track_caller]
pub(crate) fn udp_owner(by_way_of: &[String]) -> (Running, String, String) {
    let line = "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0))\n\
                print('fd', s.fileno(), s.getsockname()[1], 'ready', flush=True)\nsys.stdin.read()";
    let command: Vec<&str> = by_way_of.iter().map(String::as_str).chain(["/usr/bin/python3", "-c", line]).collect();
    let running = Running::command(Command::new(command[0]).args(&command[1..]));
    running.says("ready");
    let said = running.said();
    let words: Vec<&str> = said.split(' ').collect();
    let by_fd = format!("pid:{}:{}", running.pid(), words[1]);
    let by_address = format!("pid:{}:udp:127.0.0.1:{}", running.pid(), words[2]);
    (running, by_fd, by_address)
}
