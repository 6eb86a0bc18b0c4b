//! Symbols that the kernel provides.

use std::collections::BTreeMap;

use super::kind as error_kind;
use crate::btf::{Btf, Kind, Linkage, VarSecinfo};
use crate::insn::Insn;
use crate::link::Options;
use crate::plan::{Extern, LinkErrorKind, Needs, PatchKind, Plan};
use crate::target::{Config, Target, TargetBtf};
use crate::testing::{
    CALL, EXIT, EXTERN, Elf, GLOBAL, LDDW, R_BPF_64_32, R_BPF_64_64, SIGNED, Types, kind, plan_with, program, steps,
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

/// A kernel with these options.
fn kernel(options: &[(&str, &str)]) -> Target {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = Config { version: 0x06_12_2c, has_syscall_wrapper: true, options, source: "a file".to_owned() };
    Target { config: Some(config), ..Target::none() }
}

/// The value of an option in a variable of the type that `make` makes, as the map gets it; the problem if it does not fit.
fn value(option: &str, make: impl Fn(&mut Types) -> u32) -> Result<Vec<u8>, String> {
    let declare = |types: &mut Types, name: &str| {
        let ty = make(types);
        types.var(name, ty, EXTERN)
    };
    let target = kernel(&[("CONFIG_X", option), ("CONFIG_OTHER", "y")]);
    let plan = plan_of(LDDW, (".kconfig", "CONFIG_X", false), declare, &target);
    if plan.prog_loads().count() == 0 {
        return Err(problem(&plan));
    }
    assert!(matches!(patch(&plan), PatchKind::MapValue { offset: 0, .. }));
    let writes = plan.steps.iter().find_map(|step| match step {
        crate::plan::Step::MapUpdate(update) => Some(update.value.clone()),
        _ => None,
    });
    let size = plan.maps().next().unwrap().attr.value_size as usize;
    Ok(writes.unwrap_or_else(|| vec![0; size]))
}

fn boolean(types: &mut Types) -> u32 {
    types.int("_Bool", 1, 4 << 24)
}

fn tristate(types: &mut Types) -> u32 {
    types.enumeration("libbpf_tristate", &[("TRI_NO", 0), ("TRI_YES", 1), ("TRI_MODULE", 2)])
}

fn number(size: u32, encoding: u32) -> impl Fn(&mut Types) -> u32 {
    move |types| types.int("number", size, encoding)
}

fn text(count: u32) -> impl Fn(&mut Types) -> u32 {
    move |types| {
        let char = types.int("char", 1, SIGNED);
        types.array(char, count)
    }
}

#[test]
fn a_letter_of_the_configuration_goes_into_a_bool_a_tristate_or_a_char() {
    assert_eq!(value("y", boolean), Ok(vec![1]));
    assert_eq!(value("n", boolean), Ok(vec![0]));
    assert_eq!(value("m", tristate), Ok(vec![2, 0, 0, 0]));
    assert_eq!(value("m", number(1, 0)), Ok(vec![b'm']));
    assert_eq!(value("m", boolean).unwrap_err(), "the kernel has m: m wants enum libbpf_tristate or char");
    let error = "the kernel has y: a letter wants bool, enum libbpf_tristate or char";
    assert_eq!(value("y", number(4, 0)).unwrap_err(), error);
}

#[test]
fn a_number_of_the_configuration_must_fit() {
    assert_eq!(value("1000", number(4, 0)), Ok(vec![0xe8, 3, 0, 0]));
    assert_eq!(value("0x1000000", number(8, 0)), Ok(vec![0, 0, 0, 1, 0, 0, 0, 0]));
    assert_eq!(value("-1", number(2, SIGNED)), Ok(vec![0xff, 0xff]));
    assert_eq!(value("255", number(1, 0)), Ok(vec![0xff]));
    assert_eq!(value("18446744073709551615", number(8, SIGNED)), Ok(vec![0xff; 8]), "64 bits hold any number");
    for (option, size, encoding) in [("256", 1, 0), ("-1", 4, 0), ("32768", 2, SIGNED), ("-129", 1, SIGNED)] {
        let error = format!("the kernel has {option}: it does not fit into {size} bytes");
        assert_eq!(value(option, number(size, encoding)), Err(error));
    }
    assert!(value("99999999999999999999", number(8, 0)).is_err());
    assert_eq!(value("\"text\"", number(4, 0)).unwrap_err(), "the kernel has \"text\": expected a number");
}

#[test]
fn a_string_of_the_configuration_is_cut_so_that_a_nul_follows() {
    assert_eq!(value("\"bbr\"", text(5)), Ok(b"bbr\0\0".to_vec()));
    assert_eq!(value("\"cubic\"", text(4)), Ok(b"cub\0".to_vec()));
    assert_eq!(value("bbr", text(4)).unwrap_err(), "the kernel has bbr: expected a string in quotes");
}

#[test]
fn an_option_that_is_not_set_is_an_error_unless_it_is_weak() {
    let declare = |types: &mut Types, name: &str| types.var(name, 1, EXTERN);
    let plan = plan_of(LDDW, (".kconfig", "CONFIG_NO", false), declare, &kernel(&[("CONFIG_A", "y")]));
    assert_eq!(
        problem(&plan),
        "not set in this kernel's configuration (a file); a program that can do without declares it __weak"
    );
    let plan = plan_of(LDDW, (".kconfig", "CONFIG_NO", true), declare, &kernel(&[("CONFIG_A", "y")]));
    assert_eq!(steps(&plan), ["btf", "create .kconfig", "freeze .kconfig", "load filter"], "it is 0");
    let plan = plan_of(LDDW, (".kconfig", "CONFIG_NO", false), declare, &kernel(&[]));
    assert_eq!(problem(&plan), "the kernel's configuration is not known: a file");
}

#[test]
fn a_variable_of_the_configuration_of_no_known_type_is_an_error() {
    let declare = |types: &mut Types, name: &str| {
        let ty = types.enumeration("state", &[("ON", 1)]);
        types.var(name, ty, EXTERN)
    };
    let plan = plan_of(LDDW, (".kconfig", "CONFIG_A", false), declare, &kernel(&[("CONFIG_A", "y")]));
    assert!(problem(&plan).starts_with("its type is an enum, expected bool, char"), "{}", problem(&plan));
}

#[test]
fn a_variable_larger_than_any_configuration_is_refused_before_it_is_made() {
    let declare = |types: &mut Types, name: &str| {
        let char = types.int("char", 1, SIGNED);
        let ty = types.array(char, (1 << 20) + 1);
        types.var(name, ty, EXTERN)
    };
    let plan = plan_of(LDDW, (".kconfig", "CONFIG_A", true), declare, &kernel(&[("CONFIG_B", "y")]));
    assert!(problem(&plan).starts_with("with it, .kconfig has more than 1048576 bytes"), "{}", problem(&plan));
}

#[test]
fn the_kernel_version_is_an_option_that_every_kernel_has() {
    let declare = |types: &mut Types, name: &str| types.var(name, 1, EXTERN);
    let plan = plan_of(LDDW, (".kconfig", "LINUX_KERNEL_VERSION", false), declare, &kernel(&[]));
    assert_eq!(steps(&plan)[2], "write .kconfig [44, 18, 6, 0]");
}

/// A kernel whose BTF `make` makes.
fn typed(make: impl Fn(&mut Types)) -> Target {
    let mut types = Types::new();
    types.int("int", 4, SIGNED);
    make(&mut types);
    Target { btf: TargetBtf::Bytes(types.build()), ..Target::none() }
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

#[test]
fn an_extern_whose_instruction_cannot_hold_it_is_an_error() {
    let declare = |types: &mut Types, name: &str| types.var(name, 1, EXTERN);
    let plan = plan_of(CALL, (".kconfig", "CONFIG_A", false), declare, &kernel(&[("CONFIG_A", "1")]));
    assert_eq!(problem(&plan), "opcode 0x85 cannot refer to it");
}

#[test]
fn the_configurations_variables_lie_by_alignment_then_size_then_name() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, LDDW, LDDW, LDDW, EXIT].concat());
    let names = ["CONFIG_CHAR", "CONFIG_LONG", "CONFIG_INT", "CONFIG_ALSO_INT"];
    let mut types = Types::new();
    let sizes = [1, 8, 4, 4];
    let vars: Vec<_> = names
        .iter()
        .zip(sizes)
        .map(|(name, size)| {
            let ty = types.int("number", size, 0);
            [types.var(name, ty, EXTERN), 0, size]
        })
        .collect();
    for (number, name) in (0..).zip(names) {
        let symbol = elf.undefined(name, true);
        elf.reloc(code, 16 * number, R_BPF_64_64, symbol);
    }
    types.datasec(".kconfig", &vars);
    elf.btf(&types);
    let plan = plan_with(&elf.build(), &Options::default(), &kernel(&[("CONFIG_X", "y")])).unwrap();
    let offsets = program(&plan, "filter").patches.iter().map(|patch| match patch.kind {
        PatchKind::MapValue { offset, .. } => offset,
        other => panic!("{other:?}"),
    });
    assert_eq!(offsets.collect::<Vec<_>>(), [16, 0, 12, 8]);

    let uploaded = plan.btf().unwrap();
    let btf = Btf::parse(&uploaded.btf).unwrap();
    let Some((_, datasec)) = btf.datasec(".kconfig") else { panic!() };
    let Kind::Datasec { size, vars } = datasec.kind else { panic!() };
    let name = |info: &VarSecinfo| btf.get(info.var).unwrap().name;
    let placed: Vec<_> = vars.iter().map(|info| (name(info), info.offset, info.size)).collect();
    let expected = [("CONFIG_LONG", 0, 8), ("CONFIG_ALSO_INT", 8, 4), ("CONFIG_INT", 12, 4), ("CONFIG_CHAR", 16, 1)];
    assert_eq!((size, &placed[..]), (17, &expected[..]), "the kernel wants them sorted");
    let mut kinds = vars.iter().map(|info| btf.get(info.var).unwrap().kind);
    assert!(kinds.all(|kind| matches!(kind, Kind::Var { linkage: Linkage::Global, .. })));
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

