//! Where the book explains a failure; a test holds these paths to the book.

use minibpf::plan::LinkErrorKind;

use super::failure::Exit;

/// The part of the error index that is about an exit code.
pub(crate) const fn of_exit(exit: Exit) -> Option<&'static str> {
    match exit {
        Exit::Object => Some("docs/errors.md#3-the-object"),
        Exit::Privileges => Some("docs/errors.md#4-privileges"),
        Exit::Refused => Some("docs/errors.md#5-the-kernel-refused"),
        Exit::Socket => Some("docs/errors.md#6-sockets"),
        Exit::TimedOut => Some("docs/errors.md#7-time"),
        Exit::Done | Exit::Other | Exit::Usage => None,
    }
}

/// The chapter about what a program refers to and cannot have.
pub(crate) const fn of_link(kind: &LinkErrorKind) -> &'static str {
    match kind {
        LinkErrorKind::ByteOrder | LinkErrorKind::CutShort => "docs/ch02-eight-bytes.md",
        LinkErrorKind::BrokenMap(_) => "docs/ch04-map-definition.md",
        LinkErrorKind::Unaligned { .. } | LinkErrorKind::Twice { .. } | LinkErrorKind::NotPatchable { .. } => {
            "docs/ch05-the-hole.md"
        }
        LinkErrorKind::NoMap { .. } | LinkErrorKind::NoPlace(_) => "docs/ch06-patching-the-hole.md",
        LinkErrorKind::TooLong(_) => "docs/ch08-the-verifier-talks.md",
        LinkErrorKind::TooManyCopies => "docs/ch16-calls-and-callbacks.md",
        LinkErrorKind::Common(_)
        | LinkErrorKind::UnknownSection { .. }
        | LinkErrorKind::Arena(_)
        | LinkErrorKind::OutsideData { .. } => "docs/ch15-global-data.md",
        LinkErrorKind::NoFunction { .. }
        | LinkErrorKind::BrokenFunction(_)
        | LinkErrorKind::BadSlot { .. }
        | LinkErrorKind::Sibling { .. } => "docs/ch16-calls-and-callbacks.md",
        LinkErrorKind::Undefined(_) | LinkErrorKind::Extern { .. } | LinkErrorKind::HiddenAddress(_) => {
            "docs/ch17-externs.md"
        }
        LinkErrorKind::Core(_) => "docs/ch18-core.md",
    }
}
