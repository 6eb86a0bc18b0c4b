//! The eBPF loader you can read.
//!
//! minibpf takes an ELF object that clang built for BPF, does by hand everything a loader does to its `SEC("socket")`
//! programs and maps, and hands them to the kernel through raw bpf(2).
//!
//! ```text
//! bytes ──elf──▶ Object ──spec──▶ Spec ──link──▶ Plan ──kernel──▶ programs, maps ──hook──▶ a filtered socket
//!                what the file     what it means   what will be done   done              ──observe──▶ what it saw
//!       └──────────── pure: the same bytes, options and Target give the same Plan ────┘└──── effects, one Step each ────┘
//!                                                    │
//!                                            explain · verdict
//! ```
//!
//! Read it in this order; each module opens with its lesson.
//!
//! | module | its one job |
//! | --- | --- |
//! | [`insn`] | eight bytes: one slot of a program |
//! | [`elf`] | bytes → [`Object`](elf::Object): sections, symbols, relocation records |
//! | [`btf`] | the object's types, function and line records |
//! | [`spec`] | Object → [`Spec`](spec::Spec): blueprints of maps and programs |
//! | [`link`] | Spec → [`Plan`](plan::Plan): functions appended, relocation records turned into patches |
//! | [`plan`] | the load as a value: steps, patches, tag |
//! | [`sys`] | bpf(2), setsockopt(2), mmap(2): the only unsafe code |
//! | [`kernel`] | a step, performed: maps and programs as descriptors |
//! | [`hook`] | the places that take a socket filter |
//! | [`observe`] | maps, events, statistics, stalls |
//! | [`packet`] | packets as bytes: made by name, taken apart, told in a line |
//! | [`explain`] | a step in strace's words, or as data; all that there is to say about an object |
//! | [`lint`] | what will go wrong, said before the load |
//! | [`verdict`] | why the kernel said no |
//! | [`xlated`] | a loaded program's instructions, and what the verifier made of those it was given |
//! | [`privileges`] | which privilege is missing where the kernel refuses |
//! | [`filter`] | the way from bytes to a loaded program, in one call |
//! | [`doctor`] | what a kernel and its privileges allow |
//! | [`target`] | what a plan must know of the kernel |
//! | [`uapi`] | helpers, context fields, types and flags by the kernel's numbers |
//!
//! The library neither prints nor logs, and up to [`plan`] it opens no file and no descriptor. Which module may name which is a table
//! of docs/design.md, which a test holds against the sources.
//!
//! # A filter on a socket of your own
//!
//! In one call, [`Filter::load`](filter::Filter::load); or by hand, one stage after the other, each to be looked at:
//!
//! ```ignore (needs CAP_BPF)
//! use minibpf::{elf::Object, kernel::Kernel, link::Options, plan::Plan, spec::Spec, target::Target};
//!
//! # /*
//! const OBJECT: &[u8] = include_bytes!("count.bpf.o");
//! # */
//! # const OBJECT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bpf/count.bpf.o"));
//! let object = Object::parse(OBJECT)?;
//! let spec = Spec::read(&object);
//! let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec))?;
//! let kernel = Kernel::load(&plan)?;
//! let filter = kernel.program_named("count").ok_or("no program `count`")?;
//!
//! let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
//! filter.attach(&socket)?;
//! // … talk …
//! filter.detach(&socket)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The plan needs no kernel and no privileges:
//!
//! ```
//! use minibpf::{elf::Object, link::Options, plan::Plan, spec::Spec, target::Target};
//!
//! # const OBJECT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bpf/count.bpf.o"));
//! let object = Object::parse(OBJECT)?;
//! let plan = Plan::new(&Spec::read(&object), &Options::default(), &Target::none())?;
//! let names: Vec<_> = plan.maps().map(|map| map.name.as_str()).collect();
//! assert_eq!(names, [".data", ".bss", "ports"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! More examples are in the folder `examples` of the package: maps, events with poll(2) and with tokio, tests of a filter.
//!
//! # Errors
//!
//! Each stage has its own: [`ElfError`](elf::ElfError), [`PlanError`](link::PlanError), [`LinkError`](plan::LinkError) of one program,
//! [`KernelError`](kernel::KernelError) with the call, its errno and the verifier's log, which [`verdict::explain`] puts into words. EPERM is
//! explained by [`Privileges`](privileges::Privileges).
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `cli` | yes | the program `minibpf`, with what only a terminal needs; includes `pcap` and `humantime` |
//! | `pcap` | with `cli` | packets from capture files (`packet::capture`) |
//! | `humantime` | with `cli` | times of day in what the program says |
//!
//! A program that uses the library sets `default-features = false`.
//!
//! # Versions
//!
//! Rust 1.88, Linux 5.8, machines of 64 bits. `docs/library.md` of the repository says what semantic versioning covers.
//!
//! The examples that need `CAP_BPF` are run by `cargo test --doc -- --include-ignored`.

// What a file says in 64 bits is counted in memory without a look at what does not fit; and no kernel of 32 bits was ever tried.
#[cfg(not(target_pointer_width = "64"))]
compile_error!("minibpf is for machines of 64 bits");

pub mod btf;
pub mod doctor;
pub mod elf;
pub mod explain;
pub mod filter;
pub mod hook;
pub mod insn;
pub mod kernel;
pub mod link;
pub mod lint;
pub mod observe;
pub mod packet;
pub mod plan;
pub mod privileges;
pub mod spec;
pub mod sys;
pub mod target;
pub mod uapi;
pub mod verdict;
pub mod xlated;

#[cfg(test)]
mod testing;
