//! A value as a person writes it → the bytes of its C type: what `--set` and keys on the command line take.
//!
//! Structs and arrays are written as they are printed: `{packets=1 bytes=60}`, `[1 2 3]`. What a struct does not name is zero.

use thiserror::Error;

use super::{Btf, EnumItem, Kind, MAX_DEPTH, Member};

/// Why a text is no value of a type: what was expected instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct EncodeError(String);

/// The largest value that is made, in bytes.
const LARGEST: u64 = 4 << 20;

impl Btf<'_> {
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
pub fn encode(btf: &Btf<'_>, ty: u32, value: &str) -> Result<Vec<u8>, EncodeError> {
    encode_at(btf, ty, value, MAX_DEPTH).map_err(EncodeError)
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
        Kind::Array(array)
            if btf.size_of(array.element) == Ok(1) && (is_char(btf, array.element) || !value.starts_with('[')) =>
        {
            characters(value, array.count)
        }
        Kind::Array(array) => {
            let elements = parts(value, '[', ']').ok_or("expected an array: [1 2 3]")?;
            if elements.len() != array.count as usize {
                return Err(format!("{} elements, but it holds {}", elements.len(), array.count));
            }
            let encoded = elements.iter().map(|element| encode_at(btf, array.element, element, depth));
            encoded.collect::<Result<Vec<_>, _>>().map(|elements| elements.concat())
        }
        Kind::Struct { members, .. } | Kind::Union { members, .. } => {
            let size = btf.size_of(id).map_err(|e| e.to_string())?;
            record(btf, &members, value, made(size)?, depth)
        }
        other => Err(format!(
            "{} cannot be written; integers, bools, enums, char arrays, and arrays and structs of them can",
            other.name()
        )),
    }
}

/// An array of bytes, as text; what it does not fill is zero.
fn characters(value: &str, room: u32) -> Result<Vec<u8>, String> {
    let mut bytes = text(value)?;
    if bytes.len() > room as usize {
        return Err(format!("{} bytes, but it holds {room}", bytes.len()));
    }
    bytes.resize(made(room.into())?, 0);
    Ok(bytes)
}

/// A struct or union of `size` bytes; a member without a name is written where a part without one stands.
fn record(btf: &Btf<'_>, members: &[Member<'_>], value: &str, size: usize, depth: usize) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; size];
    let mut unnamed = members.iter().filter(|member| member.name.is_empty());
    for part in parts(value, '{', '}').ok_or("expected a struct: {member=value member=value}")? {
        let (member, value) = if part.starts_with('{') {
            (unnamed.next().ok_or_else(|| format!("`{part}` belongs to no member"))?, part)
        } else {
            named(members, part)?
        };
        place(btf, member, value, &mut bytes, depth).map_err(|e| format!("`{}`: {e}", member.name))?;
    }
    Ok(bytes)
}

/// How many bytes are made for a type that says that it has so many.
fn made(size: u64) -> Result<usize, String> {
    match usize::try_from(size) {
        Ok(bytes) if size <= LARGEST => Ok(bytes),
        _ => Err(format!("it holds {size} bytes, and {LARGEST} are the most that is made")),
    }
}

/// A number without a type: decimal or `0x…`, signed where it has a minus, as `size` bytes.
///
/// # Errors
///
/// What was expected instead.
pub fn encode_number(size: u32, value: &str) -> Result<Vec<u8>, EncodeError> {
    let in_range = parse_number(value).and_then(|number| in_range(number, size, value.starts_with('-')));
    in_range.and_then(|number| bytes_of(number, size)).map_err(EncodeError)
}

/// `member=value`.
fn named<'m, 'data, 'v>(members: &'m [Member<'data>], part: &'v str) -> Result<(&'m Member<'data>, &'v str), String> {
    let (name, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not member=value"))?;
    let known =
        || members.iter().map(|member| member.name).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
    let member = members.iter().find(|member| member.name == name);
    Ok((member.ok_or_else(|| format!("no member `{name}`; there are: {}", known()))?, value))
}

/// Writes a member into its struct.
fn place(btf: &Btf<'_>, member: &Member<'_>, value: &str, bytes: &mut [u8], depth: usize) -> Result<(), String> {
    let at = member.bit_offset as usize / 8;
    let Some(bits) = member.bit_size.filter(|bits| *bits < 64) else {
        let encoded = encode_at(btf, member.ty, value, depth)?;
        let place = bytes.get_mut(at..at.saturating_add(encoded.len())).ok_or("it lies outside its struct")?;
        place.copy_from_slice(&encoded);
        return Ok(());
    };
    let encoded = encode_at(btf, member.ty, value, depth)?;
    let signed = btf.resolve(member.ty).is_ok_and(|(_, ty)| matches!(ty.kind, Kind::Int { signed: true, .. }));
    let is_negative = signed && encoded.last().is_some_and(|last| last & 0x80 != 0);
    let mut wide = [if is_negative { 0xff } else { 0 }; 16];
    wide.iter_mut().zip(&encoded).for_each(|(to, from)| *to = *from);
    let (number, mask) = (i128::from_le_bytes(wide), (1i128 << bits) - 1);
    let beyond = number >> if signed { bits.saturating_sub(1) } else { bits };
    if beyond != 0 && !(signed && beyond == -1) {
        return Err(format!("it has {bits} bits, which do not hold {value}"));
    }
    let shifted = ((number & mask) << (member.bit_offset % 8)).to_le_bytes();
    let holes = (mask << (member.bit_offset % 8)).to_le_bytes();
    for (to, (from, hole)) in bytes.iter_mut().skip(at).zip(shifted.iter().zip(holes)) {
        *to = *to & !hole | from;
    }
    Ok(())
}

fn is_char(btf: &Btf<'_>, ty: u32) -> bool {
    btf.resolve(ty).is_ok_and(|(_, ty)| ty.name == "char")
}

/// Text as it stands, or between quotation marks with the escapes that it is printed with.
fn text(value: &str) -> Result<Vec<u8>, String> {
    let Some(quoted) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Ok(value.as_bytes().to_vec());
    };
    let (mut bytes, mut rest) = (Vec::new(), quoted);
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let (escape, after) = rest.split_at_checked(1).ok_or("a backslash at the end")?;
        rest = after;
        bytes.push(match escape {
            "n" => b'\n',
            "r" => b'\r',
            "t" => b'\t',
            "0" => 0,
            "\\" | "\"" | "'" => *escape.as_bytes().first().unwrap_or(&0),
            "x" => {
                let (digits, after) = rest.split_at_checked(2).ok_or("expected two digits after \\x")?;
                rest = after;
                u8::from_str_radix(digits, 16).map_err(|_| "expected two hex digits after \\x")?
            }
            other => return Err(format!("`\\{other}` is no escape: \\n, \\r, \\t, \\0, \\\\, \\\" and \\xNN are")),
        });
    }
    Ok(bytes)
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

