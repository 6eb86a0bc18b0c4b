//! `union bpf_attr`: one struct per command, as the kernel lays it out.
//!
//! The kernel takes a size with each attr. What is beyond it counts as zero; what is beyond the kernel's own struct must
//! be zero, else E2BIG. So a struct may be shorter or longer than the running kernel's.
//!
//! Source: `include/uapi/linux/bpf.h`; `__sys_bpf()` and `bpf_check_uarg_tail_zero()`, `kernel/bpf/syscall.c`.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::{offset_of, size_of};

use crate::btf::ext::{FuncInfo, LineInfo};
use crate::insn::Insn;

/// A pointer in an attr, of 64 bits on every machine: null, or to memory that is borrowed for as long as the attr lives.
#[repr(transparent)]
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Pointer<'a>(u64, PhantomData<&'a [u8]>);

impl<'a> Pointer<'a> {
    /// To what the kernel reads: bytes, or structs that are laid out as its own; null if that is nothing.
    pub(super) fn to<T: Given>(items: &'a [T]) -> Self {
        Self(if items.is_empty() { 0 } else { items.as_ptr() as u64 }, PhantomData)
    }

    /// To where the kernel writes; null if there is no room.
    pub(super) fn room(bytes: &'a mut [u8]) -> Self {
        Self(if bytes.is_empty() { 0 } else { bytes.as_mut_ptr() as u64 }, PhantomData)
    }

    /// To a name, which ends with its NUL.
    pub(super) fn string(text: &'a CStr) -> Self {
        Self(text.as_ptr() as u64, PhantomData)
    }

    /// To a struct of `BPF_OBJ_GET_INFO_BY_FD`.
    pub(super) fn info<T: Info>(info: &'a mut T) -> Self {
        Self(std::ptr::from_mut(info) as u64, PhantomData)
    }

    /// As the kernel leaves it where it hides something.
    pub(super) fn is_null(self) -> bool {
        self.0 == 0
    }
}

/// What bpf(2) is given.
///
/// # Safety
///
/// It is laid out as the kernel has it, with a [`Pointer`] wherever the kernel follows one, and nothing there whose bytes could be invalid for
/// whatever the kernel writes. Whoever makes one of a command sees that each pointer's memory is as long as that command takes it to
/// be: what the fields beside it say, or a map's sizes.
pub(super) unsafe trait Attr {}

/// What the kernel reads a slice of.
///
/// # Safety
///
/// It is laid out as the kernel has it, with no byte in it that is not set.
pub(super) unsafe trait Given {}

// SAFETY: a byte.
unsafe impl Given for u8 {}
// SAFETY: `struct bpf_insn`; its size and offsets, asserted beside it, leave no gap.
unsafe impl Given for Insn {}
// SAFETY: `struct bpf_func_info`; its size, asserted beside it, is the sum of its fields'.
unsafe impl Given for FuncInfo {}
// SAFETY: `struct bpf_line_info`, likewise.
unsafe impl Given for LineInfo {}

/// What `BPF_OBJ_GET_INFO_BY_FD` fills in.
///
/// # Safety
///
/// As [`Attr`]: the kernel follows the pointers in it, too.
pub(super) unsafe trait Info: Default {}

/// The bytes of an object's name, the last one always zero.
pub type ObjName = [u8; 16];

/// `BPF_MAP_CREATE`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct MapCreateAttr {
    /// `enum bpf_map_type`.
    pub map_type: u32,
    /// Bytes.
    pub key_size: u32,
    /// Bytes.
    pub value_size: u32,
    /// Entries; bytes for a ring buffer.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub map_flags: u32,
    /// Descriptor of the template of a map-in-map.
    pub inner_map_fd: u32,
    /// Counts only with `BPF_F_NUMA_NODE`.
    pub numa_node: u32,
    /// Since 4.15.
    pub map_name: ObjName,
    /// For maps on a network card.
    pub map_ifindex: u32,
    /// BTF of key and value. Since 4.18.
    pub btf_fd: u32,
    /// Type of a key.
    pub btf_key_type_id: u32,
    /// Type of a value.
    pub btf_value_type_id: u32,
    /// For `struct_ops`.
    pub btf_vmlinux_value_type_id: u32,
    /// Since 5.16.
    pub map_extra: u64,
}

