//! Whether a type of the target's is what the program takes it for, as a whole: two questions.
//!
//! - *Compatible* is what `bpf_core_type_exists()` and its kin ask: the same kind, whatever its size and members; pointers and
//!   prototypes are followed. The same question decides whether a kernel's function can be called as the program declares it.
//! - *Matching* is what `bpf_core_type_matches()` asks, and far stricter: every member, parameter and enumerator of the local
//!   type must be there under its name, with a matching type; numbers must agree in size and sign. Behind a pointer a struct
//!   only has to have the name.

use crate::btf::search::essential;
use crate::btf::{Btf, Kind, MAX_DEPTH, Member, Type};

/// Types that are looked at for one question: pointers and members could make a tree of any size.
const MAX_TYPES: usize = 1 << 16;

/// The two sides, and what is left of the patience with hostile types.
struct Pair<'a, 'l, 't> {
    local: &'a Btf<'l>,
    target: &'a Btf<'t>,
    left: usize,
    /// Whether a declaration (`struct x;`) stands for the struct or union itself.
    may_declare: bool,
}

/// Whether two types are of the same kind, and so are the types that they are made of.
pub(super) fn are_compatible(local: &Btf<'_>, id: u32, target: &Btf<'_>, other: u32) -> Result<bool, String> {
    Pair { local, target, left: MAX_TYPES, may_declare: false }.compatible(id, other, MAX_DEPTH)
}

/// The same of a function or variable that the program declares: pointers may be to structs that it only declares.
pub(crate) fn is_declared_as(local: &Btf<'_>, id: u32, target: &Btf<'_>, other: u32) -> Result<bool, String> {
    Pair { local, target, left: MAX_TYPES, may_declare: true }.compatible(id, other, MAX_DEPTH)
}

/// Whether a type has everything that the local type has.
pub(super) fn match_exactly(local: &Btf<'_>, id: u32, target: &Btf<'_>, other: u32) -> Result<bool, String> {
    Pair { local, target, left: MAX_TYPES, may_declare: false }.matching(id, other, false, MAX_DEPTH)
}

impl<'l, 't> Pair<'_, 'l, 't> {
    /// Both types, typedefs and qualifiers skipped, and one level less.
    fn enter(&mut self, id: u32, other: u32, depth: usize) -> Result<(Type<'l>, Type<'t>, usize), String> {
        let depth = depth.checked_sub(1).ok_or("types nested too deeply")?;
        self.left = self.left.checked_sub(1).ok_or("more types than any honest one is made of")?;
        let (_, here) = self.local.resolve(id).map_err(|e| e.to_string())?;
        let (_, there) = self.target.resolve(other).map_err(|e| e.to_string())?;
        Ok((here, there, depth))
    }

    fn compatible(&mut self, id: u32, other: u32, depth: usize) -> Result<bool, String> {
        let (here, there, depth) = self.enter(id, other, depth)?;
        match (&here.kind, &there.kind) {
            (Kind::Void, Kind::Void)
            | (Kind::Int { .. }, Kind::Int { .. })
            | (Kind::Struct { .. }, Kind::Struct { .. })
            | (Kind::Union { .. }, Kind::Union { .. })
            | (Kind::Enum { .. }, Kind::Enum { .. })
            | (Kind::Fwd { .. }, Kind::Fwd { .. }) => Ok(true),
            (Kind::Fwd { is_union: false }, Kind::Struct { .. })
            | (Kind::Fwd { is_union: true }, Kind::Union { .. }) => Ok(self.may_declare),
            (Kind::Ptr(one), Kind::Ptr(two)) => self.compatible(*one, *two, depth),
            (Kind::Array(one), Kind::Array(two)) => self.compatible(one.element, two.element, depth),
            (Kind::FuncProto { ret, params }, Kind::FuncProto { ret: other_ret, params: other_params }) => {
                if params.len() != other_params.len() {
                    return Ok(false);
                }
                for (one, two) in params.iter().zip(other_params) {
                    if !self.compatible(*one, *two, depth)? {
                        return Ok(false);
                    }
                }
                self.compatible(*ret, *other_ret, depth)
            }
            _ => Ok(false),
        }
    }

    fn matching(&mut self, id: u32, other: u32, behind_pointer: bool, depth: usize) -> Result<bool, String> {
        let (here, there, depth) = self.enter(id, other, depth)?;
        if essential(here.name) != essential(there.name) {
            return Ok(false);
        }
        match (&here.kind, &there.kind) {
            (Kind::Void, Kind::Void) => Ok(true),
            (Kind::Fwd { is_union }, Kind::Fwd { is_union: other }) => Ok(is_union == other),
            (Kind::Fwd { is_union }, Kind::Struct { .. }) => Ok(behind_pointer && !is_union),
            (Kind::Fwd { is_union }, Kind::Union { .. }) => Ok(behind_pointer && *is_union),
            (Kind::Struct { .. }, Kind::Fwd { is_union }) => Ok(behind_pointer && !is_union),
            (Kind::Union { .. }, Kind::Fwd { is_union }) => Ok(behind_pointer && *is_union),
            (Kind::Enum { size, items }, Kind::Enum { size: other_size, items: other_items }) => {
                let is_there = |name: &str| other_items.iter().any(|other| essential(other.name) == essential(name));
                Ok(size == other_size && items.iter().all(|item| is_there(item.name)))
            }
            (Kind::Struct { members, .. }, Kind::Struct { members: others, .. })
            | (Kind::Union { members, .. }, Kind::Union { members: others, .. }) => {
                Ok(behind_pointer || self.members_match(members, others, depth)?)
            }
            (Kind::Int { size, signed, .. }, Kind::Int { size: other, signed: other_signed, .. }) => {
                Ok(size == other && signed == other_signed)
            }
            (Kind::Ptr(one), Kind::Ptr(two)) => self.matching(*one, *two, true, depth),
            (Kind::Array(one), Kind::Array(two)) => {
                Ok(one.count == two.count && self.matching(one.element, two.element, behind_pointer, depth)?)
            }
            (Kind::FuncProto { ret, params }, Kind::FuncProto { ret: other_ret, params: other_params }) => {
                if params.len() != other_params.len() {
                    return Ok(false);
                }
                for (one, two) in params.iter().zip(other_params) {
                    if !self.matching(*one, *two, behind_pointer, depth)? {
                        return Ok(false);
                    }
                }
                self.matching(*ret, *other_ret, behind_pointer, depth)
            }
            _ => Ok(false),
        }
    }

    /// Whether each member is there, under its name and with a matching type.
    fn members_match(&mut self, members: &[Member<'l>], others: &[Member<'t>], depth: usize) -> Result<bool, String> {
        for member in members {
            let mut found = false;
            for other in others.iter().filter(|other| essential(other.name) == essential(member.name)) {
                found = found || self.matching(member.ty, other.ty, false, depth)?;
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(members.len() <= others.len())
    }
}
