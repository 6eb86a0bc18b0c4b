//! One program of an object, loaded, with the maps that it uses: the way of the whole crate in one call, for a program that wants a filter
//! on a socket and nothing between the two.
//!
//! ```ignore (needs CAP_BPF)
//! use minibpf::filter::Filter;
//!
//! # /*
//! const OBJECT: &[u8] = include_bytes!("count.bpf.o");
//! # */
//! # const OBJECT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bpf/count.bpf.o"));
//! let filter = Filter::load(OBJECT, "count")?;
//! let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
//! filter.program().attach(&socket)?;
//!
//! socket.send_to(b"hello", socket.local_addr()?)?;
//! let ports = filter.map("ports").ok_or("no map `ports`")?;
//! let value = ports.fd().lookup(&socket.local_addr()?.port().to_ne_bytes())?;
//! assert_eq!(value.first_chunk().copied().map(u64::from_ne_bytes), Some(1), "one packet came from this port");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It is made of the public parts: [`Filter::with_options`] is the way to go by hand where more is wanted than one program (several programs,
//! a plan to look at, each step by itself).

use thiserror::Error;

use crate::elf::{ElfError, Object};
use crate::kernel::{Kernel, KernelError, Map, Program};
use crate::link::{Options, PlanError};
use crate::plan::{Fate, LinkError, Needs, Patch, PatchKind, Plan, ProgId, Step};
use crate::spec::Spec;
use crate::target::{PinDirError, Target};
use crate::verdict::{self, Explanation};

/// A loaded program and the maps that it uses. Dropped, it closes their descriptors: the program lives on in the sockets that it is attached to,
/// and its maps with it.
#[derive(Debug)]
pub struct Filter {
    program: Program,
    maps: Vec<Map>,
}

