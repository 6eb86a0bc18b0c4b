//! The contents of a map, element by element, with types where the object's BTF has them.

use crate::btf::value::{self, Value};
use crate::btf::{Btf, Kind};
use crate::kernel::Map;
use crate::sys::SysError;

/// Types whose elements user space can walk: hashes, arrays, their per-CPU kin, and prefix trees.
const WALKABLE: [u32; 7] = [1, 2, 5, 6, 9, 10, 11];

/// One element.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// The key's bytes.
    pub key: Vec<u8>,
    /// The value's bytes; of a per-CPU map the values of all possible CPUs, each padded to 8 bytes.
    pub value: Vec<u8>,
}

/// Whether the map's elements can be walked at all; a ring buffer, for one, has none.
pub fn is_walkable(map: &Map) -> bool {
    WALKABLE.contains(&map.spec().attr.map_type)
}

/// What the walk asked the kernel, for those who want to watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked<'a> {
    /// The key after this one, and whether there was one.
    NextKey(Option<&'a [u8]>, bool),
    /// The value of this key, and whether there was one.
    Lookup(&'a [u8], bool),
}

/// Walks a map, up to `limit` elements. A program may write meanwhile: an element that is deleted between the question for
/// its key and that for its value is left out, and a hash that loses the key just read starts again, hence the limit.
///
/// # Errors
///
/// The kernel's refusal; `ENOTSUPP` or `EOPNOTSUPP` for a type without elements.
pub fn elements(map: &Map, limit: usize, mut watch: impl FnMut(Asked<'_>)) -> Result<Vec<Element>, SysError> {
    let mut found = Vec::new();
    let mut key: Option<Vec<u8>> = None;
    while found.len() < limit {
        let next = map.fd().next_key(key.as_deref())?;
        watch(Asked::NextKey(key.as_deref(), next.is_some()));
        let Some(next) = next else { break };
        let value = map.fd().lookup(&next);
        watch(Asked::Lookup(&next, value.is_ok()));
        match value {
            Ok(value) => found.push(Element { key: next.clone(), value }),
            Err(error) if error.errno == nix::errno::Errno::ENOENT => {}
            Err(error) => return Err(error),
        }
        key = Some(next);
    }
    Ok(found)
}

/// Reads an element's key by the map's BTF; without one, a key of at most eight bytes counts as a number.
pub fn typed_key(map: &Map, btf: Option<&Btf<'_>>, key: &[u8]) -> Value {
    typed(btf, map.spec().attr.btf_key_type_id, key)
}

/// Reads an element's value by the map's BTF; of a per-CPU map, one for each CPU.
pub fn typed_value(map: &Map, btf: Option<&Btf<'_>>, value: &[u8]) -> Value {
    let (ty, size) = (map.spec().attr.btf_value_type_id, map.spec().attr.value_size as usize);
    if value.len() == size || size == 0 {
        return typed(btf, ty, value);
    }
    let per_cpu = value.chunks(size.next_multiple_of(8));
    Value::Array(per_cpu.map(|one| typed(btf, ty, one.get(..size).unwrap_or(one))).collect())
}

fn typed(btf: Option<&Btf<'_>>, ty: u32, bytes: &[u8]) -> Value {
    match btf {
        Some(btf) if ty != 0 => value::read(btf, ty, bytes),
        _ => match bytes.len() {
            1 | 2 | 4 | 8 => Value::Int(bytes.iter().rev().fold(0, |number, byte| number << 8 | i128::from(*byte))),
            _ => Value::Bytes(bytes.to_vec()),
        },
    }
}

/// The only struct of the object whose size is that of `event`, other than the context: the type to read it by.
pub fn event_type(btf: &Btf<'_>, event: &[u8]) -> Option<u32> {
    let fits = |kind: &Kind<'_>| matches!(kind, Kind::Struct { size, .. } if *size as usize == event.len());
    let mut fitting = btf.types().filter(|(_, ty)| fits(&ty.kind) && !ty.name.is_empty() && ty.name != "__sk_buff");
    let (id, _) = fitting.next()?;
    fitting.next().is_none().then_some(id)
}
