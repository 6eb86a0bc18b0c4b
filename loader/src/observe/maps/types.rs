//! What the bytes of a map mean: numbers, structs, the values of every CPU, maps and programs.

use std::fmt;

use crate::btf::layout::Layout;
use crate::btf::value::Value;
use crate::btf::{Btf, Kind};
use crate::kernel::Map;

/// `BPF_MAP_TYPE_PROG_ARRAY`.
const PROG_ARRAY: u32 = 3;
/// `BPF_MAP_TYPE_ARRAY_OF_MAPS`, `BPF_MAP_TYPE_HASH_OF_MAPS`.
const OF_MAPS: [u32; 2] = [12, 13];
/// `BPF_MAP_TYPE_PERCPU_HASH`, `PERCPU_ARRAY`, `LRU_PERCPU_HASH`.
const PER_CPU: [u32; 3] = [5, 6, 10];

/// Values are not larger (`KMALLOC_MAX_SIZE`), data sections apart.
const LARGEST: usize = 4 << 20;

/// Whether a map of this type has a value for every possible CPU.
pub fn is_per_cpu(map_type: u32) -> bool {
    PER_CPU.contains(&map_type)
}

/// How the keys and values of a map are read.
#[derive(Debug, Clone)]
pub struct Types<'data> {
    key: Layout<'data>,
    value: Layout<'data>,
    /// Bytes of one value.
    value_size: usize,
    map_type: u32,
    is_typed: bool,
    section: Option<&'data str>,
}

/// What an element holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Contents<'data> {
    /// A value.
    One(Value<'data>),
    /// The value of each possible CPU.
    PerCpu(Vec<Value<'data>>),
    /// A map, by its number.
    Map(u32),
    /// A program, by its number.
    Program(u32),
    /// Something of the kernel's own.
    Hidden,
}

impl<'data> Types<'data> {
    /// By the map's BTF; without one, up to eight bytes count as a number.
    pub fn of(map: &Map, btf: Option<&Btf<'data>>) -> Self {
        let attr = map.spec().attr;
        let layout = |ty: u32, size: u32| match btf {
            Some(btf) if ty != 0 => Layout::of(btf, ty),
            _ if matches!(size, 1 | 2 | 4 | 8) => Layout::number(size as usize),
            _ => Layout::bytes(),
        };
        let section = btf.and_then(|btf| btf.get(attr.btf_value_type_id).ok());
        let section = section.filter(|ty| matches!(ty.kind, Kind::Datasec { .. })).map(|ty| ty.name);
        Self {
            key: layout(attr.btf_key_type_id, attr.key_size),
            value: layout(attr.btf_value_type_id, attr.value_size),
            value_size: attr.value_size as usize,
            map_type: attr.map_type,
            is_typed: btf.is_some() && attr.btf_value_type_id != 0,
            section,
        }
    }

    /// Whether its BTF says what it holds.
    pub fn is_typed(&self) -> bool {
        self.is_typed
    }

    /// Bytes of one value.
    pub fn value_size(&self) -> usize {
        self.value_size
    }

    /// Whether values have a member of this path.
    pub fn has_member(&self, path: &str) -> bool {
        self.value.read(&vec![0; self.value_size.min(LARGEST)]).member(path).is_some()
    }

    /// The members of a value.
    pub fn members(&self) -> Vec<&'data str> {
        match self.value.read(&vec![0; self.value_size.min(LARGEST)]) {
            Value::Struct(members) => {
                members.into_iter().map(|(name, _)| name).filter(|name| !name.is_empty()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The section whose variables it holds.
    pub fn section(&self) -> Option<&'data str> {
        self.section
    }

    /// Reads a key.
    pub fn key(&self, bytes: &[u8]) -> Value<'data> {
        self.key.read(bytes)
    }

    /// Reads a value.
    pub fn contents(&self, bytes: &[u8]) -> Contents<'data> {
        let id = || bytes.first_chunk().map_or(0, |id| u32::from_le_bytes(*id));
        match self.map_type {
            _ if bytes.is_empty() && self.value_size > 0 => Contents::Hidden,
            ty if is_per_cpu(ty) => {
                let values = bytes.chunks(self.value_size.next_multiple_of(8).max(1));
                Contents::PerCpu(values.map(|one| self.value.read(one.get(..self.value_size).unwrap_or(one))).collect())
            }
            PROG_ARRAY => Contents::Program(id()),
            ty if OF_MAPS.contains(&ty) => Contents::Map(id()),
            _ => Contents::One(self.value.read(bytes)),
        }
    }
}

impl<'data> Contents<'data> {
    /// What counts: the value, or the sum over all CPUs.
    pub fn total(&self) -> Option<Value<'data>> {
        match self {
            Self::One(value) => Some(value.clone()),
            Self::PerCpu(values) => {
                let (first, rest) = values.split_first()?;
                rest.iter().try_fold(first.clone(), |sum, value| sum.plus(value))
            }
            Self::Map(id) | Self::Program(id) => Some(Value::Int((*id).into())),
            Self::Hidden => None,
        }
    }

    /// The variables of a data section.
    pub fn variables(&self) -> Option<&[(&'data str, Value<'data>)]> {
        match self {
            Self::One(Value::Struct(variables)) => Some(variables),
            _ => None,
        }
    }

    /// The variable of that name.
    pub fn variable(&self, name: &str) -> Option<&Value<'data>> {
        self.variables()?.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value)
    }
}

impl fmt::Display for Contents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(value) => value.fmt(f),
            Self::Map(id) => write!(f, "map {id}"),
            Self::Program(id) => write!(f, "program {id}"),
            Self::Hidden => f.write_str("(the kernel does not show what is there)"),
            Self::PerCpu(values) => {
                // CPUs are numbered from 0; those that never ran the program have only zeros.
                let some: Vec<_> = values.iter().enumerate().filter(|(_, value)| !value.is_zero()).collect();
                match (self.total(), some.is_empty()) {
                    (Some(sum), true) => return write!(f, "{sum} (on every CPU)"),
                    (Some(sum), false) => write!(f, "{sum} = ")?,
                    (None, true) => return f.write_str("(nothing on any CPU)"),
                    (None, false) => {}
                }
                for (n, (cpu, value)) in some.iter().enumerate() {
                    write!(f, "{}cpu{cpu} {value}", if n == 0 { "" } else { " + " })?;
                }
                Ok(())
            }
        }
    }
}
