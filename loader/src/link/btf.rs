//! The object's types as the kernel wants them.
//!
//! clang writes `.BTF` before anybody knows where variables end up: a DATASEC has size 0, and its variables offset 0. The
//! loader fills in what the ELF file says, and sorts the variables, or the kernel refuses the whole.
//!
//! Kernel: `btf_datasec_check_meta()`, `kernel/bpf/btf.c`.

use std::collections::HashMap;

use super::linkage;
use crate::btf::{Btf, Kind, Linkage, Type, VarSecinfo, Words};
use crate::plan::BtfLoad;
use crate::spec::Spec;

const BTF_KIND_DATASEC: u32 = 15;
/// Bytes of a type before its variables, and of a variable.
const TYPE_SIZE: usize = 12;
const SECINFO_SIZE: usize = 12;

pub(super) fn for_upload(spec: &Spec<'_>, btf: &Btf<'_>) -> BtfLoad {
    let mut words = Words(btf.bytes().to_vec());
    for (id, ty) in btf.of_kinds(&[BTF_KIND_DATASEC]) {
        let Kind::Datasec { size, vars } = ty.kind else { continue };
        let Some(section) = spec.object.section_named(ty.name) else { continue };
        let globals = spec.object.symbols_in(section.index).filter(|symbol| !symbol.is_local);
        let globals: HashMap<&str, u64> = globals.map(|symbol| (symbol.name.as_ref(), symbol.value)).collect();
        let mut placed = Vec::with_capacity(vars.len());
        for info in vars {
            // The offset of a `static` variable is right already: its record names the section, whose value is 0.
            let value = match btf.get(info.var) {
                Ok(Type { kind: Kind::Var { linkage: Linkage::Static, .. }, .. }) | Err(_) => None,
                Ok(var) => globals.get(var.name),
            };
            let offset = value.and_then(|value| u32::try_from(*value).ok()).unwrap_or(info.offset);
            placed.push(VarSecinfo { offset, ..info });
        }
        placed.sort_by_key(|info| info.offset);
        let size = if size == 0 { u32::try_from(section.size).unwrap_or(u32::MAX) } else { size };
        if let Some(at) = btf.section_offset(id) {
            write_datasec(&mut words, at, size, &placed);
        }
    }
    linkage::rewrite(spec, btf, &mut words);
    BtfLoad { btf: words.0 }
}

/// Overwrites size and variables of the DATASEC at byte `at`.
pub(super) fn write_datasec(words: &mut Words, at: usize, size: u32, vars: &[VarSecinfo]) {
    words.set(at + 8, size);
    for (index, info) in vars.iter().enumerate() {
        let at = at + TYPE_SIZE + index * SECINFO_SIZE;
        words.set(at, info.var);
        words.set(at + 4, info.offset);
        words.set(at + 8, info.size);
    }
}
