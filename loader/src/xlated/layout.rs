//! The kernel's structs by offset: what an access to the context became.

use crate::btf::search::Search;
use crate::btf::{Btf, BtfError, Kind};

/// A member of a struct, those of its anonymous structs and unions included.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: String,
    /// Bits from the struct's beginning.
    at: u64,
    /// Bits.
    size: u64,
}

/// The structs behind a socket filter's context.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layouts {
    /// `struct sk_buff`.
    sk_buff: Vec<Member>,
}

/// `BTF_KIND_STRUCT`.
const STRUCT: u32 = 4;
/// Anonymous structs within one another that are followed.
const DEEPEST: usize = 8;
/// Members that are read: `struct sk_buff` has some hundred and fifty.
const MOST: usize = 4096;

impl Layouts {
    /// Reads them from a kernel's types.
    ///
    /// # Errors
    ///
    /// As [`Btf::parse`].
    pub fn of(vmlinux: &[u8]) -> Result<Self, BtfError> {
        let search = Search::new(vmlinux, std::iter::once("sk_buff".to_owned()))?;
        let mut sk_buff = Vec::new();
        if let Some(id) = search.named("sk_buff", &[STRUCT]).first() {
            members(search.btf(), *id, 0, DEEPEST, &mut sk_buff);
        }
        Ok(Self { sk_buff })
    }

    /// The member of `struct sk_buff` that covers a byte: of several (a union, bit fields) the one named `wanted`, else the first.
    pub fn sk_buff(&self, byte: i16, wanted: &str) -> Option<&str> {
        let byte = u64::try_from(byte).ok()?;
        let bits = byte * 8..byte * 8 + 8;
        let covers = |member: &&Member| member.at < bits.end && bits.start < member.at + member.size;
        let mut all = self.sk_buff.iter().filter(covers);
        let first = all.clone().next();
        all.find(|member| member.name == wanted).or(first).map(|member| member.name.as_str())
    }
}

fn members(btf: &Btf<'_>, id: u32, base: u64, depth: usize, all: &mut Vec<Member>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let Ok((_, ty)) = btf.resolve(id) else { return };
    let (Kind::Struct { members: list, .. } | Kind::Union { members: list, .. }) = ty.kind else { return };
    for member in list {
        if all.len() == MOST {
            return;
        }
        let at = base + u64::from(member.bit_offset);
        if member.name.is_empty() {
            members(btf, member.ty, at, depth, all);
            continue;
        }
        let bits = || btf.size_of(member.ty).unwrap_or(0).saturating_mul(8);
        all.push(Member { name: member.name.to_owned(), at, size: member.bit_size.map_or_else(bits, u64::from) });
    }
}
