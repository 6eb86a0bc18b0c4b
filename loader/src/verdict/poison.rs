//! Helper numbers that are nobody's, which loaders write in place of what the kernel does not have. Should the program get
//! there, the verifier refuses it; the number tells which loader it was, and what was missing.

/// What a poisoned call stands for, and whose number it is.
pub fn meaning(number: i64) -> Option<&'static str> {
    POISONS.iter().find(|poison| (poison.first..=poison.last).contains(&number)).map(|poison| poison.means)
}

struct Poison {
    first: i64,
    last: i64,
    means: &'static str,
}

const fn poison(first: i64, last: i64, means: &'static str) -> Poison {
    Poison { first, last, means }
}

/// Sources: libbpf, `src/relo_core.c` (`bpf_core_poison_insn()`) and `src/libbpf.c` (`POISON_LDIMM64_MAP_BASE`,
/// `POISON_CALL_KFUNC_BASE`); cilium/ebpf, `asm/instruction.go` and `linker.go`.
const POISONS: [Poison; 4] = [
    poison(
        0x0bad_2310,
        0x0bad_2310,
        "0xbad2310: a CO-RE relocation found no such field, type or enum value in the kernel",
    ),
    poison(0x0ded_c0de, 0x0ded_c0de, "0xdedc0de: cilium/ebpf's mark for a function that the kernel does not have"),
    poison(2_001_000_000, 2_001_999_999, "2001000000 and more: libbpf's mark for a map that was not created"),
    poison(
        2_002_000_000,
        2_002_999_999,
        "2002000000 and more: libbpf's mark for a weak function that the kernel does not have",
    ),
];

#[cfg(test)]
mod tests {
    use super::meaning;

    #[test]
    fn every_loaders_poison_is_told_from_a_helper() {
        for (number, words) in
            [(195_896_080, "CO-RE"), (0x0ded_c0de, "cilium"), (2_001_000_003, "map"), (2_002_000_000, "weak function")]
        {
            assert!(meaning(number).is_some_and(|means| means.contains(words)), "{number}");
        }
        assert_eq!((meaning(9999), meaning(-1)), (None, None));
    }
}
