//! What the fuzzers found, by name.

use minibpf::btf::{Btf, encode};

/// `.BTF` with one integer without bytes.
const NO_BYTES: [&[u8]; 4] = [
    &[0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 3, 0, 0, 0],
    &[1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
    &[0, 0, 0, 1],
    b"\0a\0",
];

#[test]
fn an_integer_without_bytes_takes_no_value() {
    let bytes = NO_BYTES.concat();
    let btf = Btf::parse(&bytes).unwrap();
    for value in ["-1", "0", "5"] {
        assert_eq!(encode::encode(&btf, 1, value).unwrap_err().to_string(), "its type has no bytes");
    }
}
