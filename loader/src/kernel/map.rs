//! A map that this process holds.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use crate::plan::{MapCreate, kernel_name};
use crate::sys::SysError;
use crate::sys::attr::MapCreateAttr;
use crate::sys::bpf::obj_name;
use crate::sys::map::MapFd;
use crate::sys::map_info::{MapInfo, map_info};

/// A map in the kernel, with its blueprint.
#[derive(Debug)]
pub struct Map {
    pub(super) spec: MapCreate,
    pub(super) fd: MapFd,
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Map {
    /// Creates the map; without BTF its key and value have no types, without a pattern `inner_map_fd` is 0.
    pub(super) fn create(spec: &MapCreate, inner_map_fd: u32, btf: Option<BorrowedFd<'_>>) -> Result<Self, SysError> {
        // The kernel takes type numbers only together with the BTF that they are numbers of.
        let typed = btf.filter(|_| spec.is_typed());
        let types = typed.map_or((0, 0), |_| (spec.attr.btf_key_type_id, spec.attr.btf_value_type_id));
        let fd = MapFd::create(MapCreateAttr {
            map_type: spec.attr.map_type,
            key_size: spec.attr.key_size,
            value_size: spec.attr.value_size,
            max_entries: spec.attr.max_entries,
            map_flags: spec.attr.map_flags,
            numa_node: spec.attr.numa_node,
            inner_map_fd,
            map_name: obj_name(&kernel_name(&spec.name)),
            btf_fd: typed.map_or(0, |btf| btf.as_raw_fd().cast_unsigned()),
            btf_key_type_id: types.0,
            btf_value_type_id: types.1,
            map_extra: spec.attr.map_extra,
            ..Default::default()
        })?;
        Ok(Self { spec: spec.clone(), fd })
    }

    /// Its name in the object, in full.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// What it was created with, or compared with where it is reused.
    pub fn spec(&self) -> &MapCreate {
        &self.spec
    }

    /// Its elements: look up, write, walk.
    pub fn fd(&self) -> &MapFd {
        &self.fd
    }

    /// What the kernel says of it.
    ///
    /// # Errors
    ///
    /// None that a healthy process would see.
    pub fn info(&self) -> Result<MapInfo, SysError> {
        map_info(self.as_fd())
    }
}
