//! Programs and maps in words, with bpftool's names.

use std::os::fd::{AsFd, AsRawFd};

use minibpf::btf::Btf;
use minibpf::btf::value::hex;
use minibpf::explain::{Fd, PROG_INFO_SIZE, object_info};
use minibpf::kernel::{Kernel, Program, ProgramInfo};
use minibpf::plan::{Held, MapCreate, MapId, Plan, ProgLoad};
use minibpf::sys::map_info::MapInfo;
use minibpf::uapi::names;
use minibpf::verdict::Explanation;
use serde_json::{Value as Json, json};

use super::failure::{Exit, Failure};
use super::trace::{Tracer, merged};

/// A loaded program as the kernel describes it.
pub(crate) struct Shown {
    pub(crate) info: ProgramInfo,
    pub(crate) tag_computed: bool,
    maps: Vec<(MapId, Json)>,
    /// Where it is pinned.
    pinned: Option<String>,
}

/// The object's types as the kernel got them: unlike those in the file they know where each variable lies.
pub(crate) fn uploaded_btf(plan: &Plan) -> Option<Btf<'_>> {
    Btf::parse(&plan.btf()?.btf).ok()
}

/// Asks the kernel about a program and its maps.
pub(crate) fn ask(
    tracer: &Tracer<'_>,
    kernel: &Kernel,
    plan: &Plan,
    step: &ProgLoad,
    program: &Program,
) -> Result<Shown, Failure> {
    let info = ask_program(tracer, program, "its id and tag")?;
    let tag_computed = step.tags().agree_with(info.tag);
    let pinned = |what| {
        let path = plan.pinned_at(what).filter(|path| kernel.holds_pin(path));
        path.map(|path| path.display().to_string())
    };
    let ask_map = |id: &MapId| {
        let map = ask_map(tracer, kernel, *id)?;
        Ok((*id, with_pin(map, pinned(Held::Map(*id)))))
    };
    let maps = step.map_ids().iter().map(ask_map).collect::<Result<_, Failure>>()?;
    Ok(Shown { info, tag_computed, maps, pinned: pinned(Held::Prog(step.id)) })
}

/// Asks the kernel about a program.
fn ask_program(tracer: &Tracer<'_>, program: &Program, why: &str) -> Result<ProgramInfo, Failure> {
    answer(tracer, program, why)?.map_err(|message| Failure::new(Exit::Other, message))
}

/// The same; that the kernel does not answer is for the caller to judge.
pub(crate) fn answer(
    tracer: &Tracer<'_>,
    program: &Program,
    why: &str,
) -> Result<Result<ProgramInfo, String>, Failure> {
    let info = program.info();
    let fd = Fd::Number(program.as_fd().as_raw_fd());
    tracer.result(|| object_info(fd, PROG_INFO_SIZE, why), &info)?;
    Ok(info.map_err(|error| format!("program `{}`, {why}: {error}", program.name())))
}

fn ask_map(tracer: &Tracer<'_>, kernel: &Kernel, id: MapId) -> Result<Json, Failure> {
    let missing = || Failure::new(Exit::Other, format!("map {} was not created", id.0));
    let map = kernel.map(id).ok_or_else(missing)?;
    let info = map.info();
    let fd = Fd::Number(map.as_fd().as_raw_fd());
    tracer.result(|| object_info(fd, size_of::<MapInfo>(), "its id"), &info)?;
    let info = info.map_err(|error| Failure::new(Exit::Other, format!("map `{}`, its id: {error}", map.name())))?;
    Ok(map_json(map.spec(), Some(info.id)))
}

/// bpftool has a list, for there can be several pins; it leaves out an empty one.
fn with_pin(object: Json, pinned: Option<String>) -> Json {
    match pinned {
        Some(path) => merged(object, json!({ "pinned": [path] })),
        None => object,
    }
}

/// A map's definition, with bpftool's names.
pub(crate) fn map_json(map: &MapCreate, id: Option<u32>) -> Json {
    json!({
        "name": map.name, "id": id, "type": names::map_type_short(map.attr.map_type), "bytes_key": map.attr.key_size,
        "bytes_value": map.attr.value_size, "max_entries": map.attr.max_entries, "flags": map.attr.map_flags,
    })
}

impl Shown {
    /// The kernel's number for a map of the plan.
    pub(crate) fn map_id(&self, id: MapId) -> Option<u32> {
        let (_, map) = self.maps.iter().find(|(number, _)| *number == id)?;
        u32::try_from(map.get("id")?.as_u64()?).ok()
    }

    /// The first line is bpftool's.
    pub(crate) fn text(&self, plan: &ProgLoad) -> String {
        let ProgramInfo { id, tag, gpl_compatible, bytes_xlated, bytes_jited, .. } = self.info;
        let gpl = if gpl_compatible { "  gpl" } else { "" };
        let maps: Vec<_> = self.maps.iter().filter_map(|(_, map)| map.get("name")?.as_str()).collect();
        let btf = btf_id(&self.info).map_or_else(String::new, |id| format!("  btf_id {id}"));
        let maps = if maps.is_empty() { String::new() } else { format!("  maps {}", maps.join(",")) };
        let pinned = self.pinned.as_ref().map_or_else(String::new, |path| format!("\n\tpinned {path}"));
        let mismatch = if self.tag_computed { "" } else { "  (minibpf computed another tag: please report it)" };
        format!(
            "{id}: socket_filter  name {}  tag {}{gpl}{mismatch}\n\tinsns {}  xlated {bytes_xlated}B  jited {bytes_jited}B{btf}{maps}{pinned}",
            plan.name,
            hex(&tag),
            plan.insns.len(),
        )
    }

    /// What `check` and `load` say of a loaded program.
    pub(crate) fn json(&self, plan: &ProgLoad) -> Json {
        let info = &self.info;
        let (map_ids, maps): (Vec<_>, Vec<_>) = self.maps.iter().map(|(_, map)| (&map["id"], map)).unzip();
        let program = json!({
            "id": info.id, "type": "socket_filter", "tag": hex(&info.tag), "gpl_compatible": info.gpl_compatible,
            "insns": plan.insns.len(), "bytes_xlated": info.bytes_xlated, "bytes_jited": info.bytes_jited,
            "verified_insns": info.verified_insns, "btf_id": btf_id(info), "tag_computed": self.tag_computed,
            "map_ids": map_ids, "maps": maps,
        });
        with_pin(program, self.pinned.clone())
    }
}

/// The number of a program's types; none, as bpftool has it, where it has no types.
pub(crate) fn btf_id(info: &ProgramInfo) -> Option<u32> {
    Some(info.btf_id).filter(|id| *id != 0)
}

/// Why a program was refused: each line after its label.
pub(crate) fn explanation(explanation: &Explanation) -> Vec<String> {
    let lines = explanation.lines().into_iter();
    lines.map(|(label, text)| format!("{label:<6}  {text}")).collect()
}
