//! `.BTF`, built type by type.

/// The kinds of `enum btf_kind` that the builders and the tests use.
pub(crate) mod kind {
    pub(crate) const INT: u32 = 1;
    pub(crate) const PTR: u32 = 2;
    pub(crate) const ARRAY: u32 = 3;
    pub(crate) const STRUCT: u32 = 4;
    pub(crate) const UNION: u32 = 5;
    pub(crate) const ENUM: u32 = 6;
    pub(crate) const FWD: u32 = 7;
    pub(crate) const TYPEDEF: u32 = 8;
    pub(crate) const VOLATILE: u32 = 9;
    pub(crate) const CONST: u32 = 10;
    pub(crate) const RESTRICT: u32 = 11;
    pub(crate) const FUNC: u32 = 12;
    pub(crate) const FUNC_PROTO: u32 = 13;
    pub(crate) const VAR: u32 = 14;
    pub(crate) const DATASEC: u32 = 15;
    pub(crate) const FLOAT: u32 = 16;
    pub(crate) const TYPE_TAG: u32 = 18;
    pub(crate) const ENUM64: u32 = 19;
    /// `kind_flag`: bit 31 of info, here as the kind's bit 7.
    pub(crate) const FLAG: u32 = 0x80;
}

/// `BTF_INT_SIGNED` in an integer's last word.
pub(crate) const SIGNED: u32 = 1 << 24;
/// `BTF_INT_BOOL` in an integer's last word.
pub(crate) const BOOL: u32 = 4 << 24;
/// `BTF_VAR_STATIC`.
pub(crate) const STATIC: u32 = 0;
/// `BTF_VAR_GLOBAL_ALLOCATED`.
pub(crate) const GLOBAL: u32 = 1;
/// `BTF_VAR_GLOBAL_EXTERN`, `BTF_FUNC_EXTERN`.
pub(crate) const EXTERN: u32 = 2;

/// Puts the 24 bytes of a header before types and strings.
pub(crate) fn btf_section(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let types_len = (types.len() * 4) as u32;
    let header = [0x0001_eb9f, 24, 0, types_len, types_len, strings.len() as u32];
    let words = header.iter().chain(types).flat_map(|word| word.to_le_bytes());
    words.chain(strings.iter().copied()).collect()
}

/// A growing `.BTF` section; each function returns the number of the type that it adds.
pub(crate) struct Types {
    words: Vec<u32>,
    strings: Vec<u8>,
    count: u32,
}

impl Types {
    pub(crate) fn new() -> Self {
        Self { words: Vec::new(), strings: vec![0], count: 0 }
    }

    pub(crate) fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let offset = self.strings.len() as u32;
        self.strings.extend(text.bytes().chain([0]));
        offset
    }

    /// `struct btf_type`, then what the kind calls for.
    pub(crate) fn add(&mut self, name: &str, kind: u32, vlen: usize, size_or_type: u32, rest: &[u32]) -> u32 {
        let name = self.string(name);
        self.words.extend([name, kind << 24 | vlen as u32, size_or_type]);
        self.words.extend(rest);
        self.count += 1;
        self.count
    }

    /// `encoding`: 0, [`SIGNED`] or [`BOOL`].
    pub(crate) fn int(&mut self, name: &str, size: u32, encoding: u32) -> u32 {
        self.add(name, kind::INT, 0, size, &[encoding | (size * 8)])
    }

    pub(crate) fn ptr(&mut self, to: u32) -> u32 {
        self.add("", kind::PTR, 0, to, &[])
    }

    pub(crate) fn array(&mut self, element: u32, count: u32) -> u32 {
        self.add("", kind::ARRAY, 0, 0, &[element, 0, count])
    }

    /// A struct of pointers, as map definitions are: name and type of each member.
    pub(crate) fn pointers(&mut self, members: &[(&str, u32)]) -> u32 {
        let mut rest = Vec::new();
        for (number, (name, ty)) in members.iter().enumerate() {
            rest.extend([self.string(name), *ty, number as u32 * 64]);
        }
        self.add("", kind::STRUCT, members.len(), members.len() as u32 * 8, &rest)
    }

    /// An enum of 32 bits.
    pub(crate) fn enumeration(&mut self, name: &str, items: &[(&str, i32)]) -> u32 {
        let mut rest = Vec::new();
        for (name, value) in items {
            rest.extend([self.string(name), value.cast_unsigned()]);
        }
        let flag = if items.iter().any(|(_, value)| *value < 0) { kind::FLAG } else { 0 };
        self.add(name, kind::ENUM | flag, items.len(), 4, &rest)
    }

    /// `linkage`: [`STATIC`], [`GLOBAL`] or [`EXTERN`].
    pub(crate) fn var(&mut self, name: &str, ty: u32, linkage: u32) -> u32 {
        self.add(name, kind::VAR, 0, ty, &[linkage])
    }

    /// As clang writes it: of size 0; each variable with its number, offset and size.
    pub(crate) fn datasec(&mut self, name: &str, vars: &[[u32; 3]]) -> u32 {
        self.add(name, kind::DATASEC, vars.len(), 0, &vars.concat())
    }

    /// `int name(void)`.
    pub(crate) fn func(&mut self, name: &str) -> u32 {
        let proto = self.add("", kind::FUNC_PROTO, 0, 0, &[]);
        self.add(name, kind::FUNC, 0, proto, &[])
    }

    /// `int (*)[n]`: how a map definition hides a number.
    pub(crate) fn number(&mut self, n: u32) -> u32 {
        let array = self.array(0, n);
        self.ptr(array)
    }

    /// `.maps` with global maps of 32 bytes each, one after the other: name and type.
    pub(crate) fn maps(&mut self, maps: &[(&str, u32)]) -> u32 {
        let mut vars = Vec::new();
        for (number, (name, ty)) in maps.iter().enumerate() {
            vars.push([self.var(name, *ty, GLOBAL), number as u32 * 32, 32]);
        }
        self.datasec(".maps", &vars)
    }

    /// The section.
    pub(crate) fn build(&self) -> Vec<u8> {
        btf_section(&self.words, &self.strings)
    }
}
