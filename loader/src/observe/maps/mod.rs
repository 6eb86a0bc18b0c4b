//! The contents of a map: walked element by element, and read by the types of its BTF.

mod types;
mod walk;

pub use types::{Contents, Types};
pub use walk::{Asked, Element, walk};

use crate::btf::{Btf, Kind};
use crate::kernel::Map;

/// Types whose elements user space can walk and read: hashes, arrays, their per-CPU kin, prefix trees, and slots with maps or programs.
const WALKABLE: [u32; 10] = [1, 2, 3, 5, 6, 9, 10, 11, 12, 13];

/// Whether the map's elements can be walked at all; a ring buffer, for one, has none.
pub fn is_walkable(map: &Map) -> bool {
    WALKABLE.contains(&map.spec().attr.map_type)
}

/// The only struct of the object whose size is that of `event`, other than the context: the type to read it by.
pub fn event_type(btf: &Btf<'_>, event: &[u8]) -> Option<u32> {
    let fits = |kind: &Kind<'_>| matches!(kind, Kind::Struct { size, .. } if *size as usize == event.len());
    let mut fitting = btf.types().filter(|(_, ty)| fits(&ty.kind) && !ty.name.is_empty() && ty.name != "__sk_buff");
    let (id, _) = fitting.next()?;
    fitting.next().is_none().then_some(id)
}
