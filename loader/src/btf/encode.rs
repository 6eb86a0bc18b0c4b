//! A value as a person writes it → the bytes of its C type: what `--set` and keys on the command line take.
//!
//! Structs and arrays are written as they are printed: `{packets=1 bytes=60}`, `[1 2 3]`. What a struct does not name is zero.

use super::{Btf, EnumItem, Kind, MAX_DEPTH};

/// The largest value that is made, in bytes.
const LARGEST: usize = 64 << 20;

impl<'data> Btf<'data> {
    /// Type and offset (in bytes) of a variable of a data section, whose DATASEC has the number `section`.
    pub fn variable(&self, section: u32, name: &str) -> Option<(u32, u32)> {
        let Kind::Datasec { vars, .. } = self.get(section).ok()?.kind else { return None };
        vars.iter().find_map(|info| match self.get(info.var).ok()? {
            var if var.name == name => match var.kind {
                Kind::Var { ty, .. } => Some((ty, info.offset)),
                _ => None,
            },
            _ => None,
        })
    }
}

/// Little-endian, as many bytes as the type has.
///
/// # Errors
///
/// What was expected instead.
pub fn encode(btf: &Btf<'_>, ty: u32, value: &str) -> Result<Vec<u8>, String> {
    encode_at(btf, ty, value, MAX_DEPTH)
}

fn encode_at(btf: &Btf<'_>, ty: u32, value: &str, depth: usize) -> Result<Vec<u8>, String> {
    let depth = depth.checked_sub(1).ok_or("its type is nested too deeply")?;
    let (id, ty) = btf.resolve(ty).map_err(|e| e.to_string())?;
    match ty.kind {
        Kind::Int { size: 1, boolean: true, .. } => match value {
            "true" | "1" => Ok(vec![1]),
            "false" | "0" => Ok(vec![0]),
            _ => Err("expected true or false".to_owned()),
        },
        Kind::Int { size, signed, .. } => bytes_of(in_range(parse_number(value)?, size, signed)?, size),
        Kind::Enum { size, items } => bytes_of(enumerator(&items, size, value)?, size),
        Kind::Array(array) if btf.size_of(array.element) == Ok(1) && !value.starts_with('[') => {
            let mut bytes = value.as_bytes().to_vec();
            let room = array.count as usize;
            if bytes.len() > room {
                return Err(format!("{} bytes, but it holds {room}", bytes.len()));
            }
            if room > LARGEST {
                return Err(format!("it holds {room} bytes, and {LARGEST} are the most that is made"));
            }
            bytes.resize(room, 0);
            Ok(bytes)
        }
        Kind::Array(array) => {
            let elements = parts(value, '[', ']').ok_or("expected an array: [1 2 3]")?;
            if elements.len() != array.count as usize {
                return Err(format!("{} elements, but it holds {}", elements.len(), array.count));
            }
            let encoded = elements.iter().map(|element| encode_at(btf, array.element, element, depth));
            encoded.collect::<Result<Vec<_>, _>>().map(|elements| elements.concat())
        }
        Kind::Struct { members, .. } => {
            let size = btf.size_of(id).map_err(|e| e.to_string())?;
            let mut bytes = vec![0; usize::try_from(size).map_or(LARGEST, |size| size.min(LARGEST))];
            for part in parts(value, '{', '}').ok_or("expected a struct: {member=value member=value}")? {
                let (name, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not member=value"))?;
                let known = || members.iter().map(|member| member.name).collect::<Vec<_>>().join(", ");
                let member = members.iter().find(|member| member.name == name);
                let member = member.ok_or_else(|| format!("no member `{name}`; there are: {}", known()))?;
                if member.bit_size.is_some() {
                    return Err(format!("`{name}` is a bit field, which cannot be written by itself"));
                }
                let encoded = encode_at(btf, member.ty, value, depth).map_err(|e| format!("`{name}`: {e}"))?;
                let at = member.bit_offset as usize / 8;
                let place = bytes.get_mut(at..at + encoded.len()).ok_or("a member lies outside its struct")?;
                place.copy_from_slice(&encoded);
            }
            Ok(bytes)
        }
        other => Err(format!(
            "{} cannot be set; integers, bools, enums, char arrays, and arrays and structs of them can",
            other.name()
        )),
    }
}

/// A number without a type: decimal or `0x…`, signed where it has a minus, as `size` bytes.
///
/// # Errors
///
/// What was expected instead.
pub fn encode_number(size: u32, value: &str) -> Result<Vec<u8>, String> {
    bytes_of(in_range(parse_number(value)?, size, value.starts_with('-'))?, size)
}

fn bytes_of(number: i128, size: u32) -> Result<Vec<u8>, String> {
    let too_large = || format!("it has {size} bytes, and only numbers of up to 16 can be set");
    number.to_le_bytes().get(..size as usize).map(<[u8]>::to_vec).ok_or_else(too_large)
}

fn enumerator(items: &[EnumItem<'_>], size: u32, value: &str) -> Result<i128, String> {
    if let Some(item) = items.iter().find(|item| item.name == value) {
        return Ok(item.value.into());
    }
    let names: Vec<_> = items.iter().map(|item| item.name).collect();
    let number = parse_number(value).map_err(|_| format!("expected one of {}", names.join(", ")))?;
    in_range(number, size, items.iter().any(|item| item.value < 0))
}

/// What stands between two brackets, parted where a space is in no inner ones.
fn parts(text: &str, open: char, close: char) -> Option<Vec<&str>> {
    let inside = text.trim().strip_prefix(open)?.strip_suffix(close)?;
    let mut depth = 0i32;
    let split = inside.split(|c: char| {
        depth += i32::from(matches!(c, '{' | '[')) - i32::from(matches!(c, '}' | ']'));
        depth == 0 && c.is_whitespace()
    });
    Some(split.filter(|part| !part.is_empty()).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SIGNED, Types, kind};

    #[test]
    fn structs_and_arrays_are_written_as_they_are_printed() {
        let mut types = Types::new();
        let short = types.int("short", 2, SIGNED);
        let pair = types.array(short, 2);
        let rest = [types.string("a"), short, 0, types.string("b"), pair, 16];
        let ty = types.add("s", kind::STRUCT, 2, 6, &rest);
        let built = types.build();
        let btf = Btf::parse(&built).unwrap();
        assert_eq!(encode(&btf, ty, "{a=-1 b=[2 0x103]}"), Ok(vec![0xff, 0xff, 2, 0, 3, 1]));
        assert_eq!(encode(&btf, ty, "{ b=[ 1 2 ] }"), Ok(vec![0, 0, 1, 0, 2, 0]));
        for (wrong, why) in [
            ("5", "expected a struct: {member=value member=value}"),
            ("{c=1}", "no member `c`; there are: a, b"),
            ("{a}", "`a` is not member=value"),
            ("{a=40000}", "`a`: out of range -32768 to 32767"),
            ("{b=[1]}", "`b`: 1 elements, but it holds 2"),
        ] {
            assert_eq!(encode(&btf, ty, wrong), Err(why.to_owned()));
        }
    }
}
