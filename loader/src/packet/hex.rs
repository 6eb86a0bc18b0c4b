//! Bytes as people write them.

use super::PacketError;

/// Hex digits → bytes. Blanks, colons and an `0x` in front are allowed: what tcpdump, Wireshark and bpftool print can be pasted.
///
/// # Errors
///
/// A character that is none of these, with its position from 0; an odd number of digits; more than `limit` bytes.
pub fn parse(text: &str, limit: usize) -> Result<Vec<u8>, PacketError> {
    read(text, limit).map_err(PacketError)
}

fn read(text: &str, limit: usize) -> Result<Vec<u8>, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let skipped = text.len() - digits.len();
    let mut bytes = Vec::new();
    let mut high = None;
    for (at, c) in digits.char_indices().filter(|(_, c)| !c.is_whitespace() && *c != ':') {
        let digit =
            c.to_digit(16).ok_or_else(|| format!("`{}` at {} is no hex digit", c.escape_default(), at + skipped))?
                as u8;
        match high.take() {
            None => high = Some(digit),
            Some(first) => bytes.push(first << 4 | digit),
        }
        if bytes.len() > limit {
            return Err(format!("more than {limit} bytes"));
        }
    }
    match high {
        None => Ok(bytes),
        Some(_) => Err(format!("an odd number of hex digits: the last byte, {}, is half a one", bytes.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_as_tools_print_it() {
        for text in ["45000014", "45 00 00 14", "45:00:00:14", "0x45000014", " 4500\n0014\n"] {
            assert_eq!(parse(text, 4), Ok(vec![0x45, 0, 0, 0x14]), "{text}");
        }
        assert_eq!(parse("", 4), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_hex_is_named_with_its_place() {
        assert_eq!(parse("45zz", 4).unwrap_err().to_string(), "`z` at 2 is no hex digit");
        assert_eq!(parse("0x4g", 4).unwrap_err().to_string(), "`g` at 3 is no hex digit");
        assert!(parse("455", 4).unwrap_err().to_string().contains("odd number"));
        assert_eq!(parse("4500001400", 4).unwrap_err().to_string(), "more than 4 bytes");
        assert!(parse("\u{1b}", 4).unwrap_err().to_string().contains("u{1b}"), "escapes are not printed as they are");
    }
}
