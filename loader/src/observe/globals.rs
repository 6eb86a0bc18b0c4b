//! Global variables of a loaded program, written while it runs.
//!
//! The variables of a data section are the one value of an array. A map with `BPF_F_MMAPABLE` is mapped into memory, and a variable
//! written where it lies, beside what the program writes at the same moment. Without, the whole value is read and written back: what the
//! program has changed in between is lost.

use thiserror::Error;

use super::fdinfo;
use crate::btf::encode::encode;
use crate::btf::{Btf, Kind};
use crate::kernel::Map;
use crate::sys::SysError;
use crate::sys::mapping::Mapping;

/// `BPF_F_RDONLY_PROG`.
const READ_ONLY: u32 = 1 << 7;
/// `BPF_F_MMAPABLE`.
const MMAPABLE: u32 = 1 << 10;

/// Why a variable cannot be written.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum GlobalError {
    /// The map is no data section, or its types are not known.
    #[error("it holds no global variables{}", if *typed { "" } else { ": without types their names are not known" })]
    NoVariables {
        /// Whether it has types.
        typed: bool,
    },
    /// `.rodata`, frozen.
    #[error(
        "they are constants: the verifier has computed with their values, and the kernel lets nobody write them any more (frozen)"
    )]
    Constants,
    /// No such variable.
    #[error("no variable `{name}`; there are: {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A value that does not fit.
    #[error("`{name}` cannot be `{value}`: {problem}")]
    Value {
        /// The variable.
        name: String,
        /// The value asked for.
        value: String,
        /// Why not.
        problem: String,
    },
}

/// A variable's new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Where it lies, in bytes from the section's beginning.
    pub offset: usize,
    /// The value's bytes.
    pub bytes: Vec<u8>,
}

/// Checks a new value for a variable of a data section.
///
/// # Errors
///
/// See [`GlobalError`].
pub fn assignment(map: &Map, btf: &Btf<'_>, name: &str, value: &str) -> Result<Assignment, GlobalError> {
    let attr = map.spec().attr;
    let Some(Kind::Datasec { vars, .. }) = btf.get(attr.btf_value_type_id).ok().map(|ty| ty.kind) else {
        return Err(GlobalError::NoVariables { typed: btf.type_count() > 0 });
    };
    if fdinfo::is_frozen(map) {
        return Err(GlobalError::Constants);
    }
    let unknown = || GlobalError::Unknown {
        name: name.to_owned(),
        known: vars.iter().filter_map(|info| Some(btf.get(info.var).ok()?.name.to_owned())).collect(),
    };
    let (ty, offset) = btf.variable(attr.btf_value_type_id, name).ok_or_else(unknown)?;
    let refuse = |problem| GlobalError::Value { name: name.to_owned(), value: value.to_owned(), problem };
    let bytes = encode(btf, ty, value).map_err(|error| refuse(error.to_string()))?;
    let (offset, size) = (offset as usize, attr.value_size as usize);
    match offset.checked_add(bytes.len()) {
        Some(end) if end <= size => Ok(Assignment { offset, bytes }),
        _ => Err(refuse(format!("it would lie outside the section of {size} bytes"))),
    }
}

/// Writes values; `page` is the size of a page in bytes. Returns whether they were written in place, so that nothing else was touched.
///
/// # Errors
///
/// `EPERM`: the map is frozen; `EACCES`: its descriptor is read-only.
pub fn write(map: &Map, assignments: &[Assignment], page: usize) -> Result<bool, SysError> {
    let attr = map.spec().attr;
    // The kernel maps nothing writable that the program may only read (EACCES).
    if attr.map_flags & (MMAPABLE | READ_ONLY) == MMAPABLE {
        let memory = Mapping::new(map, 0, (attr.value_size as usize).next_multiple_of(page.max(1)), true)?;
        for one in assignments {
            memory.write(one.offset, &one.bytes);
        }
        return Ok(true);
    }
    let key = 0u32.to_le_bytes();
    let mut value = map.fd().lookup(&key)?;
    for Assignment { offset, bytes } in assignments {
        if let Some(place) = value.get_mut(*offset..offset + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
    map.fd().update(&key, &value)?;
    Ok(false)
}
