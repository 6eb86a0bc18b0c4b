//! `.kconfig`: how the kernel was built.

use super::{patch, plan_of, problem};
use crate::btf::{Btf, Kind, Linkage, VarSecinfo};
use crate::link::Options;
use crate::plan::{PatchKind, Step};
use crate::target::{Config, Target};
use crate::testing::{CALL, EXIT, EXTERN, Elf, LDDW, R_BPF_64_64, SIGNED, Types, plan_with, program, steps};

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
        Step::MapUpdate(update) => Some(update.value.clone()),
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