const _: () = assert!(size_of::<MapCreateAttr>() == 72 && offset_of!(MapCreateAttr, map_name) == 28);
const _: () = assert!(offset_of!(MapCreateAttr, btf_fd) == 48 && offset_of!(MapCreateAttr, map_extra) == 64);
// SAFETY: the layout is asserted above; it has no pointer.
unsafe impl Attr for MapCreateAttr {}

/// `BPF_MAP_LOOKUP_ELEM`, `BPF_MAP_UPDATE_ELEM`, `BPF_MAP_GET_NEXT_KEY`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct MapElemAttr<'a> {
    /// The map.
    pub map_fd: u32,
    /// The kernel aligns the pointers to 8.
    pub pad: u32,
    /// Pointer to the key.
    pub key: Pointer<'a>,
    /// Pointer to the value, or to where the next key goes.
    pub value: Pointer<'a>,
    /// `BPF_ANY` and others.
    pub flags: u64,
}

const _: () = assert!(size_of::<MapElemAttr>() == 32 && offset_of!(MapElemAttr, key) == 8);
// SAFETY: the layout is asserted above, both pointers are typed.
unsafe impl Attr for MapElemAttr<'_> {}

/// `BPF_MAP_FREEZE`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct MapFreezeAttr {
    /// The map.
    pub map_fd: u32,
}

// SAFETY: one number.
unsafe impl Attr for MapFreezeAttr {}

/// `BPF_PROG_LOAD`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct ProgLoadAttr<'a> {
    /// `enum bpf_prog_type`.
    pub prog_type: u32,
    /// Slots.
    pub insn_cnt: u32,
    /// Pointer to the slots.
    pub insns: Pointer<'a>,
    /// Pointer to the licence, NUL-terminated.
    pub license: Pointer<'a>,
    /// 0: no log, and then no buffer either.
    pub log_level: u32,
    /// Bytes of the buffer.
    pub log_size: u32,
    /// Pointer to the buffer.
    pub log_buf: Pointer<'a>,
    /// Not looked at since 5.0.
    pub kern_version: u32,
    /// `BPF_F_*`.
    pub prog_flags: u32,
    /// Since 4.15.
    pub prog_name: ObjName,
    /// For programs on a network card.
    pub prog_ifindex: u32,
    /// For program types with several places to attach.
    pub expected_attach_type: u32,
    /// BTF of the records below. Since 5.0.
    pub prog_btf_fd: u32,
    /// Bytes of a record.
    pub func_info_rec_size: u32,
    /// Pointer to the records.
    pub func_info: Pointer<'a>,
    /// Records.
    pub func_info_cnt: u32,
    /// Bytes of a record.
    pub line_info_rec_size: u32,
    /// Pointer to the records.
    pub line_info: Pointer<'a>,
    /// Records.
    pub line_info_cnt: u32,
    /// For tracing programs.
    pub attach_btf_id: u32,
    /// For freplace.
    pub attach_prog_fd: u32,
    /// CO-RE by the kernel itself; unused here.
    pub core_relo_cnt: u32,
    /// Pointer to descriptors that instructions name by index; unused here.
    pub fd_array: Pointer<'a>,
    /// Pointer to records; unused here.
    pub core_relos: Pointer<'a>,
    /// Bytes of a record.
    pub core_relo_rec_size: u32,
    /// Written by the kernel: bytes that the whole log takes. Since 6.4.
    pub log_true_size: u32,
}

const _: () = assert!(size_of::<ProgLoadAttr>() == 144 && offset_of!(ProgLoadAttr, prog_name) == 48);
const _: () = assert!(offset_of!(ProgLoadAttr, func_info) == 80 && offset_of!(ProgLoadAttr, line_info) == 96);
const _: () = assert!(offset_of!(ProgLoadAttr, fd_array) == 120 && offset_of!(ProgLoadAttr, log_true_size) == 140);
// SAFETY: the layout is asserted above, all pointers are typed.
unsafe impl Attr for ProgLoadAttr<'_> {}

