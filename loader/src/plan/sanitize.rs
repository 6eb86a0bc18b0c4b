//! Types for a kernel that refused the object's: an older one does not know all kinds, and none takes a function whose
//! parameters have no names (clang leaves them out of some that take a register each).
//!
//! Each type that may be the reason becomes one that every kernel since 5.2 takes and that has the same size, in the section
//! and in memory. So no number changes, and nothing has to move:
//!
//! | kind | since | becomes |
//! | --- | --- | --- |
//! | FLOAT | 5.13 | a struct without members |
//! | `DECL_TAG` | 5.16 | an integer of one byte |
//! | `TYPE_TAG` | 5.17 | `const` |
//! | ENUM64 | 6.0 | a union of as many members as it has values |
//! | INT that is both signed and a character (gcc before 14) | | signed |
//! | FUNC without a name (gcc 12) | | `const void` |
//! | parameter without a name | | takes the function's |
//!
//! Kernel: `btf_check_all_metas()`, `btf_func_check()`, `kernel/bpf/btf.c`.

use super::BtfLoad;
use crate::btf::{Btf, Kind, Words};

const BTF_KIND_INT: u32 = 1;
const BTF_KIND_STRUCT: u32 = 4;
const BTF_KIND_UNION: u32 = 5;
const BTF_KIND_CONST: u32 = 10;
const BTF_KIND_ENUM64: u32 = 19;
/// An encoding of 8 bits, no sign.
const INT_OF_A_BYTE: u32 = 8;

/// Bytes before what a kind calls for; of an ENUM64's value, or a member of a union; of a parameter.
const TYPE_SIZE: usize = 12;
const ENTRY_SIZE: usize = 12;
const PARAM_SIZE: usize = 8;

impl BtfLoad {
    /// The same types without what a kernel may refuse; `None` if there is nothing of that kind.
    pub fn sanitized(&self) -> Option<Self> {
        let btf = Btf::parse(&self.btf).ok()?;
        let int = btf.types().find(|(_, ty)| matches!(ty.kind, Kind::Int { size: 1..=4, .. })).map_or(0, |(id, _)| id);
        let mut words = Words(self.btf.clone());
        for (id, ty) in btf.types() {
            let Some(at) = btf.section_offset(id) else { continue };
            match ty.kind {
                Kind::Int { .. } => words.set(at + TYPE_SIZE, one_encoding(words.get(at + TYPE_SIZE))),
                Kind::Float { .. } => words.set(at + 4, BTF_KIND_STRUCT << 24),
                Kind::DeclTag => {
                    words.set(at + 4, BTF_KIND_INT << 24);
                    words.set(at + 8, 1);
                    words.set(at + TYPE_SIZE, INT_OF_A_BYTE);
                }
                Kind::TypeTag(_) => {
                    words.set(at, 0);
                    words.set(at + 4, BTF_KIND_CONST << 24);
                }
                Kind::Enum { items, .. } if words.get(at + 4) >> 24 & 0x1f == BTF_KIND_ENUM64 => {
                    words.set(at + 4, BTF_KIND_UNION << 24 | items.len() as u32);
                    for member in (0..items.len()).map(|number| at + TYPE_SIZE + number * ENTRY_SIZE) {
                        words.set(member + 4, int);
                        words.set(member + 8, 0);
                    }
                }
                Kind::Func { .. } if ty.name.is_empty() => {
                    words.set(at + 4, BTF_KIND_CONST << 24);
                    words.set(at + 8, 0);
                }
                Kind::Func { proto, .. } => name_parameters(&btf, proto, words.get(at), &mut words),
                _ => {}
            }
        }
        (words.0 != self.btf).then_some(Self { btf: words.0 })
    }
}

/// The word of an INT with one encoding (bits 24 to 27: `BTF_INT_SIGNED`, `BTF_INT_CHAR`, `BTF_INT_BOOL`) at most, the lowest.
fn one_encoding(word: u32) -> u32 {
    let encoding = word >> 24 & 0xf;
    word & !(0xf << 24) | (encoding & encoding.wrapping_neg()) << 24
}