/// What stands between two brackets, parted where a space is neither in inner ones nor between quotation marks.
fn parts(text: &str, open: char, close: char) -> Option<Vec<&str>> {
    let inside = text.trim().strip_prefix(open)?.strip_suffix(close)?;
    let (mut depth, mut quoted, mut escaped) = (0i32, false, false);
    let split = inside.split(|c: char| {
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        if !quoted {
            depth += i32::from(matches!(c, '{' | '[')) - i32::from(matches!(c, '}' | ']'));
        }
        depth == 0 && !quoted && c.is_whitespace()
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
    if size == 0 {
        return Err("its type has no bytes".to_owned());
    }
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
            ("{{a=1}}", "`{a=1}` belongs to no member"),
            ("5", "expected a struct: {member=value member=value}"),
            ("{c=1}", "no member `c`; there are: a, b"),
            ("{a}", "`a` is not member=value"),
            ("{a=40000}", "`a`: out of range -32768 to 32767"),
            ("{b=[1]}", "`b`: 1 elements, but it holds 2"),
        ] {
            assert_eq!(encode(&btf, ty, wrong).unwrap_err().to_string(), why);
        }
    }
    #[test]
    fn every_value_is_read_back_as_it_is_printed() {
        let mut types = Types::new();
        let (int, char) = (types.int("int", 4, SIGNED), types.int("char", 1, SIGNED));
        let name = types.array(char, 6);
        let word = |types: &mut Types, kind: u32, members: &[(&str, u32, u32)], size: u32| {
            let rest: Vec<u32> = members.iter().flat_map(|(name, ty, at)| [types.string(name), *ty, *at]).collect();
            types.add("", kind, members.len(), size, &rest)
        };
        let bits =
            word(&mut types, kind::STRUCT | kind::FLAG, &[("low", int, 3 << 24), ("high", int, 13 << 24 | 3)], 4);
        let bytes = types.array(char, 4);
        let either = word(&mut types, kind::UNION, &[("w", int, 0), ("b", bytes, 0)], 4);
        let ty = word(&mut types, kind::STRUCT, &[("name", name, 0), ("", bits, 64), ("", either, 96)], 16);
        let built = types.build();
        let btf = Btf::parse(&built).unwrap();
        for number in 0..200u8 {
            let mut value: Vec<u8> =
                (0..16).map(|at: u8| number.wrapping_mul(37).wrapping_add(at.wrapping_mul(29))).collect();
            // Padding, bits that no member has, and what follows a NUL are not printed.
            let end = value.iter().take(6).position(|byte| *byte == 0).unwrap_or(6);
            value[end..8].fill(0);
            value[10..12].fill(0);
            // A union's parts overlap: what the last one leaves out is not seen.
            value[12..16].fill(b'a');
            let printed = crate::btf::value::read(&btf, ty, &value).to_string();
            assert_eq!(encode(&btf, ty, &printed), Ok(value), "{printed}");
        }
        assert_eq!(
            encode(&btf, ty, "{{low=4}}").unwrap_err().to_string(),
            "``: `low`: it has 3 bits, which do not hold 4"
        );
        assert_eq!(encode(&btf, name, "\"a\\"), Ok(b"\"a\\\0\0\0".to_vec()), "no closing mark: as it stands");
        assert!(encode(&btf, name, "\"\\q\"").is_err() && encode(&btf, name, "\"\\x1\"").is_err());
    }

    #[test]
    fn no_type_makes_a_value_of_more_than_four_mebibytes() {
        let mut types = Types::new();
        let char = types.int("char", 1, SIGNED);
        let chars = types.array(char, u32::MAX);
        let rest = [types.string("a"), char, 0];
        let large = types.add("large", kind::STRUCT, 1, 64 << 20, &rest);
        let bytes = types.build();
        let btf = Btf::parse(&bytes).unwrap();
        for (ty, value) in [(chars, "\"text\""), (large, "{a=1}")] {
            let error = encode(&btf, ty, value).unwrap_err();
            assert!(error.to_string().ends_with("4194304 are the most that is made"), "{error}");
        }
    }
}
