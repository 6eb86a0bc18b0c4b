//! Which data sections hold something that other files could name: a variable that is neither `static` nor `__hidden`.

use std::collections::HashSet;

use crate::btf::{Btf, Kind, Linkage, Type};
use crate::elf::{Object, Section};

/// Whether one of the variables of a section, which its DATASEC lists, is for others too.
pub(super) fn has_shared_variable(
    object: &Object<'_>,
    section: &Section<'_>,
    btf: Option<&Btf<'_>>,
    datasec: &Kind<'_>,
) -> bool {
    let (Some(btf), Kind::Datasec { vars, .. }) = (btf, datasec) else { return false };
    let hidden: HashSet<&str> = object.hidden_in(section.index).collect();
    vars.iter().any(|info| match btf.get(info.var) {
        Ok(Type { name, kind: Kind::Var { linkage, .. }, .. }) => linkage != Linkage::Static && !hidden.contains(name),
        _ => false,
    })
}
