//! Programs and maps in words, with bpftool's names.

use std::os::fd::{AsFd, AsRawFd};

use minibpf::btf::value::hex;
use minibpf::explain::{Fd, PROG_INFO_SIZE, names, object_info};
use minibpf::kernel::{Kernel, Program, ProgramInfo};
use minibpf::plan::{MapCreate, MapId, ProgLoad};
use minibpf::sys::attr::MapInfo;
use serde_json::{Value as Json, json};

use super::failure::{Exit, Failure};
use super::trace::Tracer;

/// A loaded program as the kernel describes it.
pub(crate) struct Shown {
    pub(crate) info: ProgramInfo,
    pub(crate) tag_computed: bool,
    maps: Vec<Json>,
}

/// Asks the kernel about a program and its maps.
pub(crate) fn ask(tracer: &Tracer<'_>, kernel: &Kernel, plan: &ProgLoad, program: &Program) -> Result<Shown, Failure> {
    let info = ask_program(tracer, program, "its id and tag")?;
    let tag_computed = plan.tags().agree_with(info.tag);
    let ids = plan.map_ids();
    let maps = ids.iter().map(|id| ask_map(tracer, kernel, *id)).collect::<Result<_, _>>()?;
    Ok(Shown { info, tag_computed, maps })
}

/// Asks the kernel about a program.
pub(crate) fn ask_program(tracer: &Tracer<'_>, program: &Program, why: &str) -> Result<ProgramInfo, Failure> {
    let info = program.info();
    let fd = Fd::Number(program.as_fd().as_raw_fd());
    tracer.result(|| object_info(fd, PROG_INFO_SIZE, why), &info)?;
    info.map_err(|error| Failure::new(Exit::Other, error))
}

fn ask_map(tracer: &Tracer<'_>, kernel: &Kernel, id: MapId) -> Result<Json, Failure> {
    let missing = || Failure::new(Exit::Other, format!("map {} was not created", id.0));
    let map = kernel.map(id).ok_or_else(missing)?;
    let info = map.info();
    let fd = Fd::Number(map.as_fd().as_raw_fd());
    tracer.result(|| object_info(fd, size_of::<MapInfo>(), "its id"), &info)?;
    let info = info.map_err(|error| Failure::new(Exit::Other, error))?;
    Ok(map_json(map.spec(), Some(info.id)))
}

/// A map's definition, with bpftool's names.
pub(crate) fn map_json(map: &MapCreate, id: Option<u32>) -> Json {
    json!({
        "name": map.name, "id": id, "type": names::map_type_short(map.map_type), "bytes_key": map.key_size,
        "bytes_value": map.value_size, "max_entries": map.max_entries, "flags": map.map_flags,
    })
}

impl Shown {
    /// The first line is bpftool's.
    pub(crate) fn text(&self, plan: &ProgLoad) -> String {
        let ProgramInfo { id, tag, gpl_compatible, bytes_xlated, bytes_jited, btf_id, .. } = self.info;
        let gpl = if gpl_compatible { "  gpl" } else { "" };
        let maps: Vec<_> = self.maps.iter().filter_map(|map| map.get("name")?.as_str()).collect();
        let maps = if maps.is_empty() { String::new() } else { format!("  maps {}", maps.join(",")) };
        let mismatch = if self.tag_computed { "" } else { "  (minibpf computed another tag: please report it)" };
        format!(
            "{id}: socket_filter  name {}  tag {}{gpl}{mismatch}\n\tinsns {}  xlated {bytes_xlated}B  jited {bytes_jited}B  btf_id {btf_id}{maps}",
            plan.name,
            hex(&tag),
            plan.insns.len(),
        )
    }

    /// What `check` and `load` say of a loaded program.
    pub(crate) fn json(&self, plan: &ProgLoad) -> Json {
        let info = &self.info;
        let map_ids: Vec<_> = self.maps.iter().filter_map(|map| map.get("id")).collect();
        json!({
            "id": info.id, "type": "socket_filter", "tag": hex(&info.tag), "gpl_compatible": info.gpl_compatible,
            "insns": plan.insns.len(), "bytes_xlated": info.bytes_xlated, "bytes_jited": info.bytes_jited,
            "verified_insns": info.verified_insns, "btf_id": info.btf_id, "tag_computed": self.tag_computed,
            "map_ids": map_ids, "maps": self.maps,
        })
    }
}
