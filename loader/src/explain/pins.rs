//! The system calls about pins as [`Call`]s.

use std::mem::size_of;
use std::path::Path;

use super::around::object_info;
use super::fields::{Descriptors, bpf, number};
use super::{Call, Field};
use crate::plan::{Held, PinStep, pin_name};
use crate::sys::map_info::MapInfo;
use crate::sys::pin::ObjPinAttr;

/// A step about a pin.
pub(super) fn pin_step(step: &PinStep, fds: &impl Descriptors) -> Call {
    match step {
        PinStep::MakeDir { path } => Call {
            syscall: "mkdir",
            command: None,
            fields: vec![("pathname", text(path)), ("mode", Field::Constant("0700".to_owned()))],
            size: None,
            why: "a directory for pins".to_owned(),
        },
        PinStep::Pin { holds, name, path } => {
            let (what, fd) = match holds {
                Held::Map(id) => ("map", fds.map(*id)),
                Held::Prog(id) => ("program", fds.prog(*id)),
            };
            let dots = if pin_name(name) == *name { "" } else { "; a bpffs takes no dots" };
            object_path("BPF_OBJ_PIN", path, Field::Fd(fd), format!("{what} `{name}`: the pin keeps it alive{dots}"))
        }
        PinStep::Get { name, path, .. } => object_path(
            "BPF_OBJ_GET",
            path,
            number(0u32),
            format!("map `{name}`: a pinned one is reused, with what it holds"),
        ),
        PinStep::Compare { map, .. } => {
            let why = format!("`{}` must have the type, sizes and flags that the object asks for", map.name);
            object_info(fds.map(map.id), size_of::<MapInfo>(), why)
        }
    }
}

fn text(path: &Path) -> Field {
    Field::Text(path.display().to_string())
}

/// What `BPF_OBJ_PIN` and `BPF_OBJ_GET` have in common.
fn object_path(command: &'static str, path: &Path, fd: Field, why: String) -> Call {
    let fields = vec![("pathname", text(path)), ("bpf_fd", fd), ("file_flags", number(0u32))];
    bpf(command, size_of::<ObjPinAttr>(), fields, why)
}
