//! HOST:PORT, and the addresses that it stands for.

use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::failure::{Exit, Failure};
use super::signals::Signals;

/// HOST:PORT as written.
#[derive(Debug, Clone)]
pub(crate) struct HostPort {
    host: String,
    port: u16,
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Self::to_listen(text)? {
            Self { port: 0, .. } => Err("nobody can be called at port 0".to_owned()),
            called => Ok(called),
        }
    }
}

impl HostPort {
    /// One to listen at: for port 0 the kernel chooses one.
    pub(crate) fn to_listen(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').ok_or("expected HOST:PORT")?;
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if bare.is_none() && host.contains(':') {
            return Err("expected HOST:PORT; an IPv6 address stands in brackets: [::1]:80".to_owned());
        }
        let host = bare.unwrap_or(host);
        if host.is_empty() {
            return Err("the host is missing: HOST:PORT".to_owned());
        }
        let port = port.parse().map_err(|_| format!("`{port}` is no port: a number up to 65535"))?;
        Ok(Self { host: host.to_owned(), port })
    }

    /// A host alone, where there are no ports.
    pub(crate) fn without_port(host: &str) -> Result<Self, String> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if bare.is_empty() {
            Err("the host is missing".to_owned())
        } else {
            Ok(Self { host: bare.to_owned(), port: 0 })
        }
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl HostPort {
    /// All addresses of the name, within the time limit.
    pub(crate) fn resolve(&self, timeout: Duration, signals: &Signals) -> Result<Vec<SocketAddr>, Failure> {
        if let Ok(ip) = self.host.parse() {
            return Ok(vec![SocketAddr::new(ip, self.port)]);
        }
        // The resolver of the C library cannot be interrupted: it is left behind when the time is over.
        let (sender, receiver) = mpsc::channel();
        let (host, port) = (self.host.clone(), self.port);
        let look_up = move || sender.send((host.as_str(), port).to_socket_addrs().map(Vec::from_iter));
        // `thread::spawn` would panic where there can be no more threads.
        let spawned = std::thread::Builder::new().spawn(look_up);
        spawned.map_err(|error| {
            Failure::new(Exit::Socket, format!("{self}: looking up the name: no thread: {error}"))
                .hint("ulimit -u, or the cgroup's pids.max, allows no more")
        })?;
        let deadline = Instant::now() + timeout;
        let answer = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left.min(Duration::from_millis(100))) {
                Ok(answer) => break answer,
                Err(_) if signals.came() => return Err(Failure::interrupted()),
                Err(_) if left.is_zero() => {
                    let why = format!("{self}: looking up the name took more than {timeout:?}");
                    return Err(Failure::new(Exit::TimedOut, why));
                }
                Err(_) => {}
            }
        };
        match answer
            .map_err(|error| Failure::new(Exit::Socket, format!("{self}: the name does not resolve: {error}")))?
        {
            addresses if addresses.is_empty() => {
                Err(Failure::new(Exit::Socket, format!("{self}: the name has no address")))
            }
            addresses => Ok(addresses),
        }
    }
}