/// `BPF_BTF_LOAD`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct BtfLoadAttr<'a> {
    /// Pointer to the types.
    pub btf: Pointer<'a>,
    /// Pointer to a buffer for the kernel's complaints.
    pub btf_log_buf: Pointer<'a>,
    /// Bytes of the types.
    pub btf_size: u32,
    /// Bytes of the buffer.
    pub btf_log_size: u32,
    /// 0: no log.
    pub btf_log_level: u32,
    /// Written by the kernel: bytes that the whole log takes. Since 6.4.
    pub btf_log_true_size: u32,
}

const _: () = assert!(size_of::<BtfLoadAttr>() == 32 && offset_of!(BtfLoadAttr, btf_size) == 16);
// SAFETY: the layout is asserted above, both pointers are typed.
unsafe impl Attr for BtfLoadAttr<'_> {}

/// `BPF_OBJ_GET_INFO_BY_FD`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct ObjInfoAttr<'a> {
    /// The map, program or BTF.
    pub bpf_fd: u32,
    /// Bytes of the info struct; written by the kernel: bytes filled in.
    pub info_len: u32,
    /// Pointer to the info struct.
    pub info: Pointer<'a>,
}

const _: () = assert!(size_of::<ObjInfoAttr>() == 16);
// SAFETY: the layout is asserted above; its pointer is to an `Info`.
unsafe impl Attr for ObjInfoAttr<'_> {}

/// `BPF_ENABLE_STATS`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct EnableStatsAttr {
    /// `enum bpf_stats_type`.
    pub stats_type: u32,
}

// SAFETY: one number.
unsafe impl Attr for EnableStatsAttr {}

/// `struct bpf_prog_info`, as of 5.16; an older kernel leaves the end zero.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
#[allow(
    missing_docs,
    reason = "the kernel's own names; the ones that minibpf uses are explained in `kernel::ProgramInfo`"
)]
pub struct ProgInfo<'a> {
    pub prog_type: u32,
    pub id: u32,
    pub tag: [u8; 8],
    pub jited_prog_len: u32,
    pub xlated_prog_len: u32,
    pub jited_prog_insns: Pointer<'a>,
    pub xlated_prog_insns: Pointer<'a>,
    pub load_time: u64,
    pub created_by_uid: u32,
    pub nr_map_ids: u32,
    pub map_ids: Pointer<'a>,
    pub name: ObjName,
    pub ifindex: u32,
    pub gpl_compatible: u32,
    pub netns_dev: u64,
    pub netns_ino: u64,
    pub nr_jited_ksyms: u32,
    pub nr_jited_func_lens: u32,
    pub jited_ksyms: Pointer<'a>,
    pub jited_func_lens: Pointer<'a>,
    pub btf_id: u32,
    pub func_info_rec_size: u32,
    pub func_info: Pointer<'a>,
    pub nr_func_info: u32,
    pub nr_line_info: u32,
    pub line_info: Pointer<'a>,
    pub jited_line_info: Pointer<'a>,
    pub nr_jited_line_info: u32,
    pub line_info_rec_size: u32,
    pub jited_line_info_rec_size: u32,
    pub nr_prog_tags: u32,
    pub prog_tags: Pointer<'a>,
    pub run_time_ns: u64,
    pub run_cnt: u64,
    pub recursion_misses: u64,
    pub verified_insns: u32,
    pub attach_btf_obj_id: u32,
}

const _: () = assert!(offset_of!(ProgInfo, name) == 64 && offset_of!(ProgInfo, btf_id) == 128);
const _: () = assert!(offset_of!(ProgInfo, run_cnt) == 200 && offset_of!(ProgInfo, verified_insns) == 216);
// SAFETY: the layout is asserted above, all pointers are typed, and all other fields may hold any number.
unsafe impl Info for ProgInfo<'_> {}
