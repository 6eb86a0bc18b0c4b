//! What a step is, in words: a system call as strace writes it, or as JSON. Both come from one [`Call`], which is plain data.
//!
//! [`facts`] is the same for a whole object, from its sections to the last call, with where each number comes from; [`page`]
//! makes text of that, and [`html`] a page for a browser. The library prints nothing itself.

mod around;
mod calls;
pub mod facts;
mod fields;
pub mod foreign;
pub mod html;
pub mod page;
mod patches;
mod pins;
mod planned;

use std::fmt;
use std::os::fd::{AsFd, AsRawFd};

use serde_json::{Value as Json, json};

use crate::btf::value::hex;
use crate::insn::Insn;

pub use around::{
    PROG_INFO_SIZE, attach, detach, enable_stats, map_lookup, map_lookup_batch, map_next_key, object_info,
    prog_test_run,
};
pub use calls::{step, step_attempt};
pub use fields::Descriptors;
pub use patches::{PatchText, patch_text};
pub use planned::Planned;

/// A system call with its arguments decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `bpf` or `setsockopt`.
    pub syscall: &'static str,
    /// The command of bpf(2): `BPF_MAP_CREATE`.
    pub command: Option<&'static str>,
    /// The attr's fields, or the arguments, in order.
    pub fields: Vec<(&'static str, Field)>,
    /// Bytes of the attr.
    pub size: Option<usize>,
    /// Why it is made, in one clause.
    pub why: String,
}

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// A number.
    Number(u64),
    /// A constant by its name, or several joined by `|`.
    Constant(String),
    /// A descriptor: its number, or while it has none, what it stands for.
    Fd(Fd),
    /// A string.
    Text(String),
    /// What a pointer points to.
    Bytes(Vec<u8>),
    /// Instructions that a pointer points to.
    Insns(Vec<Insn>),
    /// A null pointer.
    Null,
}

/// A descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fd {
    /// As the kernel numbered it.
    Number(i32),
    /// Not opened yet: what it will be.
    Role(String),
}

/// How much of long arguments is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The first bytes.
    Short,
    /// Everything.
    Full,
}

/// What strace calls a zero in some fields.
const ZERO: [&str; 5] = ["0", "...", "BPF_ANY", "KERNEL_VERSION(0, 0, 0)", "BPF_CGROUP_INET_INGRESS"];

const SHORT_BYTES: usize = 16;
const SHORT_SLOTS: usize = 2;

impl Call {
    /// One line, in strace's words.
    pub fn text(&self, detail: Detail) -> String {
        let fields: Vec<_> = self.fields.iter().map(|(name, field)| (*name, field.text(detail))).collect();
        match (self.command, self.size) {
            (Some(command), Some(size)) => {
                let attr: Vec<_> = fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
                format!("{}({command}, {{{}}}, {size})", self.syscall, attr.join(", "))
            }
            _ => {
                let arguments: Vec<_> = fields.into_iter().map(|(_, text)| text).collect();
                format!("{}({})", self.syscall, arguments.join(", "))
            }
        }
    }

    /// One line without the fields that are zero and the bytes that pointers point to.
    pub fn brief(&self) -> String {
        let Some(command) = self.command else { return self.text(Detail::Short) };
        let says_something = |field: &Field| match field {
            Field::Number(number) => *number != 0,
            Field::Constant(name) => !ZERO.contains(&name.as_str()),
            Field::Fd(_) | Field::Text(_) => true,
            Field::Bytes(bytes) => bytes.len() <= SHORT_BYTES,
            Field::Insns(_) | Field::Null => false,
        };
        let said = self.fields.iter().filter(|(_, field)| says_something(field));
        let said: Vec<_> = said.map(|(name, field)| format!("{name}={}", field.text(Detail::Short))).collect();
        format!("{}({command}, {{{}}})", self.syscall, said.join(", "))
    }

    /// The same facts as data; bytes are whole, in hex.
    pub fn json(&self) -> Json {
        let fields: serde_json::Map<_, _> =
            self.fields.iter().map(|(name, field)| ((*name).to_owned(), field.json())).collect();
        json!({ "syscall": self.syscall, "call": self.command.unwrap_or(self.syscall), "attr": fields, "size": self.size, "why": self.why })
    }
}

impl Field {
    fn text(&self, detail: Detail) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Constant(name) => name.clone(),
            Self::Fd(fd) => fd.to_string(),
            Self::Text(text) => format!("\"{}\"", text.escape_default()),
            Self::Bytes(bytes) => match (detail, bytes.get(..SHORT_BYTES)) {
                (Detail::Short, Some(start)) if bytes.len() > SHORT_BYTES => format!("\"{}\"...", escape(start)),
                _ => format!("\"{}\"", escape(bytes)),
            },
            Self::Insns(insns) => match (detail, insns.get(..SHORT_SLOTS)) {
                (Detail::Short, Some(start)) if insns.len() > SHORT_SLOTS => format!("[{}, ...]", slots(start)),
                _ => format!("[{}]", slots(insns)),
            },
            Self::Null => "NULL".to_owned(),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Number(number) => json!(number),
            Self::Constant(text) | Self::Text(text) => json!(text),
            Self::Fd(Fd::Number(number)) => json!(number),
            Self::Fd(Fd::Role(role)) => json!(role),
            Self::Bytes(bytes) => json!(hex(bytes)),
            Self::Insns(insns) => json!(hex(&Insn::encode_all(insns))),
            Self::Null => Json::Null,
        }
    }
}

impl Fd {
    /// An open descriptor's number.
    pub fn of(fd: &impl AsFd) -> Self {
        Self::Number(fd.as_fd().as_raw_fd())
    }
}

impl fmt::Display for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Role(role) => write!(f, "<{role}>"),
        }
    }
}

/// Every byte as `\xNN`, as `strace -xx` writes it.
fn escape(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// Each slot's eight bytes in hex.
fn slots(insns: &[Insn]) -> String {
    let slots: Vec<_> = insns.iter().map(|insn| hex(&insn.encode())).collect();
    slots.join(", ")
}
