//! Where received bytes go, without ever waiting for whoever reads them.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::Path;

use nix::errno::Errno;

use super::pump::CHUNK;
use crate::cmd::failure::{Exit, Failure};

/// Standard output, a file, or nothing; and what standard output has not taken yet.
pub(super) struct Sink {
    kind: Kind,
    pending: Vec<u8>,
}

enum Kind {
    Stdout { terminal: bool },
    File(File),
    Nowhere,
}

impl Sink {
    /// With `--json` standard output carries JSON alone, and bytes are kept only in a file that was asked for.
    pub(super) fn new(file: Option<&Path>, json: bool) -> Result<Self, Failure> {
        let kind = match file {
            Some(path) => Kind::File(File::create(path).map_err(|e| Failure::from(e).at(path.display()))?),
            None if json => Kind::Nowhere,
            None => Kind::Stdout { terminal: std::io::stdout().is_terminal() },
        };
        Ok(Self { kind, pending: Vec::new() })
    }

    /// Whether everything was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Takes what the socket received.
    pub(super) fn take(&mut self, received: &[u8]) -> Result<(), Failure> {
        match &mut self.kind {
            Kind::Nowhere => {}
            Kind::File(file) => file.write_all(received)?,
            Kind::Stdout { terminal: false } => self.pending.extend(received),
            Kind::Stdout { terminal: true } => self.pending.extend(printable(received)),
        }
        Ok(())
    }

    /// Writes as much as standard output takes now; to be called when poll(2) says that it takes something.
    pub(super) fn write(&mut self) -> Result<(), Failure> {
        let chunk = self.pending.get(..CHUNK).unwrap_or(&self.pending);
        match nix::unistd::write(std::io::stdout(), chunk) {
            Ok(count) => drop(self.pending.drain(..count)),
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(Errno::EPIPE) => return Err(Failure::broken_pipe()),
            Err(errno) => return Err(Failure::new(Exit::Other, format!("standard output: {}", errno.desc()))),
        }
        Ok(())
    }
}

/// Control bytes other than newline and tab as `\xNN`, so that a server cannot command the terminal.
fn printable(bytes: &[u8]) -> Vec<u8> {
    let escaped = |byte: &u8| match byte {
        b'\n' | b'\t' | 0x20..=0x7e | 0x80.. => vec![*byte],
        _ => format!("\\x{byte:02x}").into_bytes(),
    };
    bytes.iter().flat_map(escaped).collect()
}
