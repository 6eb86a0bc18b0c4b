//! `--set VAR=VALUE`: a global gets another value before the load, in the C type that its BTF gives it.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::btf::{Btf, Kind};
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
    let ty = variable_type(btf, map, name).ok_or_else(|| refuse("its BTF has no type for it".to_owned()))?;
    // The symbol lies in the section, so from here on the type's size is no larger than that.
    let size = btf.size_of(ty).map_err(|e| refuse(e.to_string()))?;
    if size != symbol.size || size == 0 {
        return Err(refuse(format!("BTF says {size} bytes, the symbol {}", symbol.size)));
    }
    let bytes = encode(btf, ty, value).map_err(refuse)?;
    Ok(Value { name: name.to_owned(), map: index, offset: symbol.value as usize, bytes })
}

/// The type of a variable of a data section.
fn variable_type(btf: &Btf<'_>, map: &MapSpec, name: &str) -> Option<u32> {
    let Kind::Datasec { vars, .. } = btf.get(map.attr.btf_value_type_id).ok()?.kind else { return None };
    vars.iter().find_map(|info| match btf.get(info.var).ok()? {
        var if var.name == name => match var.kind {
            Kind::Var { ty, .. } => Some(ty),
            _ => None,
        },
        _ => None,
    })
}

/// A value as written by a person → the bytes of its C type, little-endian.
fn encode(btf: &Btf<'_>, ty: u32, value: &str) -> Result<Vec<u8>, String> {
    let (_, ty) = btf.resolve(ty).map_err(|e| e.to_string())?;
    let (size, number) = match ty.kind {
        Kind::Int { size: 1, boolean: true, .. } => match value {
            "true" | "1" => return Ok(vec![1]),
            "false" | "0" => return Ok(vec![0]),
            _ => return Err("expected true or false".to_owned()),
        },
        Kind::Int { size, signed, .. } => (size, in_range(parse_number(value)?, size, signed)?),
        Kind::Enum { size, items } => match items.iter().find(|item| item.name == value) {
            Some(item) => (size, i128::from(item.value)),
            None => {
                let names: Vec<_> = items.iter().map(|item| item.name).collect();
                let number = parse_number(value).map_err(|_| format!("expected one of {}", names.join(", ")))?;
                (size, in_range(number, size, items.iter().any(|item| item.value < 0))?)
            }
        },
        Kind::Array(array) if btf.size_of(array.element) == Ok(1) => {
            let mut bytes = value.as_bytes().to_vec();
            let room = array.count as usize;
            if bytes.len() > room {
                return Err(format!("{} bytes, but it holds {room}", bytes.len()));
            }
            bytes.resize(room, 0);
            return Ok(bytes);
        }
        other => return Err(format!("{} cannot be set; integers, bools, enums and char arrays can", other.name())),
    };
    let too_large = || format!("it has {size} bytes, and only numbers of up to 16 can be set");
    number.to_le_bytes().get(..size as usize).map(<[u8]>::to_vec).ok_or_else(too_large)
}

fn parse_number(text: &str) -> Result<i128, String> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (radix, digits) = digits.strip_prefix("0x").map_or((10, digits), |hex| (16, hex));
    if radix == 10 && digits.len() > 1 && digits.starts_with('0') {
        return Err("a number that begins with 0 is octal in C; write it in decimal or as 0x…".to_owned());
    }
    // `from_str_radix` would take a sign of its own.
    let number = u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'));
    number.map(|number| sign * i128::from(number)).ok_or_else(|| "expected a number (decimal or 0x…)".to_owned())
}

fn in_range(number: i128, size: u32, signed: bool) -> Result<i128, String> {
    let bits = size.min(8) * 8;
    let (low, high) =
        if signed { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
    if number < low || number > high {
        return Err(format!("out of range {low} to {high}"));
    }
    Ok(number)
}
