//! `.ksyms`: functions, variables and addresses of the kernel.

use std::collections::BTreeMap;

use super::super::kind as error_kind;
use super::{declared, function, patch, plan_of, problem};
use crate::btf::{Btf, Kind, Linkage};
use crate::insn::Insn;
use crate::plan::{Extern, LinkErrorKind, PatchKind};
use crate::target::{Target, TargetBtf};
use crate::testing::{CALL, EXTERN, GLOBAL, LDDW, SIGNED, Types, kind, program};

/// A kernel whose BTF `make` makes.
fn typed(make: impl Fn(&mut Types)) -> Target {
    let mut types = Types::new();
    types.int("int", 4, SIGNED);
    make(&mut types);
    Target { btf: TargetBtf::Bytes(types.build()), ..Target::none() }
}

#[test]
fn a_function_of_the_kernel_is_called_by_its_number_in_the_kernels_types() {
    // int, FUNC_PROTO, FUNC: 3.
    let target = typed(|types| _ = function(types, "helper", 1, 1));
    let plan = plan_of(CALL, (".ksyms", "helper", false), declared, &target);
    assert_eq!(patch(&plan), PatchKind::Extern(Extern::Kfunc { id: 3 }));
    let call = program(&plan, "filter").resolve(|_| 0)[0];
    assert_eq!((call.code, call.src(), call.off, call.imm), (Insn::CALL, Insn::BPF_PSEUDO_KFUNC_CALL, 0, 3));
    let plan = plan_of(CALL, (".ksyms", "helper___new", false), declared, &target);
    assert_eq!(patch(&plan), PatchKind::Extern(Extern::Kfunc { id: 3 }), "a flavour does not count");
    let plan = plan_of(LDDW, (".ksyms", "helper", false), declared, &target);
    assert_eq!(patch(&plan), PatchKind::Extern(Extern::BtfId { id: 3 }), "whether it is there");
}

#[test]
fn a_function_that_the_kernel_does_not_have_is_an_error_unless_it_is_weak() {
    let target = typed(|_| ());
    let plan = plan_of(CALL, (".ksyms", "helper", false), declared, &target);
    let missing = "the kernel's BTF has no function `helper`; a program that can do without declares it __weak";
    assert_eq!(problem(&plan), missing);
    let plan = plan_of(CALL, (".ksyms", "helper", true), declared, &target);
    assert_eq!(program(&plan, "filter").resolve(|_| 0)[0].imm, 2_002_000_000);
    let plan = plan_of(LDDW, (".ksyms", "helper", true), declared, &target);
    let [first, second, ..] = program(&plan, "filter").resolve(|_| 0)[..] else { panic!() };
    assert_eq!((first.src(), first.imm, second.imm), (0, 0, 0));
}

#[test]
fn a_function_of_another_prototype_is_not_the_one_meant() {
    let target = typed(|types| {
        let pointer = types.ptr(1);
        function(types, "helper", pointer, 1);
    });
    let plan = plan_of(CALL, (".ksyms", "helper", false), declared, &target);
    assert!(problem(&plan).starts_with("the kernel declares it with other types"), "{}", problem(&plan));
}

#[test]
fn a_prototype_may_point_to_a_struct_that_is_only_declared() {
    let pointer_to = |kind: u32| {
        move |types: &mut Types, linkage: usize| {
            let vlen = 0;
            let other = types.add("other", kind, vlen, if kind == kind::FWD { 0 } else { 8 }, &[]);
            let pointer = types.ptr(other);
            function(types, "helper", pointer, linkage)
        }
    };
    let declare = |types: &mut Types, _: &str| pointer_to(kind::FWD)(types, EXTERN as usize);
    let struct_there = typed(|types| _ = pointer_to(kind::STRUCT)(types, 1));
    let plan = plan_of(CALL, (".ksyms", "helper", false), declare, &struct_there);
    assert!(matches!(patch(&plan), PatchKind::Extern(Extern::Kfunc { .. })));
    let union_there = typed(|types| _ = pointer_to(kind::UNION)(types, 1));
    let plan = plan_of(CALL, (".ksyms", "helper", false), declare, &union_there);
    assert!(problem(&plan).starts_with("the kernel declares it with other types"));
}

#[test]
fn a_variable_of_the_kernel_is_its_number_in_the_kernels_types() {
    let declare = |types: &mut Types, name: &str| types.var(name, 1, EXTERN);
    let target = typed(|types| _ = types.var("runqueues", 1, GLOBAL));
    let plan = plan_of(LDDW, (".ksyms", "runqueues", false), declare, &target);
    let [first, second, ..] = program(&plan, "filter").resolve(|_| 0)[..] else { panic!() };
    assert_eq!((first.src(), first.imm, second.imm), (Insn::BPF_PSEUDO_BTF_ID, 2, 0));
    let plan = plan_of(LDDW, (".ksyms", "nothing", true), declare, &target);
    assert_eq!(patch(&plan), PatchKind::Extern(Extern::Address { address: 0 }));
}

#[test]
fn a_symbol_without_a_type_is_its_address() {
    let declare = |types: &mut Types, name: &str| types.var(name, 0, EXTERN);
    let symbols: BTreeMap<_, _> = [("one", vec![0xffff_ffff_8123_4567]), ("two", vec![1, 2]), ("hidden", vec![0])]
        .map(|(name, at)| (name.to_owned(), at))
        .into();
    let target = Target { symbols: Some(symbols), ..Target::none() };
    let plan = plan_of(LDDW, (".ksyms", "one", false), declare, &target);
    let [first, second, ..] = program(&plan, "filter").resolve(|_| 0)[..] else { panic!() };
    assert_eq!((first.src(), first.imm as u32, second.imm as u32), (0, 0x8123_4567, 0xffff_ffff));
    let refused = |name| problem(&plan_of(LDDW, (".ksyms", name, false), declare, &target));
    assert_eq!(refused("two"), "ambiguous: this kernel has it at 0x1 and at 0x2");
    // Not absent, so not even a weak one is 0.
    for is_weak in [false, true] {
        let hidden = plan_of(LDDW, (".ksyms", "hidden", is_weak), declare, &target);
        assert_eq!(error_kind(&hidden), LinkErrorKind::HiddenAddress("hidden".to_owned()));
    }
    assert!(refused("none").starts_with("this kernel has no such symbol"));
}

#[test]
fn what_the_kernel_provides_goes_to_the_kernel_as_harmless_types() {
    let plan = plan_of(CALL, (".ksyms", "helper", true), declared, &typed(|_| ()));
    let btf = Btf::parse(&plan.btf().unwrap().btf).unwrap();
    assert!(btf.datasec(".ksyms").is_none());
    let last = btf.get(btf.type_count()).unwrap();
    let Kind::Struct { size: 4, members } = last.kind else { panic!("{:?}", last.kind) };
    assert_eq!((last.name, members.len(), members[0].ty), ("", 1, 1));
    let (_, function) = btf.types().find(|(_, ty)| ty.name == "helper").unwrap();
    assert!(matches!(function.kind, Kind::Func { linkage: Linkage::Global, .. }));
}
