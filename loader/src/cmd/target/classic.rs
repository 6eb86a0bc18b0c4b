//! A classic filter in one line: `4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0`, as iptables -m bpf --bytecode has it.
//!
//! First the number of instructions, then each as code, jt, jf and k, all in decimal. tcpdump -ddd prints the same on lines.

use std::str::FromStr;

use minibpf::sys::filter::ClassicInsn;

/// Instructions, as an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytecode(pub(crate) Vec<ClassicInsn>);

impl FromStr for Bytecode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.trim_end_matches(',').split(',');
        let count: usize =
            parts.next().and_then(|count| count.trim().parse().ok()).ok_or("expected COUNT,CODE JT JF K,…")?;
        let insns =
            parts.map(insn).collect::<Option<Vec<_>>>().ok_or("an instruction is four numbers: CODE JT JF K")?;
        if insns.len() == count {
            Ok(Self(insns))
        } else {
            Err(format!("{count} instructions are announced, and {} follow", insns.len()))
        }
    }
}

fn insn(text: &str) -> Option<ClassicInsn> {
    let words: Vec<_> = text.split_whitespace().collect();
    let [code, jt, jf, k] = words.as_slice() else { return None };
    Some(ClassicInsn { code: code.parse().ok()?, jt: jt.parse().ok()?, jf: jf.parse().ok()?, k: k.parse().ok()? })
}

impl std::fmt::Display for Bytecode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.len())?;
        self.0.iter().try_for_each(|ClassicInsn { code, jt, jf, k }| write!(f, ",{code} {jt} {jf} {k}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "2,48 0 0 4294967295,6 0 0 0";
        assert_eq!(text.parse::<Bytecode>().unwrap().to_string(), text);
        for wrong in ["", "x", "1", "2,6 0 0 0", "1,6 0 0", "1,6 0 0 0 0", "1,65536 0 0 0", "1,6 256 0 0"] {
            assert!(wrong.parse::<Bytecode>().is_err(), "{wrong}");
        }
    }
}
