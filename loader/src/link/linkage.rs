//! Who may refer to what: linkage in the object's types, as the kernel takes it.
//!
//! The kernel knows two kinds of variable and function: those of this object alone (static), and global ones. Two more
//! are the linker's business, and it settles them in the types:
//!
//! - what is `__hidden` no other object may refer to, so it becomes static. That matters for functions: the verifier checks
//!   a global one by itself, for any arguments of its types, and a static one for what its callers pass. And a data section of
//!   static variables only is not for user space to map;
//! - what is extern becomes global, for the kernel refuses types that declare without defining. Since types only serve
//!   people here, any harmless type will do: variables of `.kconfig` are placed as the map has them; one of `.ksyms` becomes an
//!   `int`, and the list itself, of which no section will ever be in memory, an anonymous struct of as many: it takes just as
//!   many bytes as the DATASEC, so that nothing else has to move; a function's parameters get a name, which the kernel wants.
//!
//! Kernel: `btf_var_check_meta()`, `btf_func_check()`, `btf_datasec_check_meta()`, `kernel/bpf/btf.c`; `check_func_call()`,
//! `kernel/bpf/verifier.c`.

use std::collections::HashSet;

use super::btf::write_datasec;
use crate::btf::{Btf, Kind, Linkage, VarSecinfo, Words};
use crate::elf::SymbolKind;
use crate::spec::{ExternKind, Spec};

const BTF_KIND_INT: u32 = 1;
const BTF_KIND_STRUCT: u32 = 4;
const BTF_KIND_FUNC: u32 = 12;
const BTF_KIND_VAR: u32 = 14;
const BTF_KIND_DATASEC: u32 = 15;
/// `BTF_VAR_STATIC`, `BTF_FUNC_STATIC`.
const STATIC: u32 = 0;
/// `BTF_VAR_GLOBAL_ALLOCATED`, `BTF_FUNC_GLOBAL`.
const GLOBAL: u32 = 1;
/// Bytes of a type before what its kind calls for; of a DATASEC's variable, and of a struct's member.
const TYPE_SIZE: usize = 12;
const ENTRY_SIZE: usize = 12;
const PARAM_SIZE: usize = 8;

/// Settles the linkage in `words`, a copy of the object's BTF.
pub(super) fn rewrite(spec: &Spec<'_>, btf: &Btf<'_>, words: &mut Words) {
    let hidden = Hidden::of(spec);
    let mut numbers = btf.of_kinds(&[BTF_KIND_INT]);
    let int = numbers.find(|(_, ty)| matches!(ty.kind, Kind::Int { size: 4, .. })).map(|(id, _)| id);
    for (id, ty) in btf.of_kinds(&[BTF_KIND_FUNC, BTF_KIND_VAR, BTF_KIND_DATASEC]) {
        let Some(at) = btf.section_offset(id) else { continue };
        match ty.kind {
            Kind::Func { linkage: Linkage::Global, .. } if hidden.functions.contains(ty.name) => {
                words.set(at + 4, BTF_KIND_FUNC << 24 | STATIC);
            }
            Kind::Func { proto, linkage: Linkage::Extern } => function(btf, at, proto, words),
            Kind::Var { linkage: Linkage::Global, .. } if hidden.variables.contains(ty.name) => {
                words.set(at + TYPE_SIZE, STATIC);
            }
            Kind::Var { linkage: Linkage::Extern, .. } => words.set(at + TYPE_SIZE, GLOBAL),
            Kind::Datasec { vars, .. } if ty.name == ".kconfig" => config(spec, btf, at, vars, words),
            Kind::Datasec { vars, .. } if ty.name == ".ksyms" => symbols(btf, at, int, &vars, words),
            _ => {}
        }
    }
}

/// The names of what is `__hidden`.
struct Hidden<'a> {
    /// But for the programs: those are called by the kernel.
    functions: HashSet<&'a str>,
    variables: HashSet<&'a str>,
}

impl<'a> Hidden<'a> {
    fn of(spec: &'a Spec<'_>) -> Self {
        let hidden = |kind| {
            let symbols = spec.object.symbols.iter().filter(move |symbol| symbol.is_hidden && symbol.kind == kind);
            symbols.map(|symbol| symbol.name.as_ref())
        };
        let mut functions: HashSet<_> = hidden(SymbolKind::Func).collect();
        for program in spec.programs(None) {
            functions.remove(program.function.name.as_str());
        }
        Self { functions, variables: hidden(SymbolKind::Object).collect() }
    }
}

/// Variables of `.kconfig`: global ones of a data section.
fn config(spec: &Spec<'_>, btf: &Btf<'_>, at: usize, mut vars: Vec<VarSecinfo>, words: &mut Words) {
    let mut end = 0;
    for info in &mut vars {
        let name = btf.get(info.var).map_or("", |var| var.name);
        let external = spec.externs.iter().find(|external| external.name == name);
        if let Some(ExternKind::Config { offset, size, .. }) = external.map(|external| &external.kind) {
            (info.offset, info.size) = (*offset, *size);
            end = end.max(offset + size);
        }
    }
    vars.sort_by_key(|info| info.offset);
    write_datasec(words, at, end, &vars);
}

/// The list of `.ksyms` at byte `list`, and the variables in it.
fn symbols(btf: &Btf<'_>, list: usize, int: Option<u32>, listed: &[VarSecinfo], words: &mut Words) {
    let Some(int) = int else { return };
    words.set(list, 0);
    words.set(list + 4, BTF_KIND_STRUCT << 24 | listed.len() as u32);
    words.set(list + 8, 4 * listed.len() as u32);
    for (number, info) in listed.iter().enumerate() {
        let member = list + TYPE_SIZE + number * ENTRY_SIZE;
        words.set(member, 0);
        words.set(member + 4, int);
        words.set(member + 8, 32 * number as u32);
        if let (Some(at), Ok(Kind::Var { .. })) = (btf.section_offset(info.var), btf.get(info.var).map(|ty| ty.kind)) {
            words.set(at + 8, int);
        }
    }
}

/// A function at byte `at`, and the names of its parameters.
fn function(btf: &Btf<'_>, at: usize, proto: u32, words: &mut Words) {
    words.set(at + 4, BTF_KIND_FUNC << 24 | GLOBAL);
    let name = words.get(at);
    let (Some(start), Ok(ty)) = (btf.section_offset(proto), btf.get(proto)) else { return };
    let Kind::FuncProto { params, .. } = ty.kind else { return };
    for (number, param) in params.iter().enumerate() {
        let at = start + TYPE_SIZE + number * PARAM_SIZE;
        if *param != 0 && words.get(at) == 0 {
            words.set(at, name);
        }
    }
}
