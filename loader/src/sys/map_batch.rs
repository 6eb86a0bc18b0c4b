//! Many elements of a map in one call.

use std::mem::offset_of;
use std::os::fd::AsFd;

use nix::errno::Errno;

use super::SysError;
use super::attr::{Attr, Pointer};
use super::bpf::{Command, bpf, raw};
use super::map::MapFd;

/// `BPF_MAP_LOOKUP_BATCH`.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct MapBatchAttr<'a> {
    /// Pointer to where the last call ended; null for the first.
    pub(crate) in_batch: Pointer<'a>,
    /// Pointer to where this call ends; written by the kernel.
    pub(crate) out_batch: Pointer<'a>,
    /// Pointer to room for the keys.
    pub(crate) keys: Pointer<'a>,
    /// Pointer to room for the values.
    pub(crate) values: Pointer<'a>,
    /// How many there is room for; written by the kernel: how many there are.
    pub(crate) count: u32,
    /// The map.
    pub(crate) map_fd: u32,
    /// `BPF_F_LOCK`.
    pub(crate) elem_flags: u64,
    /// 0.
    pub(crate) flags: u64,
}

const _: () = assert!(size_of::<MapBatchAttr>() == 56 && offset_of!(MapBatchAttr, count) == 32);
// SAFETY: the layout is asserted above, all pointers are typed.
unsafe impl Attr for MapBatchAttr<'_> {}

const MAP_LOOKUP_BATCH: Command = Command(24, "bpf(BPF_MAP_LOOKUP_BATCH)");

/// Room for elements, and where the walk over them stands.
#[derive(Debug)]
pub(crate) struct Batch {
    room: u32,
    key_size: usize,
    value_size: usize,
    keys: Vec<u8>,
    values: Vec<u8>,
    /// Elements of the last call.
    count: u32,
    /// What that call left in `count` of the attr.
    written: u32,
    /// Where the last call ended, in the kernel's own terms: a key, or the number of a hash bucket.
    at: Option<Vec<u8>>,
}

impl Batch {
    /// Room for `room` elements of a map, at its beginning.
    pub(crate) fn new(map: &MapFd, room: u32) -> Self {
        let (key_size, value_size) = (map.key_size, map.value_size);
        let mut batch = Self {
            room: 0,
            key_size,
            value_size,
            keys: Vec::new(),
            values: Vec::new(),
            count: 0,
            written: 0,
            at: None,
        };
        batch.grow(room);
        batch
    }

    /// Makes room for `room` elements.
    pub(crate) fn grow(&mut self, room: u32) {
        self.room = room;
        self.keys.resize(self.key_size.saturating_mul(room as usize), 0);
        self.values.resize(self.value_size.saturating_mul(room as usize), 0);
    }

    /// How many there is room for.
    pub(crate) fn room(&self) -> u32 {
        self.room
    }

    /// What the last call left in `count` of its attr: how many it found, or after a refusal perhaps how many there was room for.
    pub(crate) fn written(&self) -> u32 {
        self.written
    }

    /// Where the next call begins; `None`: at the beginning.
    pub(crate) fn at(&self) -> Option<&[u8]> {
        self.at.as_deref()
    }

    /// What the last call found: keys and values.
    pub(crate) fn elements(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        // `chunks_exact` wants a size; maps with elements have keys and values.
        let keys = self.keys.chunks_exact(self.key_size.max(1));
        keys.zip(self.values.chunks_exact(self.value_size.max(1))).take(self.count as usize)
    }
}

impl MapFd {
    /// Bytes of a key and a value, as [`MapFd::lookup`] reads it.
    pub(crate) fn element_size(&self) -> usize {
        self.key_size + self.value_size
    }

    /// `BPF_MAP_LOOKUP_BATCH`: reads elements from where the last call on `batch` ended; of per-CPU maps as [`MapFd::lookup`] does. Returns whether
    /// there may be more. A hash is read bucket by bucket, each at one moment; what is inserted or deleted meanwhile may be there or not.
    ///
    /// # Errors
    ///
    /// - `ENOSPC`: a hash bucket has more elements than there is room for, and none was read.
    /// - `EBUSY`: a hash bucket was locked; what was found before it counts.
    /// - `EINTR`, before 6.14: three keys in a row had no value; what was found before them counts.
    /// - `ENOTSUPP`: not for maps of this type. `EINVAL`: a kernel before 5.6.
    ///
    /// Kernel: `bpf_map_do_batch()`, `generic_map_lookup_batch()`, `kernel/bpf/syscall.c`;
    /// `__htab_map_lookup_and_delete_batch()`, `kernel/bpf/hashtab.c`. Since 5.6; per-CPU arrays since 5.13.
    pub(crate) fn lookup_batch(&self, batch: &mut Batch) -> Result<bool, SysError> {
        let error = |errno| SysError { call: MAP_LOOKUP_BATCH.1, errno };
        batch.count = 0;
        if (batch.key_size, batch.value_size) != (self.key_size, self.value_size) {
            return Err(error(Errno::EINVAL));
        }
        // A key, or the 32-bit number of a bucket.
        let mut end = vec![0; self.key_size.max(size_of::<u32>())];
        let mut attr = MapBatchAttr {
            in_batch: batch.at.as_deref().map_or(Pointer::default(), Pointer::to),
            out_batch: Pointer::room(&mut end),
            keys: Pointer::room(&mut batch.keys),
            values: Pointer::room(&mut batch.values),
            count: batch.room,
            map_fd: raw(self.as_fd()),
            ..Default::default()
        };
        // The kernel reads a key of the map's size or a u32 from `in_batch`, which if not null has the length of `end`, and writes as much
        // to `out_batch`; to `keys` and `values` it writes at most `count` elements of the map's sizes, for which `grow` has made room.
        let result = bpf(MAP_LOOKUP_BATCH, &mut attr);
        let errno = result.err().map(|error| error.errno);
        batch.written = attr.count;
        if matches!(errno, None | Some(Errno::ENOENT | Errno::EBUSY | Errno::EINTR)) {
            batch.count = attr.count.min(batch.room);
            batch.at = Some(end);
        }
        match errno {
            None => Ok(true),
            Some(Errno::ENOENT) => Ok(false),
            Some(errno) => Err(error(errno)),
        }
    }
}
