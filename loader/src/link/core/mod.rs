//! CO-RE, "compile once, run everywhere": instructions that depend on how the *running* kernel lays out its types.
//!
//! clang compiles `task->pid` with the offset that the header at hand gives, and leaves a record: "this immediate is the byte
//! offset of part `0:1` of type `struct task`". The loader looks for the same part in the kernel's own BTF, *by name*, and writes
//! the kernel's number in its place.
//!
//! 1. [`access`]: what `0:1` means in the object's types: a path of names and array indices.
//! 2. [`matching`]: the same path in a type of the kernel's; [`types`]: whether a type as a whole is the same there.
//! 3. [`value`]: the number that the record wants of such a path: an offset, a size, whether it exists.
//! 4. [`patch`]: the number goes into the instruction. [`difference`]: why it cannot, in words.
//!
//! A part that the kernel does not have makes the instruction a call of a helper that does not exist, so that the verifier
//! refuses the program only if it would really get there.
//!
//! The rules are libbpf's, since programs are written against them: `relo_core.c` there.

mod access;
mod difference;
mod matching;
mod patch;
pub(super) mod types;
mod value;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crate::btf::ext::CoreRelo;
use crate::btf::search::{Search, essential};
use crate::btf::{Btf, BtfError};
use crate::insn::Insn;
use crate::plan::{Needs, PatchKind};
use crate::spec::Spec;
use crate::target::TargetBtf;

use access::Path;
use matching::Found;
use value::{Value, Wanted};

/// The kernel's types, as far as a plan knows them.
pub(super) struct Core<'a> {
    local: Option<&'a Btf<'a>>,
    target: Option<Search<'a>>,
    /// By local root type: the target's types that may be meant. Those that one record rules out are not asked again.
    candidates: RefCell<HashMap<u32, Vec<u32>>>,
}

impl<'a> Core<'a> {
    /// Finds in the target's types those that the object names; without any, every record that needs them stays unresolved.
    pub(super) fn new(spec: &'a Spec<'_>, target: &'a TargetBtf) -> Result<Self, BtfError> {
        let target = target.bytes().map(|bytes| Search::new(bytes, wanted_names(spec))).transpose()?;
        Ok(Self { local: spec.btf.as_ref(), target, candidates: RefCell::default() })
    }

    /// The target's types.
    pub(super) fn target(&self) -> Option<&Search<'a>> {
        self.target.as_ref()
    }

    /// One record → what becomes of the instruction, and what it was about, in words.
    pub(super) fn relocate(
        &self,
        record: &CoreRelo,
        insn: Insn,
        second: Option<Insn>,
    ) -> Result<(String, PatchKind), String> {
        let local = self.local.ok_or("without BTF it cannot be read")?;
        let wanted = Wanted::new(record.kind)?;
        let text = local.string(record.access_str_off).ok_or("it names no access")?;
        let path = Path::parse(local, record.type_id, text, wanted)?;
        let what = format!("{} of {}", wanted.name(), path.text());
        let here = value::of(local, &path, wanted)?;
        if wanted == Wanted::TypeIdLocal {
            let there = Some(here);
            return Ok((format!("{what}: {}", here.number), patch::make(insn, second, here, there)?));
        }
        let Some(target) = &self.target else {
            return Ok((format!("{what}: {} here", here.number), PatchKind::Unresolved(Needs::Btf)));
        };
        let problem = |problem| format!("{what}: {problem}");
        let (there, other) = self.find(local, target, &path, wanted).map_err(problem)?;
        let found = there.map_or("not there".to_owned(), |there: Value| format!("{} there", there.number));
        let kind = patch::make(insn, second, here, there).map_err(problem)?;
        // What differs is only worth a word where it is the reason.
        let is_missed =
            patch::is_poison(&kind) || wanted == Wanted::FieldExists && there.is_some_and(|there| there.number == 0);
        let other = other.filter(|_| is_missed).map_or(String::new(), |other| format!(" ({other})"));
        Ok((format!("{what}: {} here, {found}{other}", here.number), kind))
    }

    /// The value in the target, and what the field is there instead. Several of its types may have the name; those that fit must
    /// agree.
    fn find(
        &self,
        local: &Btf<'_>,
        target: &Search<'_>,
        path: &Path<'_>,
        wanted: Wanted,
    ) -> Result<(Option<Value>, Option<String>), String> {
        if path.essential_name().is_empty() {
            return Err("an anonymous type cannot be found by its name".to_owned());
        }
        let mut candidates = self.candidates.borrow_mut();
        let candidates = candidates.entry(path.id).or_insert_with(|| target.named(path.essential_name(), path.kinds()));
        let mut fitting = Vec::new();
        let mut agreed: Option<Value> = None;
        let mut other = None;
        for candidate in candidates.iter() {
            let there = match matching::path(local, path, target.btf(), *candidate, wanted)? {
                Found::There(there) => there,
                Found::Other(text) => {
                    other = other.or(text);
                    continue;
                }
                Found::Nothing => continue,
            };
            let value = value::of(target.btf(), &there, wanted)?;
            match agreed {
                Some(before) if before != value => {
                    let (one, two) = (before.number, value.number);
                    return Err(format!("ambiguous: the kernel has several such types, which say {one} and {two}"));
                }
                Some(_) => {}
                // Where the value cannot be used after all, the sizes say why.
                None => {
                    let name = there.member.map(|member| member.name);
                    other = name.and_then(|name| difference::of(name, local, path.end, target.btf(), there.end));
                }
            }
            agreed = Some(value);
            fitting.push(*candidate);
        }
        // A field that no candidate has tells nothing about which type is meant.
        if !fitting.is_empty() {
            *candidates = fitting;
        }
        Ok((agreed.or_else(|| value::of_nothing(wanted)), other))
    }
}

/// The names of the types, variables and functions that the object's records and externs are about.
fn wanted_names<'a>(spec: &'a Spec<'_>) -> impl Iterator<Item = String> + 'a {
    let ids: HashSet<u32> = spec.core_relos.values().flatten().map(|record| record.type_id).collect();
    let types = ids.into_iter().filter_map(|id| Some(spec.btf.as_ref()?.get(id).ok()?.name));
    let externs = spec.externs.iter().map(|external| external.name.as_str());
    types.chain(externs).map(|name| essential(name).to_owned())
}
