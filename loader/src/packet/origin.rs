//! Packets with the place that they came from, so that what is wrong with one can be found.

/// A frame, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// An Ethernet frame.
    pub frame: Vec<u8>,
    /// Where it came from.
    pub place: Place,
    /// Bytes that its capture has left out.
    pub missing: u32,
}

/// Where a packet came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An argument.
    Argument(String),
    /// A record of a capture file.
    Record {
        /// The file's name.
        file: String,
        /// Its number, from 0.
        record: u64,
        /// The byte that it begins at.
        offset: u64,
    },
}

/// What cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Where it was found.
    pub place: Place,
    /// What is wrong.
    pub problem: String,
}

impl Place {
    /// What is wrong at this place.
    pub fn bad(self, problem: impl Into<String>) -> Bad {
        Bad { place: self, problem: problem.into() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Argument(text) => f.write_str(text),
            Self::Record { file, record, offset } => write!(f, "{file}: record {record} at byte {offset}"),
        }
    }
}
