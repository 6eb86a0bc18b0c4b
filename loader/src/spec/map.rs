//! The blueprint of one map.

use super::{Place, SpecError};

/// A map as the object defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapSpec {
    /// The symbol's name; the section's name for a data section.
    pub name: String,
    /// Where its definition begins.
    pub place: Place,
    /// Bytes of the definition or of the data.
    pub extent: u64,
    /// What kind of definition it came from.
    pub origin: MapOrigin,
    /// What it is to be created with.
    pub attr: MapAttr,
    /// For a map of maps: what each inner map looks like. The kernel wants one as a pattern when the outer is created.
    pub inner: Option<MapAttr>,
    /// For a map of maps or programs: the slots that the object fills (`.values = { &inner }`).
    pub slots: Vec<Slot>,
    /// `LIBBPF_PIN_BY_NAME`: other loaders would share it, under its name, with whoever asks for the same.
    pub pin_by_name: bool,
    /// Why it cannot be: its definition makes no sense. Only a program that uses the map fails for that.
    pub broken: Option<SpecError>,
}

impl MapSpec {
    /// Whether it holds the values of `.kconfig`, of which the file has no section.
    pub fn is_config(&self) -> bool {
        self.place.section == super::KCONFIG_SECTION
    }

    /// A map as its definition reads, or as a broken one.
    pub(super) fn new(
        name: &str,
        place: Place,
        extent: u64,
        origin: MapOrigin,
        definition: Result<MapAttr, SpecError>,
    ) -> Self {
        let (attr, broken) = match definition {
            Ok(attr) => (attr, None),
            Err(error) => (MapAttr::default(), Some(error)),
        };
        Self {
            name: name.to_owned(),
            place,
            extent,
            origin,
            attr,
            inner: None,
            slots: Vec::new(),
            pin_by_name: false,
            broken,
        }
    }
}

/// One initialised slot of a map of maps or programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its number, which is its key.
    pub index: u32,
    /// Where the map's definition, or the function, begins.
    pub holds: Place,
}

/// What `BPF_MAP_CREATE` is told, descriptors apart. Names are those of `union bpf_attr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapAttr {
    /// `enum bpf_map_type`.
    pub map_type: u32,
    /// Bytes.
    pub key_size: u32,
    /// Bytes.
    pub value_size: u32,
    /// Entries; bytes for a ring buffer.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub map_flags: u32,
    /// The NUMA node to allocate on; counts only with `BPF_F_NUMA_NODE`.
    pub numa_node: u32,
    /// What newer map types need besides.
    pub map_extra: u64,
    /// BTF type of a key; 0 without one.
    pub btf_key_type_id: u32,
    /// BTF type of a value; 0 without one.
    pub btf_value_type_id: u32,
}

/// How the object defines a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapOrigin {
    /// A struct in `.maps`, whose BTF type says everything.
    Btf,
    /// A `struct bpf_map_def` in `maps`, whose bytes say everything.
    Legacy,
    /// A data section, which becomes an array of one entry.
    Data {
        /// `.rodata`: the program may not write it, and nobody after the freeze.
        read_only: bool,
    },
}
