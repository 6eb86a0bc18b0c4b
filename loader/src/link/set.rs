//! `--set VAR=VALUE`: a global gets another value before the load, in the C type that its BTF gives it.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::btf::encode::encode;
use crate::elf::SymbolKind;
use crate::spec::{MapOrigin, MapSpec, Spec};

/// A global cannot be set.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum SetError {
    /// No variable of that name.
    #[error("no global variable `{name}` in this object{}", if known.is_empty() { ": it has none".to_owned() } else { format!("; there are: {}", known.join(", ")) })]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The variable is there, but nothing that is loaded reads it.
    #[error("`{name}` would be set to no effect: no program to be loaded uses section `{section}`")]
    Unused {
        /// The variable.
        name: String,
        /// Its section.
        section: String,
    },
    /// Two values for one variable.
    #[error("`{name}` is set twice")]
    Twice {
        /// The variable.
        name: String,
    },
    /// The value does not fit.
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

/// Data sections larger than this are not rewritten.
const MAX_VALUE: usize = 64 << 20;

/// Values to be written into data sections.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<Value>);

#[derive(Debug)]
struct Value {
    name: String,
    /// Index of the data section's map.
    map: usize,
    /// Bytes into it.
    offset: usize,
    bytes: Vec<u8>,
}

impl Values {
    /// Looks the variables up and encodes their values.
    pub(super) fn parse(spec: &Spec<'_>, set: &[(String, String)]) -> Result<Self, SetError> {
        let mut names = BTreeSet::new();
        if let Some((name, _)) = set.iter().find(|(name, _)| !names.insert(name)) {
            return Err(SetError::Twice { name: name.clone() });
        }
        set.iter().map(|(name, value)| parse_one(spec, name, value)).collect::<Result<_, _>>().map(Self)
    }

    /// Fails if a value would go into a map that is not created.
    pub(super) fn check_reached(&self, spec: &Spec<'_>, is_reached: impl Fn(usize) -> bool) -> Result<(), SetError> {
        let Some(value) = self.0.iter().find(|value| !is_reached(value.map)) else { return Ok(()) };
        let section = spec.maps.get(value.map).map_or_else(String::new, |map| map.name.clone());
        Err(SetError::Unused { name: value.name.clone(), section })
    }

    /// Each variable, and the index of its map.
    pub(super) fn targets(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|value| (value.name.as_str(), value.map))
    }

    /// Writes those of data section `map`; a section of zeros (`.bss`) is made to its full size first.
    pub(super) fn write_into(&self, map: usize, size: usize, data: &mut Vec<u8>) {
        for value in self.0.iter().filter(|value| value.map == map) {
            data.resize(size, 0);
            if let Some(place) = data.get_mut(value.offset..value.offset + value.bytes.len()) {
                place.copy_from_slice(&value.bytes);
            }
        }
    }
}

fn parse_one(spec: &Spec<'_>, name: &str, value: &str) -> Result<Value, SetError> {
    let data_maps = || spec.maps.iter().enumerate().filter(|(_, map)| matches!(map.origin, MapOrigin::Data { .. }));
    let variables =
        |map: &MapSpec| spec.object.symbols_in(map.place.section).filter(|symbol| symbol.kind == SymbolKind::Object);
    let found =
        data_maps().find_map(|(index, map)| Some((index, map, variables(map).find(|symbol| symbol.name == name)?)));
    let Some((index, map, symbol)) = found else {
        let known = data_maps().flat_map(|(_, map)| variables(map)).map(|symbol| symbol.name.to_string()).collect();
        return Err(SetError::Unknown { name: name.to_owned(), known });
    };
    let refuse = |problem: String| SetError::Value { name: name.to_owned(), value: value.to_owned(), problem };
    let end = symbol.value.saturating_add(symbol.size);
    if end > u64::from(map.attr.value_size) || map.attr.value_size as usize > MAX_VALUE {
        return Err(refuse(format!("section `{}` of {} bytes cannot be rewritten", map.name, map.attr.value_size)));
    }
    let btf = spec.btf.as_ref().ok_or_else(|| refuse("its type is unknown: compile with -g".to_owned()))?;
    let ty = btf
        .variable(map.attr.btf_value_type_id, name)
        .map(|(ty, _)| ty)
        .ok_or_else(|| refuse("its BTF has no type for it".to_owned()))?;
    // The symbol lies in the section, so from here on the type's size is no larger than that.
    let size = btf.size_of(ty).map_err(|e| refuse(e.to_string()))?;
    if size != symbol.size || size == 0 {
        return Err(refuse(format!("BTF says {size} bytes, the symbol {}", symbol.size)));
    }
    let bytes = encode(btf, ty, value).map_err(|error| refuse(error.to_string()))?;
    Ok(Value { name: name.to_owned(), map: index, offset: symbol.value as usize, bytes })
}
