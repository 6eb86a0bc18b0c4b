//! A load as a value: every system call of it, in order, as plain data.
//!
//! A plan knows no descriptor: maps and programs are numbered, and an instruction that needs a map's descriptor is a
//! [`Patch`] that names the map's number. [`crate::kernel::Kernel::apply`] performs a step; [`crate::explain`] prints it.
//! Since both read the same value, what is explained is what is executed. [`Plan::new`] makes one, in [`crate::link`].

mod external;
mod lesson;
mod link_error;
mod patch;
mod pin;
mod sanitize;
mod source;
mod tag;

use crate::insn::Insn;
use crate::spec::{MapAttr, Place};

pub use external::{Extern, Needs};
pub use lesson::Lesson;
pub use link_error::{LinkError, LinkErrorKind};
pub use patch::{Patch, PatchKind};
pub use pin::{PinStep, pin_name};
pub use source::SourceLine;
pub use tag::Tags;

/// The number of a map in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapId(pub usize);

/// The number of a program in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgId(pub usize);

/// Every step of a load, in the order in which they are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// What becomes of each socket filter of the object, by section index, then by offset.
    pub programs: Vec<ProgramPlan>,
    /// Maps that no program to be loaded uses; they are not created.
    pub unused_maps: Vec<String>,
}

/// One socket filter of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramPlan {
    /// Its name.
    pub name: String,
    /// Its section.
    pub section: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// A [`ProgLoad`] step of this number loads it.
    Load(ProgId),
    /// It was not asked for, but a [`ProgLoad`] step loads it: a program array of one that was asked for names it.
    Sibling(ProgId),
    /// It was not asked for, or lies in a `?socket` section.
    Skip,
    /// It cannot be linked.
    Unlinkable(LinkError),
}

/// One system call, with everything but descriptors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `bpf(BPF_BTF_LOAD)`. Should the kernel refuse it, [`BtfLoad::sanitized`] is the alternative, and after that the load goes
    /// on without BTF: maps and programs then have no types and no line records, and nothing else changes.
    BtfLoad(BtfLoad),
    /// `bpf(BPF_MAP_CREATE)`.
    MapCreate(MapCreate),
    /// `bpf(BPF_MAP_UPDATE_ELEM)`.
    MapUpdate(MapUpdate),
    /// `bpf(BPF_MAP_FREEZE)`: from here on user space can write the map no more. Since 5.2.
    MapFreeze(MapFreeze),
    /// `bpf(BPF_PROG_LOAD)`.
    ProgLoad(ProgLoad),
    /// `bpf(BPF_MAP_UPDATE_ELEM)` with a descriptor as the value.
    SlotUpdate(SlotUpdate),
    /// What pins need: mkdir(2), `bpf(BPF_OBJ_PIN)`, and for a map that is reused `bpf(BPF_OBJ_GET)` and a comparison.
    Pin(PinStep),
}

/// The object's types, ready for the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BtfLoad {
    /// The `.BTF` section, with the sizes and offsets that clang left to the linker filled in.
    pub btf: Vec<u8>,
}

/// A map to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapCreate {
    /// Its number.
    pub id: MapId,
    /// Its name in the object, in full.
    pub name: String,
    /// What it is created with.
    pub attr: MapAttr,
    /// For a map of maps: the map that serves as the pattern.
    pub inner: Option<MapId>,
    /// Whether it is only a pattern, of no use once its outer map is there.
    pub is_pattern: bool,
    /// What the object asks for in vain.
    pub warning: Option<String>,
    /// What was changed against the object's definition, and why.
    pub adjusted: Option<String>,
}

/// An element to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapUpdate {
    /// Which map.
    pub map: MapId,
    /// The key's bytes.
    pub key: Vec<u8>,
    /// The value's bytes.
    pub value: Vec<u8>,
}

/// A slot of a map of maps or programs to be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotUpdate {
    /// Which map.
    pub map: MapId,
    /// Its number, which is the key.
    pub index: u32,
    /// What goes in.
    pub holds: Held,
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// A map.
    Map(MapId),
    /// A program.
    Prog(ProgId),
}