fn name_parameters(btf: &Btf<'_>, proto: u32, name: u32, words: &mut Words) {
    let (Some(at), Ok(ty)) = (btf.section_offset(proto), btf.get(proto)) else { return };
    let Kind::FuncProto { params, .. } = ty.kind else { return };
    for (number, param) in params.iter().enumerate() {
        let at = at + TYPE_SIZE + number * PARAM_SIZE;
        if *param != 0 && words.get(at) == 0 {
            words.set(at, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SIGNED, Types, kind};

    fn sanitized(make: impl Fn(&mut Types)) -> Option<Vec<u8>> {
        let mut types = Types::new();
        make(&mut types);
        BtfLoad { btf: types.build() }.sanitized().map(|load| load.btf)
    }

    /// Name and kind of each type after it.
    fn kinds(make: impl Fn(&mut Types)) -> Vec<(String, String)> {
        let bytes = sanitized(make).expect("something was replaced");
        let btf = Btf::parse(&bytes).unwrap();
        btf.types().map(|(_, ty)| (ty.name.to_owned(), format!("{:?}", ty.kind))).collect()
    }

    #[test]
    fn types_that_every_kernel_knows_stay_as_they_are() {
        assert_eq!(
            sanitized(|types| {
                let int = types.int("int", 4, SIGNED);
                types.enumeration("state", &[("ON", 1)]);
                types.ptr(int);
                types.func("filter");
            }),
            None
        );
    }

    #[test]
    fn younger_kinds_become_older_ones_of_the_same_size() {
        let kinds = kinds(|types| {
            let int = types.int("int", 4, SIGNED);
            types.add("double", kind::FLOAT, 0, 8, &[]);
            types.add("tag", 17, 0, int, &[u32::MAX]);
            types.add("user", kind::TYPE_TAG, 0, int, &[]);
            let big = types.string("BIG");
            types.add("wide", kind::ENUM64, 1, 8, &[big, 0, 1]);
        });
        let kind = |name: &str| kinds.iter().find(|(found, _)| found == name).unwrap().1.as_str();
        assert_eq!(kind("double"), "Struct { size: 8, members: [] }");
        assert_eq!(kind("tag"), "Int { size: 1, signed: false, boolean: false, bits: 8 }");
        assert_eq!(kind(""), "Const(1)");
        let member = "Member { name: \"BIG\", ty: 1, bit_offset: 0, bit_size: None }";
        assert_eq!(kind("wide"), format!("Union {{ size: 8, members: [{member}] }}"));
    }

    #[test]
    fn an_integer_has_one_encoding() {
        let kinds = kinds(|types| _ = types.int("char", 1, SIGNED | 2 << 24));
        assert_eq!(kinds[0].1, "Int { size: 1, signed: true, boolean: false, bits: 8 }");
        assert_eq!(one_encoding(3 << 24 | 8), 1 << 24 | 8);
        assert_eq!(one_encoding(4 << 24 | 8), 4 << 24 | 8);
    }

    #[test]
    fn a_function_without_a_name_is_none() {
        assert_eq!(kinds(|types| _ = types.func(""))[1].1, "Const(0)");
    }

    #[test]
    fn a_parameter_without_a_name_takes_the_functions() {
        let bytes = sanitized(|types| {
            let int = types.int("int", 4, SIGNED);
            let proto = types.add("", kind::FUNC_PROTO, 2, int, &[0, int, 0, 0]);
            types.add("filter", kind::FUNC, 0, proto, &[]);
        })
        .unwrap();
        let words = Words(bytes.clone());
        let btf = Btf::parse(&bytes).unwrap();
        let params = btf.section_offset(2).unwrap() + TYPE_SIZE;
        assert_eq!(btf.string(words.get(params)), Some("filter"));
        assert_eq!(words.get(params + PARAM_SIZE), 0, "of `...` the type is 0, and it has no name");
    }
}
