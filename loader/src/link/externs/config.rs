//! A line of the kernel's configuration → the bytes of a variable.

use crate::spec::{ConfigType, Extern, ExternKind};
use crate::target::Config;

/// Since 5.15: programs may have a cookie.
const BPF_COOKIE: u32 = 5 << 16 | 15 << 8;

/// The value of an extern, in as many bytes as it has; zeros for a weak one that the kernel does not have.
pub(super) fn value(external: &Extern, config: &Config) -> Result<Vec<u8>, String> {
    let ExternKind::Config { ty, size, .. } = external.kind else {
        return Err("it is no value of .kconfig".to_owned());
    };
    let size = size as usize;
    let text = match external.name.as_str() {
        "LINUX_KERNEL_VERSION" => Some(config.version.to_string()),
        "LINUX_HAS_BPF_COOKIE" => Some(flag(ty, config.version >= BPF_COOKIE)),
        "LINUX_HAS_SYSCALL_WRAPPER" => Some(flag(ty, config.has_syscall_wrapper)),
        name => config.options.get(name).cloned(),
    };
    match text {
        Some(text) => encode(&text, ty, size).map_err(|problem| format!("the kernel has {text}: {problem}")),
        None if external.is_weak => Ok(vec![0; size]),
        None if config.options.is_empty() => Err(format!("the kernel's configuration is not known: {}", config.source)),
        None => {
            let source = &config.source;
            Err(format!(
                "not set in this kernel's configuration ({source}); a program that can do without declares it __weak"
            ))
        }
    }
}

/// What the kernel can do, for a variable of any type.
fn flag(ty: ConfigType, is_set: bool) -> String {
    match (ty, is_set) {
        (ConfigType::Bool | ConfigType::Tristate, true) => "y".to_owned(),
        (ConfigType::Bool | ConfigType::Tristate, false) => "n".to_owned(),
        (_, is_set) => u32::from(is_set).to_string(),
    }
}

/// `y`, `1000` or `"text"` as a variable holds it, little-endian.
fn encode(text: &str, ty: ConfigType, size: usize) -> Result<Vec<u8>, String> {
    let little_endian = |number: i128| number.to_le_bytes().into_iter().take(size).collect();
    let letter = ["n", "y", "m"].iter().position(|letter| *letter == text);
    match (ty, letter) {
        (ConfigType::Bool, Some(number @ (0 | 1))) | (ConfigType::Tristate, Some(number)) => {
            Ok(little_endian(number as i128))
        }
        (ConfigType::Char { .. }, Some(_)) => Ok(text.as_bytes().to_vec()),
        (ConfigType::Text, None) => string(text, size),
        (ConfigType::Int { signed } | ConfigType::Char { signed }, None) => {
            let number = parse(text).ok_or("expected a number")?;
            let bits = 8 * size as u32;
            let (low, high) =
                if signed { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
            // 64 bits hold any number, as a sign may be read either way.
            if bits < 64 && !(low..=high).contains(&number) {
                return Err(format!("it does not fit into {size} bytes"));
            }
            Ok(little_endian(number))
        }
        (ConfigType::Bool, Some(_)) => Err("m wants enum libbpf_tristate or char".to_owned()),
        (ConfigType::Bool | ConfigType::Tristate, None) => Err("expected y, n or m".to_owned()),
        (ConfigType::Int { .. } | ConfigType::Text, Some(_)) => {
            Err("a letter wants bool, enum libbpf_tristate or char".to_owned())
        }
    }
}

/// A string without its quotes, cut so that a NUL follows.
fn string(text: &str, size: usize) -> Result<Vec<u8>, String> {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or("expected a string in quotes")?;
    let mut bytes: Vec<u8> = inner.bytes().take(size.saturating_sub(1)).collect();
    bytes.resize(size, 0);
    Ok(bytes)
}

/// A decimal, octal (`0…`) or hexadecimal (`0x…`) number with or without a sign.
fn parse(text: &str) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let number = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => u64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    number.ok().map(|number| if negative { -i128::from(number) } else { i128::from(number) })
}
