//! The types of externs, as the kernel takes them.
//!
//! The kernel knows no externs: it refuses a variable or a function that is declared so. Since types only serve people here,
//! any harmless type will do:
//!
//! - variables of `.kconfig` become those of an ordinary data section, at the offsets that the map gives them;
//! - what `.ksyms` lists becomes an `int`, and the list itself, of which no section will ever be in memory, an anonymous
//!   struct of as many of them: it takes just as many bytes as the DATASEC, so that nothing else has to move;
//! - a function becomes a global one, and its parameters get a name, which the kernel wants: the function's own.
//!
//! Kernel: `btf_var_check_meta()`, `btf_func_check()`, `btf_datasec_check_meta()`, `kernel/bpf/btf.c`.

use crate::btf::{Btf, Kind, VarSecinfo};
use crate::spec::{ExternKind, Spec};

const BTF_KIND_STRUCT: u32 = 4;
const BTF_KIND_FUNC: u32 = 12;
/// BTF_VAR_GLOBAL_ALLOCATED, BTF_FUNC_GLOBAL.
const GLOBAL: u32 = 1;
/// Bytes of a type before what its kind calls for; of a DATASEC's variable, and of a struct's member.
const TYPE_SIZE: usize = 12;
const ENTRY_SIZE: usize = 12;
const PARAM_SIZE: usize = 8;

/// Rewrites them in `bytes`, a copy of the object's BTF.
pub(in super::super) fn rewrite(spec: &Spec<'_>, btf: &Btf<'_>, bytes: &mut [u8]) {
    if let Some((id, datasec)) = btf.datasec(".ksyms")
        && let Kind::Datasec { vars, .. } = datasec.kind
    {
        symbols(btf, id, &vars, bytes);
    }
    if let Some((id, datasec)) = btf.datasec(".kconfig")
        && let Kind::Datasec { vars, .. } = datasec.kind
    {
        config(spec, btf, id, vars, bytes);
    }
}

/// Variables of `.kconfig`: global ones of a data section.
fn config(spec: &Spec<'_>, btf: &Btf<'_>, id: u32, mut vars: Vec<VarSecinfo>, bytes: &mut [u8]) {
    let mut end = 0;
    for info in &mut vars {
        let name = btf.get(info.var).map_or("", |var| var.name);
        let external = spec.externs.iter().find(|external| external.name == name);
        if let Some(ExternKind::Config { offset, size, .. }) = external.map(|external| &external.kind) {
            (info.offset, info.size) = (*offset, *size);
            end = end.max(offset + size);
        }
        if let Some(at) = btf.section_offset(info.var) {
            write(bytes, at + TYPE_SIZE, GLOBAL);
        }
    }
    vars.sort_by_key(|info| info.offset);
    if let Some(at) = btf.section_offset(id) {
        crate::link::btf::write_datasec(bytes, at, end, &vars);
    }
}

/// The list of `.ksyms`, and what it lists.
fn symbols(btf: &Btf<'_>, id: u32, listed: &[VarSecinfo], bytes: &mut [u8]) {
    let int = btf.types().find(|(_, ty)| matches!(ty.kind, Kind::Int { size: 4, .. }));
    let (Some((int, _)), Some(list)) = (int, btf.section_offset(id)) else { return };
    write(bytes, list, 0);
    write(bytes, list + 4, BTF_KIND_STRUCT << 24 | listed.len() as u32);
    write(bytes, list + 8, 4 * listed.len() as u32);
    for (number, info) in listed.iter().enumerate() {
        let member = list + TYPE_SIZE + number * ENTRY_SIZE;
        write(bytes, member, 0);
        write(bytes, member + 4, int);
        write(bytes, member + 8, 32 * number as u32);
        let (Some(at), Ok(ty)) = (btf.section_offset(info.var), btf.get(info.var)) else { continue };
        match ty.kind {
            Kind::Var { .. } => {
                write(bytes, at + 8, int);
                write(bytes, at + TYPE_SIZE, GLOBAL);
            }
            Kind::Func { proto, .. } => function(btf, at, proto, bytes),
            _ => {}
        }
    }
}

/// A function at byte `at`, and the names of its parameters.
fn function(btf: &Btf<'_>, at: usize, proto: u32, bytes: &mut [u8]) {
    write(bytes, at + 4, BTF_KIND_FUNC << 24 | GLOBAL);
    let name = read(bytes, at);
    let (Some(start), Ok(ty)) = (btf.section_offset(proto), btf.get(proto)) else { return };
    let Kind::FuncProto { params, .. } = ty.kind else { return };
    for (number, param) in params.iter().enumerate() {
        let at = start + TYPE_SIZE + number * PARAM_SIZE;
        if *param != 0 && read(bytes, at) == 0 {
            write(bytes, at, name);
        }
    }
}

fn read(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
}

fn write(bytes: &mut [u8], at: usize, word: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}
