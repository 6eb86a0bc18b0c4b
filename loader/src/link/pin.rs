//! What is pinned, and which maps are pinned already: a plan without pins, made into one with them.
//!
//! A map that is reused keeps what it holds: nothing of the object is written into it, as it is with libbpf (which fills the
//! slots of a reused program array all the same; here they are left to whoever filled them).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::set::Values;
use crate::plan::{Held, MapCreate, MapId, PinStep, Step, pin_name};
use crate::spec::Spec;
use crate::target::Target;

/// What the user wants pinned, and what reused.
#[derive(Debug, Clone, Default)]
pub struct PinOptions {
    /// A directory on a bpffs: programs are pinned in it, maps in its `maps`.
    pub dir: Option<PathBuf>,
    /// Maps that are reused instead of created: name in the object, and where the map is pinned.
    pub reuse: Vec<(String, PathBuf)>,
}

/// Something cannot be pinned or reused.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum PinError {
    /// No map of that name.
    #[error("no map `{name}` in this object{}", if known.is_empty() { ": it has none".to_owned() } else { format!("; there are: {}", known.join(", ")) })]
    UnknownMap {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The map is there, but nothing that is loaded uses it.
    #[error("map `{name}` would be reused to no effect: no program to be loaded uses it")]
    UnusedMap {
        /// The map.
        name: String,
    },
    /// Two pinned maps for one of the object's.
    #[error("map `{name}` is to be reused twice")]
    Twice {
        /// The map.
        name: String,
    },
    /// A variable of a reused map is to be set.
    #[error("`{variable}` would be set to no effect: map `{map}` is reused, and keeps what it holds")]
    SetInReused {
        /// The variable.
        variable: String,
        /// Its section.
        map: String,
    },
    /// Something has that name already.
    #[error("`{name}` cannot be pinned: {} exists", path.display())]
    Taken {
        /// The program or map.
        name: String,
        /// Where it was to be pinned.
        path: PathBuf,
    },
    /// Two names of the object become one in the bpffs, or a program is called like the directory of the maps.
    #[error("`{name}` cannot be pinned: {} is meant for {other}", path.display())]
    SamePath {
        /// The program or map.
        name: String,
        /// Who comes first: a name in backquotes, or that directory.
        other: String,
        /// Where both were to be pinned.
        path: PathBuf,
    },
}

/// Replaces the steps of reused maps, and adds those that pin what is new.
pub(super) fn rewrite(
    spec: &Spec<'_>,
    options: &PinOptions,
    target: &Target,
    values: &Values,
    steps: Vec<Step>,
) -> Result<Vec<Step>, PinError> {
    let reused = reused(spec, options, target)?;
    if steps.is_empty() {
        return Ok(steps);
    }
    check_effect(spec, options, values, &reused, &steps)?;
    let mut steps: Vec<_> = steps.into_iter().flat_map(|step| reuse(spec, &reused, step)).collect();
    match &options.dir {
        Some(dir) => steps.extend(pins(&steps, dir, target)?),
        None => say_unpinned(spec, &mut steps),
    }
    Ok(steps)
}

/// Where each reused map is pinned: those that the user names, and those that ask to be shared by name and are there.
fn reused(spec: &Spec<'_>, options: &PinOptions, target: &Target) -> Result<BTreeMap<MapId, PathBuf>, PinError> {
    let mut reused = BTreeMap::new();
    for (name, path) in &options.reuse {
        let Some(index) = spec.maps.iter().position(|map| map.name == *name) else {
            let known = spec.maps.iter().map(|map| map.name.clone()).collect();
            return Err(PinError::UnknownMap { name: name.clone(), known });
        };
        if reused.insert(MapId(index), path.clone()).is_some() {
            return Err(PinError::Twice { name: name.clone() });
        }
    }
    let Some(dir) = &options.dir else { return Ok(reused) };
    for (index, map) in spec.maps.iter().enumerate().filter(|(_, map)| map.pin_by_name) {
        let path = map_path(dir, &map.name);
        if target.pinned.contains(&path) {
            reused.entry(MapId(index)).or_insert(path);
        }
    }
    Ok(reused)
}

