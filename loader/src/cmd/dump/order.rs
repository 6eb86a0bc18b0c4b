//! In which order elements are shown, and how many.

use std::cmp::Ordering;

use minibpf::btf::value::Value;
use minibpf::observe::maps::Types;

use super::entry::Raw;

/// What counts.
#[derive(Debug, Clone, Default)]
pub(super) enum Order {
    /// Smallest first.
    Key,
    /// Largest first; of per-CPU maps by the sum.
    #[default]
    Value,
    /// The same, by a member of the value.
    Member(String),
}

impl Order {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("value.")) {
            ("key", _) => Ok(Self::Key),
            ("value", _) => Ok(Self::Value),
            (_, Some(member)) if !member.is_empty() => Ok(Self::Member(member.to_owned())),
            _ => Err("expected key, value, or value.MEMBER".to_owned()),
        }
    }

    /// What an element is ordered by; `None`: its value has no such member.
    fn rank<'data>(&self, types: &Types<'data>, element: &Raw) -> Option<Value<'data>> {
        match self {
            Self::Key => Some(types.key(&element.key)),
            Self::Value => types.contents(&element.value).total(),
            Self::Member(path) => types.contents(&element.value).total()?.member(path).cloned(),
        }
    }

    fn compare(&self, a: Option<&Value<'_>>, b: Option<&Value<'_>>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) if matches!(self, Self::Key) => a.order(b),
            (Some(a), Some(b)) => b.order(a),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }
}

/// The first elements in an order, found while they go by: never many more are kept than are wanted.
pub(super) struct First<'a, 'data> {
    order: &'a Order,
    types: &'a Types<'data>,
    top: usize,
    kept: Vec<(Option<Value<'data>>, Raw)>,
}

impl<'a, 'data> First<'a, 'data> {
    pub(super) fn new(order: &'a Order, types: &'a Types<'data>, top: usize) -> Self {
        Self { order, types, top, kept: Vec::new() }
    }

    pub(super) fn add(&mut self, element: Raw) {
        self.kept.push((self.order.rank(self.types, &element), element));
        // Sorting now and then costs less than keeping the order all the time.
        if self.kept.len() >= self.top.saturating_mul(2).max(1024) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.top {
            let order = self.order;
            self.kept.sort_by(|(a, _), (b, _)| order.compare(a.as_ref(), b.as_ref()));
            self.kept.truncate(self.top);
        }
    }

    /// The elements, in order; those of one rank as they came.
    pub(super) fn finish(mut self) -> Vec<Raw> {
        let order = self.order;
        self.kept.sort_by(|(a, _), (b, _)| order.compare(a.as_ref(), b.as_ref()));
        self.kept.truncate(self.top);
        self.kept.into_iter().map(|(_, element)| element).collect()
    }
}
