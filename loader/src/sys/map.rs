//! bpf(2) on a map and its elements.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::attr::{MapCreateAttr, MapElemAttr, MapFreezeAttr, Pointer};
use super::bpf::{MAP_CREATE, MAP_FREEZE, MAP_GET_NEXT_KEY, MAP_LOOKUP_ELEM, MAP_UPDATE_ELEM, bpf, bpf_fd, raw};
use super::{SysError, possible_cpus};

/// A map's descriptor, with the sizes that it was created with.
///
/// The kernel is told where a key and a value lie, not how long they are: it reads and writes the map's own sizes. So
/// they are kept here, and every slice is checked against them.
#[derive(Debug)]
pub struct MapFd {
    pub(super) fd: OwnedFd,
    pub(super) key_size: usize,
    /// Bytes that the kernel reads and writes: of a per-CPU map a value for every possible CPU.
    pub(super) value_size: usize,
}

impl AsFd for MapFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl MapFd {
    /// `BPF_MAP_CREATE`: creates a map; the descriptor keeps it alive.
    ///
    /// # Errors
    ///
    /// - `EPERM`: no `CAP_BPF` (5.8; before, `CAP_SYS_ADMIN`) and `kernel.unprivileged_bpf_disabled` is set, or a type
    ///   that always needs it.
    /// - `EINVAL`: a size, count, flag or name that the type does not allow.
    /// - `E2BIG`: larger than a map can be.
    ///
    /// Kernel: `map_create()`, `kernel/bpf/syscall.c`. Since 3.18.
    pub fn create(mut attr: MapCreateAttr) -> Result<Self, SysError> {
        let key_size = attr.key_size as usize;
        let value_size = value_bytes(attr.map_type, attr.value_size as usize)?;
        let fd = bpf_fd(MAP_CREATE, &mut attr)?;
        Ok(Self { fd, key_size, value_size })
    }

    /// `BPF_MAP_UPDATE_ELEM` with `BPF_ANY`: writes an element.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: `key` or `value` has not the map's size.
    /// - `EPERM`: the map is frozen.
    /// - `E2BIG`: the map is full, or the index beyond its end.
    ///
    /// Kernel: `map_update_elem()`, `kernel/bpf/syscall.c`. Since 3.18.
    pub fn update(&self, key: &[u8], value: &[u8]) -> Result<(), SysError> {
        self.check_sizes(MAP_UPDATE_ELEM.1, key, value)?;
        bpf(MAP_UPDATE_ELEM, &mut self.elem(Pointer::to(key), Pointer::to(value))).map(drop)
    }

    /// `BPF_MAP_LOOKUP_ELEM`: reads an element; of a per-CPU map the values of all possible CPUs, each padded to 8 bytes.
    ///
    /// # Errors
    ///
    /// - `ENOENT`: no such key.
    /// - `EINVAL`: `key` has not the map's size.
    /// - `EOPNOTSUPP`, `EPERM`, `ENOTSUPP`: a type whose elements user space cannot read.
    ///
    /// Kernel: `map_lookup_elem()`, `kernel/bpf/syscall.c`. Since 3.18.
    pub fn lookup(&self, key: &[u8]) -> Result<Vec<u8>, SysError> {
        let mut value = vec![0; self.value_size];
        self.check_sizes(MAP_LOOKUP_ELEM.1, key, &value)?;
        bpf(MAP_LOOKUP_ELEM, &mut self.elem(Pointer::to(key), Pointer::room(&mut value)))?;
        Ok(value)
    }

    /// `BPF_MAP_GET_NEXT_KEY`: the key after `key`, or the first one; `None` after the last.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP`, `ENOTSUPP`: a type without keys.
    ///
    /// Kernel: `map_get_next_key()`, `kernel/bpf/syscall.c`. Since 3.18; the first one by a null pointer since 4.12.
    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Option<Vec<u8>>, SysError> {
        let mut next = vec![0; self.key_size];
        if key.is_some_and(|key| key.len() != self.key_size) {
            return Err(SysError { call: MAP_GET_NEXT_KEY.1, errno: Errno::EINVAL });
        }
        let key = key.map_or(Pointer::default(), Pointer::to);
        match bpf(MAP_GET_NEXT_KEY, &mut self.elem(key, Pointer::room(&mut next))) {
            Ok(_) => Ok(Some(next)),
            Err(error) if error.errno == Errno::ENOENT => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `BPF_MAP_FREEZE`: from here on user space can no more write the map.
    ///
    /// # Errors
    ///
    /// `EBUSY`: frozen already, or mapped writable.
    ///
    /// Kernel: `map_freeze()`, `kernel/bpf/syscall.c`. Since 5.2.
    pub fn freeze(&self) -> Result<(), SysError> {
        bpf(MAP_FREEZE, &mut MapFreezeAttr { map_fd: raw(self.as_fd()) }).map(drop)
    }

    /// Whoever makes the pointers has seen to it that they are to as many bytes as the map's keys and values have.
    fn elem<'a>(&self, key: Pointer<'a>, value: Pointer<'a>) -> MapElemAttr<'a> {
        MapElemAttr { map_fd: raw(self.as_fd()), key, value, ..Default::default() }
    }

    fn check_sizes(&self, call: &'static str, key: &[u8], value: &[u8]) -> Result<(), SysError> {
        if key.len() == self.key_size && value.len() == self.value_size {
            return Ok(());
        }
        Err(SysError { call, errno: Errno::EINVAL })
    }
}

/// Bytes that the kernel reads and writes for the value of an element.
pub(super) fn value_bytes(map_type: u32, one_value: usize) -> Result<usize, SysError> {
    Ok(match map_type {
        // BPF_MAP_TYPE_PERCPU_HASH, PERCPU_ARRAY, LRU_PERCPU_HASH, PERCPU_CGROUP_STORAGE.
        5 | 6 | 10 | 21 => one_value.next_multiple_of(8).saturating_mul(possible_cpus()?),
        _ => one_value,
    })
}