/// Fails if what the user asks for would change nothing.
fn check_effect(
    spec: &Spec<'_>,
    options: &PinOptions,
    values: &Values,
    reused: &BTreeMap<MapId, PathBuf>,
    steps: &[Step],
) -> Result<(), PinError> {
    let used: BTreeSet<_> = created(steps).map(|map| map.name.as_str()).collect();
    if let Some((name, _)) = options.reuse.iter().find(|(name, _)| !used.contains(name.as_str())) {
        return Err(PinError::UnusedMap { name: name.clone() });
    }
    match values.targets().find(|(_, map)| reused.contains_key(&MapId(*map))) {
        Some((variable, map)) => {
            let map = spec.maps.get(map).map_or_else(String::new, |map| map.name.clone());
            Err(PinError::SetInReused { variable: variable.to_owned(), map })
        }
        None => Ok(()),
    }
}

/// What becomes of a step where maps are reused: opened and compared instead of created, and not written.
fn reuse(spec: &Spec<'_>, reused: &BTreeMap<MapId, PathBuf>, step: Step) -> Vec<Step> {
    let is_reused = |map: &MapId| reused.contains_key(map);
    match step {
        // The pattern of what a reused map of maps holds.
        Step::MapCreate(map) if map.is_pattern && is_reused(&MapId(map.id.0 - spec.maps.len())) => Vec::new(),
        Step::MapCreate(map) => match reused.get(&map.id) {
            None => vec![Step::MapCreate(map)],
            Some(path) => {
                let get = PinStep::Get { map: map.id, name: map.name.clone(), path: path.clone() };
                vec![Step::Pin(get), Step::Pin(PinStep::Compare { path: path.clone(), map: Box::new(map) })]
            }
        },
        Step::MapUpdate(update) if is_reused(&update.map) => Vec::new(),
        Step::MapFreeze(freeze) if is_reused(&freeze.map) => Vec::new(),
        Step::SlotUpdate(update) if is_reused(&update.map) => Vec::new(),
        other => vec![other],
    }
}

/// The steps that pin what the others make: maps before programs, so that who finds a program finds its maps.
fn pins(steps: &[Step], dir: &Path, target: &Target) -> Result<Vec<Step>, PinError> {
    let maps = created(steps).map(|map| (Held::Map(map.id), &map.name, map_path(dir, &map.name)));
    let programs = steps.iter().filter_map(|step| match step {
        Step::ProgLoad(program) => Some((Held::Prog(program.id), &program.name, dir.join(pin_name(&program.name)))),
        _ => None,
    });
    let mut meant = BTreeMap::new();
    let mut pins = Vec::new();
    let mut dirs = BTreeSet::from([dir.to_owned()]);
    for (holds, name, path) in maps.chain(programs) {
        if matches!(holds, Held::Map(_)) && dirs.insert(dir.join(MAPS)) {
            meant.insert(dir.join(MAPS), "the directory of the maps".to_owned());
        }
        if let Some(other) = meant.insert(path.clone(), format!("`{name}`")) {
            return Err(PinError::SamePath { name: name.clone(), other, path });
        }
        if target.pinned.contains(&path) {
            return Err(PinError::Taken { name: name.clone(), path });
        }
        pins.push(PinStep::Pin { holds, name: name.clone(), path });
    }
    let missing = dirs.into_iter().filter(|dir| !target.pinned.contains(dir)).map(|path| PinStep::MakeDir { path });
    Ok(missing.chain(pins).map(Step::Pin).collect())
}

/// A wish that is not fulfilled is said.
fn say_unpinned(spec: &Spec<'_>, steps: &mut [Step]) {
    for step in steps {
        let Step::MapCreate(map) = step else { continue };
        if spec.maps.get(map.id.0).is_some_and(|spec| spec.pin_by_name) {
            let others = map.adjusted.take().map_or_else(String::new, |adjusted| format!("{adjusted}; "));
            map.adjusted = Some(format!("{others}it asks to be pinned by its name, which only --pin does"));
        }
    }
}

/// The directory of the maps.
const MAPS: &str = "maps";

fn map_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(MAPS).join(pin_name(name))
}

/// The maps that are created to stay.
fn created(steps: &[Step]) -> impl Iterator<Item = &MapCreate> {
    steps.iter().filter_map(|step| match step {
        Step::MapCreate(map) if !map.is_pattern => Some(map),
        _ => None,
    })
}