/// Why there is no filter, by the stage that failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// The bytes are no object that can be read.
    #[error(transparent)]
    Object(#[from] ElfError),
    /// No program, or none of that name; a global that cannot be set.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The directory of the pins is none that can take them.
    #[error(transparent)]
    Pins(#[from] PinDirError),
    /// No program was named, and the object has not just one that is loaded by default.
    #[error("which program? There are: {}", names.join(", "))]
    Which {
        /// Their names.
        names: Vec<String>,
    },
    /// The program refers to what cannot be had.
    #[error(transparent)]
    Link(#[from] Box<LinkError>),
    /// The program needs to know something of the running kernel that cannot be read.
    #[error("program `{program}`, insn {insn}: {symbol}, unresolved: needs {}", needs.text())]
    Unresolved {
        /// The program.
        program: String,
        /// The slot.
        insn: usize,
        /// What it refers to.
        symbol: String,
        /// What would have to be known.
        needs: Needs,
    },
    /// The kernel refused a step.
    #[error("{error}")]
    Refused {
        /// Which step, the call and its errno; the verifier's log.
        #[source]
        error: Box<KernelError>,
        /// What the log says, in words, with the source line and how to mend it; `None` without a log.
        explanation: Option<Box<Explanation>>,
    },
}

impl Filter {
    /// Loads the program of that name, with all that it needs, and nothing else of the object.
    ///
    /// # Errors
    ///
    /// A [`FilterError`], by the stage that failed. Without `CAP_BPF` it is [`FilterError::Refused`] with `EPERM`:
    /// [`Privileges`](crate::privileges::Privileges) tells why.
    pub fn load(object: &[u8], program: &str) -> Result<Self, FilterError> {
        Self::with_options(object, &Options { program: Some(program.to_owned()), ..Options::default() })
    }

    /// As [`Filter::load`], with globals set, or another section, as [`Options`] say. Where they name no program, the object has one.
    ///
    /// ```ignore (needs CAP_BPF)
    /// use minibpf::filter::Filter;
    /// use minibpf::link::Options;
    ///
    /// # const OBJECT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bpf/drop.bpf.o"));
    /// // `volatile const __u32 longer_than`: the verifier sees the value.
    /// let set = vec![("longer_than".to_owned(), "40".to_owned())];
    /// let filter = Filter::with_options(OBJECT, &Options { set, ..Options::default() })?;
    /// assert_eq!(filter.program().name(), "drop");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Filter::load`]; [`FilterError::Which`].
    pub fn with_options(object: &[u8], options: &Options) -> Result<Self, FilterError> {
        let object = Object::parse(object)?;
        let spec = Spec::read(&object);
        let mut target = Target::running(&spec);
        if let Some(dir) = &options.pins.dir {
            target = target.with_pins(dir)?;
        }
        let plan = Plan::new(&spec, options, &target)?;
        let id = the_program(&plan)?;
        refuse_unresolved(&plan)?;
        let kernel = load(&plan)?;
        let (maps, mut programs) = kernel.into_parts();
        let program = programs.remove(&id).ok_or_else(|| which(&plan))?;
        Ok(Self { program, maps: maps.into_values().collect() })
    }

    /// The program: to be attached, tried on a packet, asked for its statistics.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// A map that the program uses, by its name in the object; `.bss`, `.data` and `.rodata` are those of its globals.
    pub fn map(&self, name: &str) -> Option<&Map> {
        self.maps.iter().find(|map| map.name() == name)
    }

    /// All maps that the program uses.
    pub fn maps(&self) -> impl Iterator<Item = &Map> {
        self.maps.iter()
    }
}

/// The program that was named, or the only one.
///
/// # Errors
///
/// [`FilterError::Which`], [`FilterError::Link`].
pub fn the_program(plan: &Plan) -> Result<ProgId, FilterError> {
    let fates = plan.programs.iter().map(|program| &program.fate);
    let wanted: Vec<_> = fates.filter(|fate| !matches!(fate, Fate::Skip | Fate::Sibling(_))).collect();
    match wanted.as_slice() {
        [Fate::Load(id)] => Ok(*id),
        [Fate::Unlinkable(error)] => Err(Box::new(error.clone()).into()),
        _ => Err(which(plan)),
    }
}

fn which(plan: &Plan) -> FilterError {
    FilterError::Which { names: plan.programs.iter().map(|program| program.name.clone()).collect() }
}

/// A plan with a hole in it is not for the kernel, whose answer would be about the hole.
///
/// # Errors
///
/// [`FilterError::Unresolved`].
pub fn refuse_unresolved(plan: &Plan) -> Result<(), FilterError> {
    for program in plan.prog_loads() {
        if let Some(&Patch { insn, ref symbol, kind: PatchKind::Unresolved(needs) }) = program.unresolved() {
            let (program, symbol) = (program.name.clone(), symbol.clone());
            return Err(FilterError::Unresolved { program, insn, symbol, needs });
        }
    }
    Ok(())
}

/// As [`Kernel::load`], with a refusal explained.
fn load(plan: &Plan) -> Result<Kernel, FilterError> {
    let mut kernel = Kernel::default();
    for step in &plan.steps {
        let Some(error) = kernel.apply(step).error else { continue };
        let explanation = match (step, &error.log) {
            (Step::ProgLoad(program), Some(log)) => Some(Box::new(verdict::explain(plan, program, log))),
            _ => None,
        };
        return Err(FilterError::Refused { error: Box::new(error), explanation });
    }
    kernel.take_pins().keep();
    Ok(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CALL, EXIT, Elf, R_BPF_64_32, R0};

    #[test]
    fn of_several_programs_one_is_to_be_named_and_only_that_one_must_be_linkable() {
        let mut elf = Elf::new();
        let broken = elf.program("socket/a", "broken", &[CALL, EXIT].concat());
        let ghost = elf.undefined("ghost", false);
        elf.reloc(broken, 0, R_BPF_64_32, ghost);
        elf.program("socket/b", "sound", &[R0, EXIT].concat());
        let bytes = elf.build();
        let which = Filter::with_options(&bytes, &Options::default()).unwrap_err();
        assert_eq!(which.to_string(), "which program? There are: broken, sound");
        let unlinkable = Filter::load(&bytes, "broken").unwrap_err();
        assert!(matches!(unlinkable, FilterError::Link(_)), "{unlinkable:?}");
        assert!(unlinkable.to_string().starts_with("program `broken`, section `socket/a`, insn 0: "), "{unlinkable}");
        let object = Object::parse(&bytes).unwrap();
        let options = Options { program: Some("sound".to_owned()), ..Options::default() };
        let plan = Plan::new(&Spec::read(&object), &options, &Target::none()).unwrap();
        assert_eq!(the_program(&plan), Ok(ProgId(0)));
    }
}
