//! `/proc/kallsyms` by address: the names of what a program calls.

/// The kernel's symbols.
#[derive(Debug, Clone, Default)]
pub struct Kallsyms {
    /// By address, then as the file has them.
    symbols: Vec<(u64, String)>,
    /// The address of `__bpf_call_base`, from which a call's immediate counts; 0 where addresses are hidden.
    call_base: u64,
}

impl Kallsyms {
    /// Reads the file's text: address, kind, name and perhaps a module in a line. Where the kernel hides addresses
    /// (`kernel.kptr_restrict`, no `CAP_SYSLOG`), every one is 0, and no name is found.
    pub fn parse(text: &str) -> Self {
        let mut all = Self::default();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(address), Some(_kind), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
            let Ok(address @ 1..) = u64::from_str_radix(address, 16) else { continue };
            if name == "__bpf_call_base" {
                all.call_base = address;
            }
            all.symbols.push((address, name.to_owned()));
        }
        all.symbols.sort_by_key(|(address, _)| *address);
        all
    }

    /// The symbol at exactly this address; of several the first.
    pub fn at(&self, address: u64) -> Option<&str> {
        let first = self.symbols.partition_point(|(other, _)| *other < address);
        self.symbols.get(first).filter(|(other, _)| *other == address).map(|(_, name)| name.as_str())
    }

    /// The address that a call's immediate stands for.
    pub fn called(&self, imm: i32) -> u64 {
        self.call_base.wrapping_add_signed(imm.into())
    }

    /// The function that a call's immediate stands for.
    pub fn callee(&self, imm: i32) -> Option<&str> {
        self.at(self.called(imm)).filter(|_| self.call_base != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "ffffffff81000100 T __bpf_call_base\nffffffff81000180 T bpf_skb_load_bytes\n\
        ffffffff81000080 t before [module]\nffffffff81000180 t an_alias\nnonsense\n";

    #[test]
    fn a_call_counts_from_the_base_in_both_directions() {
        let symbols = Kallsyms::parse(TEXT);
        assert_eq!((symbols.callee(0x80), symbols.callee(-0x80)), (Some("bpf_skb_load_bytes"), Some("before")));
        assert_eq!((symbols.callee(1), symbols.called(1)), (None, 0xffff_ffff_8100_0101));
    }

    #[test]
    fn where_addresses_are_hidden_there_is_no_name() {
        let hidden = Kallsyms::parse("0000000000000000 T __bpf_call_base\n0000000000000000 T bpf_skb_load_bytes\n");
        assert_eq!((hidden.callee(0), hidden.called(-1), hidden.at(0)), (None, u64::MAX, None));
    }
}
