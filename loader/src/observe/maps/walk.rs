//! A map's elements, one after the other: many a call where the kernel can (`BPF_MAP_LOOKUP_BATCH`), else two calls for each.

use std::ops::ControlFlow;

use nix::errno::Errno;

use crate::kernel::Map;
use crate::sys::SysError;
use crate::sys::map_batch::Batch;

/// Bytes of elements that are read at a time: small enough for a processor's cache.
const CHUNK: usize = 256 << 10;
/// A bucket that is locked again and again is given up after so many times.
const PATIENCE: usize = 1000;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// The key's bytes.
    pub key: &'a [u8],
    /// The value's bytes; none where the kernel does not show it; of a per-CPU map the values of all possible CPUs, each padded to 8 bytes.
    pub value: &'a [u8],
}

/// What the walk asked the kernel, for those who want to watch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asked<'a> {
    /// Many elements at once.
    Batch {
        /// Where the last call ended.
        from: Option<&'a [u8]>,
        /// Elements that there was room for.
        room: u32,
        /// As the kernel left it.
        count: u32,
        /// `ENOENT`: these were the last.
        errno: Option<Errno>,
    },
    /// The key after this one, and whether there was one.
    NextKey(Option<&'a [u8]>, bool),
    /// The value of this key, and whether there was one.
    Lookup(&'a [u8], bool),
}

/// Walks a map until its end, or until `each` breaks off. What a program inserts or deletes meanwhile may be seen or not.
///
/// # Errors
///
/// The kernel's refusal; `ENOTSUPP` or `EOPNOTSUPP` for a type without elements.
pub fn walk(
    map: &Map,
    mut watch: impl FnMut(Asked<'_>),
    mut each: impl FnMut(Element<'_>) -> ControlFlow<()>,
) -> Result<(), SysError> {
    // An array with empty slots is no case for it: before 6.14 the kernel gives up after three of them (EINTR).
    if map.spec().attr.map_type == ARRAY_OF_MAPS {
        return one_by_one(map, &mut watch, &mut each);
    }
    match in_batches(map, &mut watch, &mut each) {
        // Not for this type, or a kernel before 5.6: nothing was read yet.
        Err(error) if matches!(error.errno, Errno::UnknownErrno | Errno::EINVAL | Errno::EOPNOTSUPP) => {
            one_by_one(map, &mut watch, &mut each)
        }
        other => other,
    }
}

/// `BPF_MAP_TYPE_LPM_TRIE`: it is walked key by key in the kernel, too, and starts again where the last key was deleted meanwhile.
const LPM_TRIE: u32 = 11;
const ARRAY_OF_MAPS: u32 = 12;

fn in_batches(
    map: &Map,
    watch: &mut impl FnMut(Asked<'_>),
    each: &mut impl FnMut(Element<'_>) -> ControlFlow<()>,
) -> Result<(), SysError> {
    let attr = map.spec().attr;
    let one = map.fd().element_size().max(1);
    // One more than there can be: then the first answer may be the last.
    let room = (CHUNK / one).clamp(1, (attr.max_entries as usize).saturating_add(1)) as u32;
    let mut batch = Batch::new(map.fd(), room);
    let mut patience = PATIENCE;
    let mut left = if attr.map_type == LPM_TRIE { attr.max_entries as usize } else { usize::MAX };
    loop {
        let from = batch.at().map(<[u8]>::to_vec);
        let result = map.fd().lookup_batch(&mut batch);
        let errno = match result {
            Ok(true) => None,
            Ok(false) => Some(Errno::ENOENT),
            Err(error) => Some(error.errno),
        };
        watch(Asked::Batch { from: from.as_deref(), room: batch.room(), count: batch.written(), errno });
        for (key, value) in batch.elements() {
            // No more than the map can have: what starts again would never end.
            let Some(fewer) = left.checked_sub(1) else { return Ok(()) };
            left = fewer;
            if each(Element { key, value }).is_break() {
                return Ok(());
            }
        }
        match result {
            Ok(true) => patience = PATIENCE,
            Ok(false) => return Ok(()),
            Err(error) if error.errno == Errno::ENOSPC && batch.room() < attr.max_entries => {
                batch.grow(batch.room().saturating_mul(2).min(attr.max_entries));
            }
            Err(error) if matches!(error.errno, Errno::EBUSY | Errno::EINTR) && patience > 0 => patience -= 1,
            Err(error) => return Err(error),
        }
    }
}

/// What a key stands for is the kernel's own: a socket, a cgroup (of a socket only its cookie, where the value has 8 bytes for it).
fn is_hidden(errno: Errno) -> bool {
    matches!(errno, Errno::UnknownErrno | Errno::EOPNOTSUPP | Errno::ENOSPC)
}

/// An element that is deleted between the question for its key and that for its value is left out. A hash that loses the key just
/// read starts again from its first, so no more elements are read than the map can have.
fn one_by_one(
    map: &Map,
    watch: &mut impl FnMut(Asked<'_>),
    each: &mut impl FnMut(Element<'_>) -> ControlFlow<()>,
) -> Result<(), SysError> {
    let mut key: Option<Vec<u8>> = None;
    for _ in 0..map.spec().attr.max_entries {
        let next = map.fd().next_key(key.as_deref())?;
        watch(Asked::NextKey(key.as_deref(), next.is_some()));
        let Some(next) = next else { break };
        let value = map.fd().lookup(&next);
        watch(Asked::Lookup(&next, value.is_ok()));
        match value {
            Ok(value) if each(Element { key: &next, value: &value }).is_break() => break,
            Err(error) if is_hidden(error.errno) && each(Element { key: &next, value: &[] }).is_break() => break,
            Err(error) if error.errno != Errno::ENOENT && !is_hidden(error.errno) => return Err(error),
            _ => {}
        }
        key = Some(next);
    }
    Ok(())
}
