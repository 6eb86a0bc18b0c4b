//! Which of the object's types an event has.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::Record;
use super::perf::lengths_before_padding;
use crate::btf::Btf;
use crate::btf::layout::Layout;
use crate::btf::value::Value;

/// `BTF_KIND_STRUCT`, `BTF_KIND_UNION`, `BTF_KIND_TYPEDEF`.
const NAMED_KINDS: [u32; 3] = [4, 5, 8];
const STRUCT: u32 = 4;

/// The types of events: those that were chosen for a map, and for the others what their size alone says.
#[derive(Debug)]
pub struct EventTypes<'a> {
    btf: Option<&'a Btf<'a>>,
    chosen: BTreeMap<String, Known<'a>>,
    /// What the size said, so that the types are searched once for each.
    by_size: BTreeMap<(usize, bool), Option<Known<'a>>>,
}

#[derive(Debug)]
struct Known<'a> {
    name: &'a str,
    layout: Layout<'a>,
}

impl<'a> Known<'a> {
    fn new(btf: &'a Btf<'a>, id: u32) -> Option<Self> {
        let layout = Layout::of(btf, id);
        (layout.size() > 0).then_some(Self { name: btf.get(id).ok()?.name, layout })
    }
}

/// An event, taken apart by its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed<'a, 'b> {
    /// The type's name.
    pub name: &'a str,
    /// What the event says.
    pub value: Value<'a>,
    /// The bytes that say it.
    pub bytes: &'b [u8],
    /// What follows; of a perf event array without the padding.
    pub rest: &'b [u8],
}

impl<'a> EventTypes<'a> {
    /// Types of the object, if it has any.
    pub fn new(btf: Option<&'a Btf<'a>>) -> Self {
        Self { btf, chosen: BTreeMap::new(), by_size: BTreeMap::new() }
    }

    /// From here on the events of `map` have this type: a struct, a union or a typedef, by its name. `false`: there is none, or it has
    /// no size.
    #[must_use = "there may be no such type"]
    pub fn choose(&mut self, map: &str, name: &str) -> bool {
        let Some(btf) = self.btf else { return false };
        let mut named = btf.of_kinds(&NAMED_KINDS).filter(|(_, ty)| ty.name == name);
        let found = named.find_map(|(id, _)| Known::new(btf, id));
        found.map(|ty| self.chosen.insert(map.to_owned(), ty)).is_some()
    }

    /// The structs of the object that an event could be, by name.
    pub fn names(&self) -> Vec<&'a str> {
        self.btf.map_or_else(Vec::new, |btf| structs(btf).map(|(_, name)| name).collect())
    }

    /// Takes an event apart; `None` where no type is known, or the event is shorter than its type.
    pub fn apply<'b>(&mut self, event: &Record<'b>) -> Option<Typed<'a, 'b>> {
        let (btf, len, pads) = (self.btf?, event.bytes.len(), event.cpu.is_some());
        let sizes = if pads { lengths_before_padding(len) } else { len..=len };
        let Known { name, layout } = match self.chosen.get(event.map.name()) {
            Some(chosen) => chosen,
            None => {
                let found = || event_type(btf, &sizes).and_then(|id| Known::new(btf, id));
                self.by_size.entry((len, pads)).or_insert_with(found).as_ref()?
            }
        };
        let (bytes, rest) = event.bytes.split_at_checked(layout.size())?;
        let rest = if sizes.contains(&layout.size()) { &[] } else { rest };
        Some(Typed { name, value: layout.read(bytes), bytes, rest })
    }
}

/// All structs that have a name, but for the context.
fn structs<'a>(btf: &'a Btf<'a>) -> impl Iterator<Item = (u32, &'a str)> {
    let named = btf.of_kinds(&[STRUCT]).filter(|(_, ty)| !ty.name.is_empty() && ty.name != "__sk_buff");
    named.map(|(id, ty)| (id, ty.name))
}

/// The only struct of the object whose size in bytes is among `sizes`, other than the context: the type to read an event by. Of a
/// ring buffer that is one size, of a perf event array those of [`lengths_before_padding`].
pub fn event_type(btf: &Btf<'_>, sizes: &RangeInclusive<usize>) -> Option<u32> {
    let mut fitting = structs(btf).filter(|(id, _)| {
        let size = btf.size_of(*id).ok().and_then(|size| usize::try_from(size).ok());
        size.is_some_and(|size| sizes.contains(&size))
    });
    let (id, _) = fitting.next()?;
    fitting.next().is_none().then_some(id)
}
