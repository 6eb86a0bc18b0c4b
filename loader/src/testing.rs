//! What the unit tests make their objects of: an ELF file, its types and its line records, each built piece by piece.
//!
//! Nothing here reads: what the builders write, the product alone takes apart.

mod elf;
mod ext;
mod types;

use crate::elf::Object;
use crate::link::{Options, PlanError};
use crate::plan::{Held, PinStep, Plan, ProgLoad, SlotUpdate, Step};
use crate::spec::Spec;
use crate::target::Target;

pub(crate) use elf::Elf;
pub(crate) use ext::{Records, btf_ext};
pub(crate) use types::{BOOL, EXTERN, GLOBAL, SIGNED, STATIC, Types, btf_section, kind};

/// `r1 = 0 ll`: an address to be filled in, of the symbol itself.
pub(crate) const LDDW: &[u8] = &[
    0x18, 0x01, 0, 0, 0x00, 0, 0, 0, // lddw r1, 0
    0x00, 0x00, 0, 0, 0x00, 0, 0, 0, //   second slot
];
/// `r1 = 8 ll`: eight bytes after the symbol.
pub(crate) const LDDW_8: &[u8] = &[
    0x18, 0x01, 0, 0, 0x08, 0, 0, 0, // lddw r1, 8
    0x00, 0x00, 0, 0, 0x00, 0, 0, 0, //   second slot
];
/// `call -1` with src = `BPF_PSEUDO_CALL`: the function that the symbol names.
pub(crate) const CALL: &[u8] = &[0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff];
/// `call 1` with src = `BPF_PSEUDO_CALL`: two slots after the symbol, or after the next slot without one.
pub(crate) const CALL_1: &[u8] = &[0x85, 0x10, 0, 0, 0x01, 0, 0, 0];
/// `r0 = 0`.
pub(crate) const R0: &[u8] = &[0xb7, 0x00, 0, 0, 0, 0, 0, 0];
/// `exit`.
pub(crate) const EXIT: &[u8] = &[0x95, 0x00, 0, 0, 0, 0, 0, 0];

/// Where the address of a map, a variable or a function goes.
pub(crate) const R_BPF_64_64: u32 = 1;
/// Where the distance to a function goes.
pub(crate) const R_BPF_64_32: u32 = 10;

/// The committed objects, by name.
pub(crate) const OBJECTS: [(&str, &[u8]); 4] = [
    ("count", include_bytes!("bpf/count.bpf.o")),
    ("drop", include_bytes!("bpf/drop.bpf.o")),
    ("http", include_bytes!("bpf/http.bpf.o")),
    ("pass", include_bytes!("bpf/pass.bpf.o")),
];

/// Bytes → plan.
pub(crate) fn plan_with(bytes: &[u8], options: &Options, target: &Target) -> Result<Plan, PlanError> {
    let object = Object::parse(bytes).expect("the object is readable");
    Plan::new(&Spec::read(&object), options, target)
}

/// Bytes → plan, with nothing chosen and no kernel in mind.
pub(crate) fn plan(bytes: &[u8]) -> Result<Plan, PlanError> {
    plan_with(bytes, &Options::default(), &Target::none())
}

/// The program of that name.
pub(crate) fn program<'plan>(plan: &'plan Plan, name: &str) -> &'plan ProgLoad {
    plan.prog_loads().find(|program| program.name == name).expect("the program is linked")
}

/// The steps of a plan, each in one line.
pub(crate) fn steps(plan: &Plan) -> Vec<String> {
    let name = |id| plan.map(id).map_or("?", |map| map.name.as_str());
    let line = |step: &Step| match step {
        Step::BtfLoad(_) => "btf".to_owned(),
        Step::MapCreate(map) => format!("create {}", map.name),
        Step::MapUpdate(update) => format!("write {} {:?}", name(update.map), update.value),
        Step::MapFreeze(freeze) => format!("freeze {}", name(freeze.map)),
        Step::ProgLoad(program) => format!("load {}", program.name),
        Step::SlotUpdate(SlotUpdate { map, index, holds: Held::Map(held) }) => {
            format!("put {} into {}[{index}]", name(*held), name(*map))
        }
        Step::SlotUpdate(SlotUpdate { map, index, holds: Held::Prog(held) }) => {
            let program = plan.prog_loads().find(|program| program.id == *held).unwrap();
            format!("put {} into {}[{index}]", program.name, name(*map))
        }
        Step::Pin(PinStep::MakeDir { path }) => format!("mkdir {}", path.display()),
        Step::Pin(PinStep::Pin { name, path, .. }) => format!("pin {name} at {}", path.display()),
        Step::Pin(PinStep::Get { name, path, .. }) => format!("get {name} from {}", path.display()),
        Step::Pin(PinStep::Compare { map, .. }) => format!("compare {}", map.name),
    };
    plan.steps.iter().map(line).collect()
}
