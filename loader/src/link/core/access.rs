//! `0:1:2` → a path through the object's types.

use super::value::Wanted;
use crate::btf::search::essential;
use crate::btf::{Btf, Kind, MAX_DEPTH, Member, Type};

/// A part of a type: where it is, and how one gets there.
#[derive(Debug, Clone)]
pub(super) struct Path<'data> {
    /// The type at the root as it was named, perhaps a typedef.
    pub(super) id: u32,
    named: Type<'data>,
    /// The same with typedefs and qualifiers skipped.
    pub(super) root: u32,
    pub(super) root_type: Type<'data>,
    /// The first index: which element, if the pointer is to an array.
    pub(super) first: u32,
    /// The steps after it that have a meaning in another layout: named members and array elements.
    pub(super) steps: Vec<Step<'data>>,
    /// Bits from the start of the root.
    pub(super) bit_offset: u64,
    /// The type that the path ends in.
    pub(super) end: u32,
    /// The last named member, unless an array element follows it.
    pub(super) member: Option<Member<'data>>,
    /// For an enum: the item.
    pub(super) item: Option<(&'data str, i64)>,
}

/// One step of a path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'data> {
    Member(Member<'data>),
    Element(u32),
}

impl<'data> Path<'data> {
    /// A path of no steps.
    pub(super) fn root(btf: &Btf<'data>, id: u32) -> Result<Self, String> {
        let named = btf.get(id).map_err(|e| e.to_string())?;
        let (root, root_type) = btf.resolve(id).map_err(|e| e.to_string())?;
        let (first, bit_offset, end) = (0, 0, root);
        Ok(Self { id, named, root, root_type, first, steps: Vec::new(), bit_offset, end, member: None, item: None })
    }

    /// Follows an access string.
    pub(super) fn parse(btf: &Btf<'data>, id: u32, text: &str, wanted: Wanted) -> Result<Self, String> {
        let indices: Result<Vec<u32>, _> = text.split(':').map(str::parse).collect();
        let indices = indices.map_err(|_| format!("access `{text}`: expected numbers with colons between them"))?;
        let (first, rest) = indices.split_first().ok_or("the access is empty")?;
        let mut path = Self::root(btf, id)?;
        if wanted.is_type() {
            return Ok(path);
        }
        if wanted.is_enum() {
            let Kind::Enum { items, .. } = &path.root_type.kind else {
                return Err(format!("expected an enum, found {}", path.root_type.kind.name()));
            };
            let item = items.get(*first as usize).ok_or_else(|| format!("the enum has no value {first}"))?;
            path.item = Some((item.name, item.value));
            return Ok(path);
        }
        path.enter(btf, *first)?;
        if rest.len() > 2 * MAX_DEPTH {
            return Err(format!("access `{text}`: more than {} steps", 2 * MAX_DEPTH));
        }
        for index in rest {
            path.step(btf, *index)?;
        }
        Ok(path)
    }

    /// Takes the first index: so many whole values of the root type.
    pub(super) fn enter(&mut self, btf: &Btf<'data>, first: u32) -> Result<(), String> {
        self.first = first;
        let size = if first == 0 { 0 } else { btf.size_of(self.root).map_err(|e| e.to_string())? };
        self.bit_offset = size.saturating_mul(8).saturating_mul(u64::from(first));
        Ok(())
    }

    /// One index more: a member's number, or an element's.
    fn step(&mut self, btf: &Btf<'data>, index: u32) -> Result<(), String> {
        let (_, ty) = btf.resolve(self.end).map_err(|e| e.to_string())?;
        match &ty.kind {
            Kind::Struct { members, .. } | Kind::Union { members, .. } => {
                let member = members.get(index as usize);
                let member = member.ok_or_else(|| format!("`{}` has no member {index}", ty.name))?;
                self.descend(member);
                // An anonymous struct or union is passed through: in another layout it may not be there.
                if !member.name.is_empty() {
                    self.steps.push(Step::Member(*member));
                    self.member = Some(*member);
                }
                Ok(())
            }
            Kind::Array(array) => {
                self.element(btf, array.element, index)?;
                self.steps.push(Step::Element(index));
                Ok(())
            }
            other => Err(format!("a step into {}, expected a struct, a union or an array", other.name())),
        }
    }

    /// Goes on to a member's type.
    pub(super) fn descend(&mut self, member: &Member<'_>) {
        self.bit_offset = self.bit_offset.saturating_add(u64::from(member.bit_offset));
        self.end = member.ty;
    }

    /// Goes on to an array's element.
    pub(super) fn element(&mut self, btf: &Btf<'data>, element: u32, index: u32) -> Result<(), String> {
        let size = btf.size_of(element).map_err(|e| e.to_string())?;
        let bits = size.saturating_mul(8).saturating_mul(u64::from(index));
        self.bit_offset = self.bit_offset.saturating_add(bits);
        self.end = element;
        self.member = None;
        Ok(())
    }

    /// The root's name without its flavour: `task___old` is another idea of `task`.
    pub(super) fn essential_name(&self) -> &'data str {
        essential(self.named.name)
    }

    /// `BTF_KIND_*` of the types that can be meant: those of the root's kind; the two kinds of enum count as one.
    pub(super) fn kinds(&self) -> &'static [u32] {
        match self.named.kind {
            Kind::Int { .. } => &[1],
            Kind::Struct { .. } => &[4],
            Kind::Union { .. } => &[5],
            Kind::Enum { .. } => &[6, 19],
            Kind::Fwd { .. } => &[7],
            Kind::Typedef(_) => &[8],
            Kind::Float { .. } => &[16],
            _ => &[],
        }
    }

    /// The path as C writes it.
    pub(super) fn text(&self) -> String {
        let kind = match self.named.kind {
            Kind::Struct { .. } => "struct ",
            Kind::Union { .. } => "union ",
            Kind::Enum { .. } => "enum ",
            _ => "",
        };
        let mut text = format!("{kind}{}", self.named.name);
        if self.first != 0 {
            text.push_str(&format!("[{}]", self.first));
        }
        for step in &self.steps {
            match step {
                Step::Member(member) => text.push_str(&format!(".{}", member.name)),
                Step::Element(index) => text.push_str(&format!("[{index}]")),
            }
        }
        if let Some((name, _)) = self.item {
            text.push_str(&format!("::{name}"));
        }
        text
    }
}