#[test]
fn a_hidden_function_is_a_static_one_to_the_verifier() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[EXIT, EXIT].concat());
    for (name, at, visibility) in [("seen", 0, object::elf::STV_DEFAULT), ("hidden", 8, object::elf::STV_HIDDEN)] {
        let symbol = elf.func(text, name, at, 8);
        // STB_GLOBAL, STT_FUNC; STV_DEFAULT or STV_HIDDEN.
        elf.0.symbol_mut(symbol).flags = object::SymbolFlags::Elf {
            st_info: object::elf::SymbolBind(1) | object::elf::SymbolType(2),
            st_other: visibility.into(),
        };
    }
    elf.program("socket", "filter", EXIT);
    let mut types = Types::new();
    let proto = types.add("", kind::FUNC_PROTO, 0, 0, &[]);
    for name in ["seen", "hidden"] {
        types.add(name, kind::FUNC, GLOBAL as usize, proto, &[]);
    }
    elf.btf(&types);
    let plan = plan_with(&elf.build(), &Options::default(), &Target::none()).unwrap();
    let btf = Btf::parse(&plan.btf().unwrap().btf).unwrap();
    let linkage = |name| match btf.types().find(|(_, ty)| ty.name == name).unwrap().1.kind {
        Kind::Func { linkage, .. } => linkage,
        other => panic!("{other:?}"),
    };
    assert_eq!((linkage("seen"), linkage("hidden")), (Linkage::Global, Linkage::Static));
}
