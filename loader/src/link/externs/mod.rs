//! What the program declares and the kernel provides: a number goes into the instruction, or into a map of its own.
//!
//! | declared | instruction | becomes |
//! | --- | --- | --- |
//! | in `.kconfig` | `lddw` | the address of the value in the map `.kconfig`, as of any variable |
//! | typed variable in `.ksyms` | `lddw` | src = `BPF_PSEUDO_BTF_ID`, imm = its number in the kernel's BTF |
//! | `const void` in `.ksyms` | `lddw` | the address, a plain number |
//! | function in `.ksyms` | `call` | src = `BPF_PSEUDO_KFUNC_CALL`, imm = its number in the kernel's BTF |
//!
//! What the kernel does not have is refused, unless it is `__weak`: then a variable is 0, so that the program can ask for it,
//! and a function is nobody's helper, which the verifier refuses only if the program really gets there.

mod config;

use super::core::{Core, types};
use crate::btf::search::essential;
use crate::insn::Insn;
use crate::plan::{Extern as Fill, LinkErrorKind, MapId, Needs, PatchKind};
use crate::spec::{Extern, ExternKind, MapSpec, Spec};
use crate::target::Target;

const BTF_KIND_FUNC: u32 = 12;
const BTF_KIND_VAR: u32 = 14;

/// The externs of an object, and the kernel that they are looked up in.
pub(super) struct Externs<'a, 'data> {
    spec: &'a Spec<'data>,
    core: &'a Core<'a>,
    target: &'a Target,
}

/// What the kernel has under an extern's name.
enum Found {
    /// It is there.
    Fill(Fill),
    /// It is there, and where is not said.
    Hidden,
    /// It is not.
    Missing(String),
    /// The target does not tell.
    Unknown(Needs),
}

impl<'a, 'data> Externs<'a, 'data> {
    pub(super) fn new(spec: &'a Spec<'data>, core: &'a Core<'a>, target: &'a Target) -> Self {
        Self { spec, core, target }
    }

    /// Whether the target is a machine of another byte order than the object's.
    pub(super) fn refuse_byte_order(&self) -> bool {
        self.target.is_little_endian && self.spec.object.is_big_endian
    }

    /// What the instruction becomes that names the undefined symbol number `symbol`.
    pub(super) fn patch(&self, symbol: usize, insn: Insn) -> Result<PatchKind, LinkErrorKind> {
        let Some(external) = self.spec.externs.of_symbol(symbol) else {
            let name = self.spec.object.symbols.get(symbol).map_or_else(String::new, |symbol| symbol.name.to_string());
            return Err(LinkErrorKind::Undefined(name));
        };
        let refuse = |problem: String| LinkErrorKind::Extern { name: external.name.clone(), problem };
        let is_call = insn.code == Insn::CALL;
        if !is_call && !insn.is_lddw() || is_call && !matches!(external.kind, ExternKind::Function { .. }) {
            return Err(refuse(format!("opcode {:#04x} cannot refer to it", insn.code)));
        }
        let found = match &external.kind {
            ExternKind::Config { offset, .. } => return self.config(external, *offset).map_err(refuse),
            ExternKind::Variable { ty: 0 } => self.address(&external.name),
            ExternKind::Variable { ty } => self.in_btf(&external.name, BTF_KIND_VAR, *ty),
            ExternKind::Function { proto } => self.in_btf(&external.name, BTF_KIND_FUNC, *proto),
            ExternKind::Impossible(problem) => return Err(refuse(problem.clone())),
        };
        match found.map_err(refuse)? {
            Found::Fill(Fill::BtfId { id }) if is_call => Ok(PatchKind::Extern(Fill::Kfunc { id })),
            Found::Fill(fill) => Ok(PatchKind::Extern(fill)),
            Found::Hidden => Err(LinkErrorKind::HiddenAddress(external.name.clone())),
            Found::Unknown(needs) => Ok(PatchKind::Unresolved(needs)),
            Found::Missing(_) if external.is_weak && is_call => {
                Ok(PatchKind::Extern(Fill::MissingKfunc { index: external.index }))
            }
            Found::Missing(_) if external.is_weak => Ok(PatchKind::Extern(Fill::Address { address: 0 })),
            Found::Missing(problem) => {
                Err(refuse(format!("{problem}; a program that can do without declares it __weak")))
            }
        }
    }

    /// A value of the configuration: it lies in the map.
    fn config(&self, external: &Extern, offset: u32) -> Result<PatchKind, String> {
        let Some(config) = &self.target.config else { return Ok(PatchKind::Unresolved(Needs::Config)) };
        config::value(external, config)?;
        let map = self.spec.maps.iter().rposition(MapSpec::is_config);
        let map = MapId(map.ok_or("the object has no map for it")?);
        Ok(PatchKind::MapValue { map, offset })
    }

    /// A symbol's address, as `/proc/kallsyms` tells it.
    fn address(&self, name: &str) -> Result<Found, String> {
        let Some(symbols) = &self.target.symbols else { return Ok(Found::Unknown(Needs::Symbols)) };
        match symbols.get(name).map(Vec::as_slice) {
            None | Some([]) => Ok(Found::Missing("this kernel has no such symbol".to_owned())),
            Some([0]) => Ok(Found::Hidden),
            Some([address]) => Ok(Found::Fill(Fill::Address { address: *address })),
            Some([one, two, ..]) => Err(format!("ambiguous: this kernel has it at {one:#x} and at {two:#x}")),
        }
    }

    /// A variable or function that the kernel's BTF describes, if it is what the program takes it for.
    fn in_btf(&self, name: &str, kind: u32, local_type: u32) -> Result<Found, String> {
        let (Some(local), Some(target)) = (&self.spec.btf, self.core.target()) else {
            return Ok(Found::Unknown(Needs::Btf));
        };
        // A function may have a flavour, as a type may: different prototypes for different kernels.
        let bare = if kind == BTF_KIND_FUNC { essential(name) } else { name };
        let (search, target) = (target, target.btf());
        let named = |id: &u32| target.get(*id).is_ok_and(|ty| ty.name == bare);
        let Some(id) = search.named(essential(name), &[kind]).into_iter().find(named) else {
            let what = if kind == BTF_KIND_FUNC { "function" } else { "variable" };
            return Ok(Found::Missing(format!("the kernel's BTF has no {what} `{bare}`")));
        };
        let declared = match target.get(id).map_err(|e| e.to_string())?.kind {
            crate::btf::Kind::Var { ty, .. } => ty,
            crate::btf::Kind::Func { proto, .. } => proto,
            _ => id,
        };
        if types::is_declared_as(local, local_type, target, declared)? {
            return Ok(Found::Fill(Fill::BtfId { id }));
        }
        Ok(Found::Missing("the kernel declares it with other types than the program".to_owned()))
    }

    /// The value of the map `.kconfig`: what the kernel has, and 0 for what it has not.
    pub(super) fn config_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(config) = &self.target.config else { return bytes };
        for external in self.spec.externs.iter() {
            let ExternKind::Config { offset, size, .. } = external.kind else { continue };
            let end = (offset + size) as usize;
            bytes.resize(bytes.len().max(end), 0);
            if let (Ok(value), Some(place)) = (config::value(external, config), bytes.get_mut(offset as usize..end)) {
                place.copy_from_slice(&value);
            }
        }
        bytes
    }
}
