//! A function's signature in C, from its BTF, as bpftool writes it above the function's first instruction.

use crate::btf::{Btf, Kind, MAX_DEPTH};

/// Longer signatures are not written; bpftool has room for as many bytes.
const LONGEST: usize = 1023;
/// Bytes of `struct btf_type`, after which the parameters stand, and of `struct btf_param`.
const TYPE_SIZE: usize = 12;
const PARAM_SIZE: usize = 8;

/// `int count(struct __sk_buff * skb)`; `None` of what is no type that can be written, or too long.
pub fn signature(btf: &Btf<'_>, func: u32) -> Option<String> {
    let mut text = String::new();
    write(btf, func, &mut text, MAX_DEPTH)?;
    Some(text)
}

/// Appends a type with a space after it, or a function.
fn write(btf: &Btf<'_>, id: u32, text: &mut String, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let ty = btf.get(id).ok()?;
    match ty.kind {
        Kind::Void => push(text, &["void "]),
        Kind::Int { .. } | Kind::Typedef(_) | Kind::Float { .. } => push(text, &[ty.name, " "]),
        Kind::Struct { .. } | Kind::Fwd { is_union: false } => push(text, &["struct ", ty.name, " "]),
        Kind::Union { .. } | Kind::Fwd { is_union: true } => push(text, &["union ", ty.name, " "]),
        Kind::Enum { .. } => push(text, &["enum ", ty.name, " "]),
        Kind::Array(array) => {
            write(btf, array.element, text, depth)?;
            push(text, &["[", &array.count.to_string(), "]"])
        }
        Kind::Ptr(to) => {
            write(btf, to, text, depth)?;
            push(text, &["* "])
        }
        Kind::Volatile(of) => push(text, &["volatile "]).and_then(|()| write(btf, of, text, depth)),
        Kind::Const(of) => push(text, &["const "]).and_then(|()| write(btf, of, text, depth)),
        Kind::Restrict(of) => push(text, &["restrict "]).and_then(|()| write(btf, of, text, depth)),
        Kind::TypeTag(of) => write(btf, of, text, depth),
        Kind::FuncProto { .. } => function(btf, id, "", text, depth),
        Kind::Func { proto, .. } => function(btf, proto, ty.name, text, depth),
        Kind::Var { .. } | Kind::Datasec { .. } | Kind::DeclTag => None,
    }
}

fn function(btf: &Btf<'_>, proto: u32, name: &str, text: &mut String, depth: usize) -> Option<()> {
    let Kind::FuncProto { ret, params } = btf.get(proto).ok()?.kind else { return None };
    write(btf, ret, text, depth)?;
    push(text, &[name, "("])?;
    for (number, param) in params.iter().enumerate() {
        if number > 0 {
            push(text, &[", "])?;
        }
        if *param == 0 {
            push(text, &["..."])?;
            continue;
        }
        write(btf, *param, text, depth)?;
        match param_name(btf, proto, number) {
            "" => text.truncate(text.trim_end_matches(' ').len()),
            name => push(text, &[name])?,
        }
    }
    push(text, &[")"])
}

fn param_name<'data>(btf: &Btf<'data>, proto: u32, number: usize) -> &'data str {
    let name = || {
        let at = btf.section_offset(proto)? + TYPE_SIZE + number * PARAM_SIZE;
        let word = btf.bytes().get(at..)?.first_chunk()?;
        btf.string(u32::from_le_bytes(*word))
    };
    name().unwrap_or("")
}

/// Appends words, as long as there is room.
fn push(text: &mut String, words: &[&str]) -> Option<()> {
    text.extend(words.iter().copied());
    (text.len() <= LONGEST).then_some(())
}
