//! The conditions of the table's rows: what must be so beyond the words of a message, and what is learned on the way.

use super::code::{Code, helper_of};
use super::history::History;
use super::log::{self, Log};
use super::pattern::Captures;
use crate::insn::Insn;
use crate::plan::{Extern, MapCreate, Patch, PatchKind};
use crate::uapi::{Access, Field};

/// A condition beyond the words of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// None.
    Always,
    /// `off` is where the context points to the packet's bytes.
    PacketPointer,
    /// `off` is a field that socket filters cannot read.
    ClosedField,
    /// The instruction writes to memory.
    Store,
    /// The instruction is what became of a CO-RE relocation that the kernel's types do not answer.
    MissingType,
    /// The instruction calls a weak function that the kernel does not have.
    MissingFunction,
    /// The register held what must be given back, and it was.
    Released,
    /// The register was read from the value of a map.
    FromMap,
    /// The register is that of a second argument, or one after it.
    Argument,
    /// The instruction passes a key or a value, and there are fewer bytes than the map says.
    MapElement,
    /// The register points to a variable.
    Variable,
    /// The call is under way already.
    Recursion,
}

/// What is known of a refusal.
pub(super) struct Case<'c> {
    pub(super) code: &'c Code<'c>,
    pub(super) log: &'c Log<'c>,
    pub(super) history: &'c History<'c>,
}

/// `*(u64 *)`: the code of a load as wide as an address.
const LOAD_U64: u8 = 0x79;
/// The register with a map, the one with a key, the one with a value of the helpers that work on elements.
const MAP: u8 = 1;
const KEY: u8 = 2;
const VALUE: u8 = 3;
/// The registers that the arguments of a function come in; the first is there.
const MORE_ARGUMENTS: std::ops::RangeInclusive<u8> = 2..=5;

impl Case<'_> {
    /// Whether a condition holds. What was learned goes to the holes of the row.
    pub(super) fn holds(&self, when: When, captures: &mut Captures) -> bool {
        let field = || captures.number("off").and_then(Field::at);
        let patch = self.walked().and_then(|number| self.code.patch(number)).map(|patch| patch.kind);
        match when {
            When::Always => true,
            When::PacketPointer => field().is_some_and(Field::is_packet_pointer),
            When::ClosedField => field().is_some_and(|field| field.access == Access::None),
            When::Store => self.insn().is_some_and(|insn| matches!(insn.code & 7, 2 | 3)),
            When::MissingType => matches!(patch, Some(PatchKind::Core { first, .. }) if first.code == Insn::CALL),
            When::MissingFunction => matches!(patch, Some(PatchKind::Extern(Extern::MissingKfunc { .. }))),
            When::Released => self.released(captures).is_some(),
            When::FromMap => captures.register().is_some_and(|register| self.is_from_map(register)),
            When::Argument => captures.register().is_some_and(|register| self.is_argument(register)),
            When::MapElement => self.map_element(captures).is_some(),
            When::Variable => self.variable(captures).is_some(),
            When::Recursion => self.is_recursion(captures),
        }
    }

    /// The last instruction walked.
    pub(super) fn walked(&self) -> Option<usize> {
        self.log.walked.last().map(|walked| walked.insn)
    }

    fn insn(&self) -> Option<Insn> {
        self.code.insn(self.walked()?)
    }

    /// What a register was after a step of the path, in the log's words.
    fn state(&self, step: usize, register: u8) -> Option<&str> {
        log::register_state(self.log.walked.get(step)?.state, register)
    }

    /// The register held something that must be given back, and it has been, since the log calls it a number.
    fn released(&self, captures: &mut Captures) -> Option<()> {
        let steps = self.history.of(captures.register()?);
        let taker = steps.into_iter().find_map(|step| {
            let is_owned = self.state(step, 0).is_some_and(|state| state.contains("ref_obj_id="));
            helper_of(self.code.insn(self.history.slot(step)?)?).filter(|_| is_owned)
        });
        captures.add("taker", taker?.name());
        Some(())
    }

    /// The register was read from the value of a map, as wide as an address.
    fn is_from_map(&self, register: u8) -> bool {
        self.history.of(register).into_iter().any(|step| {
            let insn = self.history.slot(step).and_then(|slot| self.code.insn(slot));
            let from = insn.filter(|insn| insn.code == LOAD_U64).and_then(|insn| {
                // Where the address was overwritten by what it led to, an earlier step says what it was.
                let before = || (0..step).rev().find_map(|step| self.state(step, insn.src()));
                if insn.src() == insn.dst() { before() } else { self.state(step, insn.src()) }
            });
            from.is_some_and(|state| state.starts_with("map_value("))
        })
    }

    /// The register is that of an argument, and nothing has written to it since the program began.
    fn is_argument(&self, register: u8) -> bool {
        MORE_ARGUMENTS.contains(&register) && self.history.is_as_at_the_start(register)
    }

    /// What the program's instructions put into an argument of the call where the path ends: a hole that was filled.
    fn filled(&self, register: u8) -> Option<&Patch> {
        let step = self.history.of(register).pop()?;
        self.code.patch(self.history.slot(step)?)
    }

    fn map(&self) -> Option<&MapCreate> {
        self.code.map(self.filled(MAP)?.map()?)
    }

    /// A helper takes a key or value of the size that the map says, and what it gets is smaller.
    fn map_element(&self, captures: &mut Captures) -> Option<()> {
        let helper = helper_of(self.insn()?)?.name();
        let map = self.map()?;
        let (part, size) = match (helper.as_str(), captures.register()?) {
            ("bpf_map_lookup_elem" | "bpf_map_update_elem" | "bpf_map_delete_elem", KEY) => ("key", map.attr.key_size),
            ("bpf_map_update_elem", VALUE) => ("value", map.attr.value_size),
            _ => return None,
        };
        // Offsets count from the end of the stack, and a variable ends there at the latest.
        let room = captures.number("off").filter(|off| *off < 0)?.unsigned_abs();
        if captures.number("size") != Some(size.into()) || room >= u64::from(size) {
            return None;
        }
        captures.add("map", map.name.clone());
        captures.add("part", part.to_owned());
        captures.add("room", room.to_string());
        Some(())
    }

    /// A helper wants a map, and gets the address of a variable.
    fn variable(&self, captures: &mut Captures) -> Option<()> {
        let patch = self.filled(captures.register()?)?;
        let PatchKind::MapValue { map, .. } = patch.kind else { return None };
        captures.add("section", self.code.map(map)?.name.clone());
        // Of a static variable the relocation record names only the section.
        let name = if patch.symbol.starts_with('.') { "it".to_owned() } else { format!("`{}`", patch.symbol) };
        captures.add("variable", name);
        Some(())
    }

    /// The call where the path ends is under way already. Linux 6.1 sees that before it walks a path, and says of a call what it says of
    /// a jump back.
    fn is_recursion(&self, captures: &Captures) -> bool {
        if let Some(from) = captures.number("insn").and_then(|insn| usize::try_from(insn).ok()) {
            return self.code.insn(from).is_some_and(Insn::is_pseudo_call);
        }
        let mut returned = 0usize;
        let mut under_way = self.log.walked.iter().rev().filter_map(|walked| {
            let insn = self.code.insn(walked.insn)?;
            if insn.code == Insn::EXIT {
                returned += 1;
            } else if insn.is_pseudo_call() {
                let is_open = returned == 0;
                returned = returned.saturating_sub(1);
                return is_open.then_some(walked.insn);
            }
            None
        });
        let last = under_way.next();
        last.is_some() && under_way.any(|call| Some(call) == last)
    }
}
