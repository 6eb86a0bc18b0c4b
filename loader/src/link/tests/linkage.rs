//! What the object hides from others is static in the types that the kernel gets.

use crate::btf::{Btf, Kind, Linkage};
use crate::link::Options;
use crate::target::Target;
use crate::testing::{EXIT, Elf, GLOBAL, Types, kind, plan_with};

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
