//! Where received bytes go, without ever waiting for whoever reads them.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::Path;

use nix::errno::Errno;

use super::pump::CHUNK;
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::commands;

/// Standard output, a file, or nothing; and what standard output has not taken yet.
pub(super) struct Sink {
    kind: Kind,
    pending: Vec<u8>,
}

enum Kind {
    Pipe,
    Terminal(Text),
    File(File),
    Nowhere,
}

impl Sink {
    /// With `--json` standard output carries JSON alone, and bytes are kept only in a file that was asked for.
    pub(super) fn new(file: Option<&Path>, json: bool) -> Result<Self, Failure> {
        let kind = match file {
            Some(path) => Kind::File(File::create(path).map_err(|e| Failure::new(Exit::Other, e).at(path.display()))?),
            None if json => Kind::Nowhere,
            None if std::io::stdout().is_terminal() => Kind::Terminal(Text::default()),
            None => Kind::Pipe,
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
            Kind::File(file) => file
                .write_all(received)
                .map_err(|error| Failure::new(Exit::Other, format!("the file of --output: {error}")))?,
            Kind::Pipe => self.pending.extend(received),
            Kind::Terminal(text) => text.add(received, &mut self.pending),
        }
        Ok(())
    }

    /// Nothing more comes: what was only begun is shown as it is.
    pub(super) fn end(&mut self) {
        if let Kind::Terminal(text) = &mut self.kind {
            text.end(&mut self.pending);
        }
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

/// Text for a terminal, so that a server cannot command it: control bytes other than newline and tab, bytes that are no UTF-8, and
/// the characters that a terminal obeys all the same (U+009B is one byte's worth of `ESC [`) become `\xNN`.
#[derive(Default)]
struct Text {
    /// The first bytes of a character whose rest has not come.
    begun: Vec<u8>,
}

impl Text {
    fn add(&mut self, received: &[u8], to: &mut Vec<u8>) {
        self.begun.extend(received);
        let bytes = std::mem::take(&mut self.begun);
        let mut rest = bytes.as_slice();
        loop {
            let (text, after) = match std::str::from_utf8(rest) {
                Ok(text) => (text, None),
                Err(error) => {
                    let (text, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or_default();
                    (std::str::from_utf8(text).unwrap_or_default(), Some((after, error.error_len())))
                }
            };
            for c in text.chars() {
                match c {
                    c if commands(c) => escape(c.encode_utf8(&mut [0; 4]).as_bytes(), to),
                    c => to.extend(c.encode_utf8(&mut [0; 4]).bytes()),
                }
            }
            let Some((after, wrong)) = after else { return };
            let Some((wrong, after)) = wrong.and_then(|wrong| after.split_at_checked(wrong)) else {
                self.begun = after.to_vec();
                return;
            };
            escape(wrong, to);
            rest = after;
        }
    }

    fn end(&mut self, to: &mut Vec<u8>) {
        escape(&std::mem::take(&mut self.begun), to);
    }
}

fn escape(bytes: &[u8], to: &mut Vec<u8>) {
    to.extend(bytes.iter().flat_map(|byte| format!("\\x{byte:02x}").into_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let (mut text, mut to) = (Text::default(), Vec::new());
        for piece in pieces {
            text.add(piece, &mut to);
        }
        text.end(&mut to);
        String::from_utf8(to).unwrap()
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_its_bytes() {
        assert_eq!(shown(&[b"a\tb\r\n\x1b[2J\x07"]), "a\tb\\x0d\n\\x1b[2J\\x07");
        assert_eq!(shown(&["\u{9b}31m \u{202e}".as_bytes()]), "\\xc2\\x9b31m \\xe2\\x80\\xae");
        assert_eq!(shown(&[b"\x9b31m \xff\xc3"]), "\\x9b31m \\xff\\xc3");
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        assert_eq!(shown(&["größe €".as_bytes()]), "größe €");
        for at in 0.."größe €".len() {
            let (one, two) = "größe €".as_bytes().split_at(at);
            assert_eq!(shown(&[one, two]), "größe €");
        }
        assert_eq!(shown(&[b"\xc2", b"\x9bx"]), "\\xc2\\x9bx");
    }
}
