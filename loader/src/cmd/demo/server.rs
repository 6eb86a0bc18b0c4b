//! A server that answers one HTTP request on loopback.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::cmd::failure::{Exit, Failure};

const BODY: &str = "Every packet of this answer went through the filter.\n";
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts the server in a thread of its own; returns its address.
pub(super) fn start() -> Result<SocketAddr, Failure> {
    let failed = |error| Failure::new(Exit::Socket, format!("the built-in server: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // `thread::spawn` would panic where there can be no more threads.
    let serve = move || {
        // A client that does not come, or goes away, is seen on the client's side.
        if let Ok((client, _)) = listener.accept() {
            let _ = answer(client);
        }
    };
    std::thread::Builder::new().spawn(serve).map_err(failed)?;
    Ok(address)
}

fn answer(mut client: TcpStream) -> std::io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < 4096 {
        let mut buffer = [0; 512];
        match client.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => request.extend(buffer.iter().take(count)),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    write!(client, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len())
}
