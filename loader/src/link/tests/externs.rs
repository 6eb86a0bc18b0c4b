//! Symbols that the kernel provides.

mod config;
mod symbols;

use super::kind as error_kind;
use crate::link::Options;
use crate::plan::{LinkErrorKind, Needs, PatchKind, Plan};
use crate::target::Target;
use crate::testing::{
    CALL, EXIT, EXTERN, Elf, LDDW, R_BPF_64_32, R_BPF_64_64, SIGNED, Types, kind, plan_with, program, steps,
};

/// A plan for a program that refers to one extern, which `declare` declares in `section`.
fn plan_of(
    insn: &[u8],
    (section, name, weak): (&str, &str, bool),
    declare: impl Fn(&mut Types, &str) -> u32,
    target: &Target,
) -> Plan {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[insn, EXIT].concat());
    let symbol = elf.undefined(name, weak);
    elf.reloc(code, 0, if insn == LDDW { R_BPF_64_64 } else { R_BPF_64_32 }, symbol);
    let mut types = Types::new();
    types.int("int", 4, SIGNED);
    let declared = declare(&mut types, name);
    types.datasec(section, &[[declared, 0, 4]]);
    elf.btf(&types);
    plan_with(&elf.build(), &Options::default(), target).unwrap()
}

/// The one patch of the program.
fn patch(plan: &Plan) -> PatchKind {
    program(plan, "filter").patches[0].kind
}

fn problem(plan: &Plan) -> String {
    match error_kind(plan) {
        LinkErrorKind::Extern { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

/// `extern int name(int)`, or with a pointer.
fn function(types: &mut Types, name: &str, param: u32, linkage: usize) -> u32 {
    let proto = types.add("", kind::FUNC_PROTO, 1, 1, &[0, param]);
    types.add(name, kind::FUNC, linkage, proto, &[])
}

fn declared(types: &mut Types, name: &str) -> u32 {
    function(types, name, 1, EXTERN as usize)
}

#[test]
fn without_a_target_an_extern_is_unresolved_and_says_what_it_needs() {
    let var = |ty: u32| move |types: &mut Types, name: &str| types.var(name, ty, EXTERN);
    let none = Target::none();
    let kconfig = plan_of(LDDW, (".kconfig", "CONFIG_A", false), var(1), &none);
    assert_eq!(patch(&kconfig), PatchKind::Unresolved(Needs::Config));
    assert_eq!(steps(&kconfig), ["btf", "load filter"], "no map whose contents nobody knows");
    assert_eq!(patch(&plan_of(LDDW, (".ksyms", "a", false), var(0), &none)), PatchKind::Unresolved(Needs::Symbols));
    assert_eq!(patch(&plan_of(LDDW, (".ksyms", "a", false), var(1), &none)), PatchKind::Unresolved(Needs::Btf));
    assert_eq!(patch(&plan_of(CALL, (".ksyms", "a", false), declared, &none)), PatchKind::Unresolved(Needs::Btf));
}