/// A map to be frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapFreeze {
    /// Which map.
    pub map: MapId,
}

/// A program to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgLoad {
    /// Its number.
    pub id: ProgId,
    /// Its name in the object, in full.
    pub name: String,
    /// The section it came from.
    pub section: String,
    /// The object's licence; decides whether GPL-only helpers are open to it.
    pub license: String,
    /// Its own slots as compiled, then those of every function it calls.
    pub insns: Vec<Insn>,
    /// The holes in them, by ascending slot.
    pub patches: Vec<Patch>,
    /// The functions that they are made of, by ascending slot.
    pub pieces: Vec<Piece>,
    /// Where functions begin; slots. Empty without BTF.
    pub func_info: Vec<crate::btf::ext::FuncInfo>,
    /// Where lines begin; slots. Empty without BTF.
    pub line_info: Vec<crate::btf::ext::LineInfo>,
}

/// Where a function's slots went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it came from.
    pub place: Place,
    /// Its size in bytes.
    pub size: u64,
    /// Its first slot in the linked program.
    pub at: usize,
}

impl Plan {
    /// The step that creates a map, or says what a reused one must be.
    pub fn map(&self, id: MapId) -> Option<&MapCreate> {
        self.maps().find(|map| map.id == id)
    }

    /// The steps that create maps, or say what reused ones must be.
    pub fn maps(&self) -> impl Iterator<Item = &MapCreate> {
        self.steps.iter().filter_map(|step| match step {
            Step::MapCreate(map) => Some(map),
            Step::Pin(PinStep::Compare { map, .. }) => Some(map),
            _ => None,
        })
    }

    /// The steps that load programs.
    pub fn prog_loads(&self) -> impl Iterator<Item = &ProgLoad> {
        self.steps.iter().filter_map(|step| match step {
            Step::ProgLoad(program) => Some(program),
            _ => None,
        })
    }

    /// The step that loads the object's types.
    pub fn btf(&self) -> Option<&BtfLoad> {
        self.steps.iter().find_map(|step| match step {
            Step::BtfLoad(btf) => Some(btf),
            _ => None,
        })
    }
}

impl MapCreate {
    /// Whether it has BTF types: some maps have no type for a key, but the kernel wants one for the value (`map_check_btf()`).
    pub fn is_typed(&self) -> bool {
        self.attr.btf_value_type_id != 0
    }
}

impl ProgLoad {
    /// Whether it has records that need the object's BTF.
    pub fn has_records(&self) -> bool {
        !self.func_info.is_empty()
    }

    /// The instructions as the kernel gets them: every patch applied, with `map_fd` telling each map's descriptor.
    pub fn resolve(&self, map_fd: impl Fn(MapId) -> i32) -> Vec<Insn> {
        let mut insns = self.insns.clone();
        for patch in &self.patches {
            patch.apply(&mut insns, &map_fd);
        }
        insns
    }

    /// The maps that it uses, each once, by number.
    pub fn map_ids(&self) -> Vec<MapId> {
        let mut ids: Vec<_> = self.patches.iter().filter_map(Patch::map).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// What keeps it from being loaded: a patch that the plan's target could not resolve.
    pub fn unresolved(&self) -> Option<&Patch> {
        self.patches.iter().find(|patch| matches!(patch.kind, PatchKind::Unresolved(_)))
    }

    /// The tag that the kernel will give it.
    pub fn tags(&self) -> Tags {
        // A map's descriptor does not count, so any number will do.
        Tags::of(&self.resolve(|_| 0))
    }
}

/// Cuts a name to the 15 bytes that the kernel stores, and replaces what it does not accept (letters, digits, `_` and `.`).
///
/// Kernel: `bpf_obj_name_cpy()`, `kernel/bpf/syscall.c`.
pub fn kernel_name(name: &str) -> String {
    let accepted = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '_' };
    let mut kept = String::with_capacity(15);
    kept.extend(name.chars().map(accepted).take(15));
    kept
}

#[cfg(test)]
mod tests;
