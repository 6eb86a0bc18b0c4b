use super::*;
use crate::privileges::{CAP_BPF, CAP_NET_RAW, CAP_PERFMON, CAP_SYS_ADMIN};

/// Root on a machine that lacks nothing.
fn root() -> Findings {
    Findings {
        release: "6.18.1".to_owned(),
        version: version(6, 18),
        privileges: Privileges {
            effective: u64::MAX,
            bounding: u64::MAX,
            unprivileged_bpf_disabled: Some(2),
            lockdown: Some("[none] integrity confidentiality".to_owned()),
            security_modules: Some("capability".to_owned()),
            ..Privileges::default()
        },
        jit: Some(1),
        btf: true,
        bpffs: vec!["/sys/fs/bpf".to_owned()],
        optmem_max: Some(131_072),
        config: Some("/proc/config.gz".to_owned()),
        addresses: true,
        ..Findings::default()
    }
}

/// A user without privileges on the same machine.
fn user() -> Findings {
    let privileges = Privileges { effective: 0, ..root().privileges };
    let tried = Tried { map: Err(Errno::EPERM), program: Err(Errno::EPERM), attach: None, packet: Err(Errno::EPERM) };
    Findings { privileges, tried, addresses: false, ..root() }
}

#[track_caller]
fn row(findings: &Findings, name: &str) -> Check {
    let found = examine(findings).checks.into_iter().find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("no row {name}"))
}

#[test]
fn of_root_nothing_is_amiss_and_nothing_is_to_be_mended() {
    let Diagnosis { checks, obstacle } = examine(&root());
    assert_eq!(obstacle, None);
    for check in checks {
        assert!(check.ok != Some(false) && check.remedy.is_none(), "{check:?}");
    }
}

#[test]
fn of_many_mounts_the_first_are_named_and_the_others_counted() {
    let found = |count: usize| {
        let bpffs = (1..=count).map(|n| format!("/b{n}")).collect();
        row(&Findings { bpffs, ..root() }, "bpffs").found
    };
    assert_eq!((found(1).as_str(), found(2).as_str(), found(5).as_str()), ("/b1", "/b1, /b2", "/b1, /b2 and 3 more"));
}

#[test]
fn what_is_amiss_has_a_remedy_and_what_is_not_has_none() {
    for check in examine(&user()).checks {
        assert_eq!(check.ok == Some(false), check.remedy.is_some(), "{check:?}");
    }
}

#[test]
fn a_user_lacks_a_privilege_and_the_capability_is_named() {
    let obstacle = examine(&user()).obstacle.expect("EPERM is one");
    assert!(obstacle.is_privilege);
    assert!(obstacle.why.contains("BPF_PROG_LOAD") && obstacle.why.contains("CAP_BPF"), "{}", obstacle.why);
    assert!(obstacle.remedy.contains("sudo"), "{}", obstacle.remedy);
}

#[test]
fn a_program_that_cannot_be_attached_is_an_obstacle_that_a_map_or_a_packet_socket_is_not() {
    let of = |tried| examine(&Findings { tried, ..root() }).obstacle;
    let obstacle = of(Tried { attach: Some(Err(Errno::ENOMEM)), ..Tried::default() }).expect("it is one");
    assert!(!obstacle.is_privilege && obstacle.remedy.contains("optmem_max"), "{obstacle:?}");
    assert_eq!(of(Tried { map: Err(Errno::EPERM), packet: Err(Errno::EPERM), ..Tried::default() }), None);
}

#[test]
fn eacces_where_there_is_nothing_to_verify_is_a_security_module() {
    let tried = Tried { program: Err(Errno::EACCES), attach: None, ..Tried::default() };
    let check = row(&Findings { tried, ..root() }, "load a program");
    assert_eq!(check.found, "EACCES");
    assert!(check.means.contains("security module"), "{check:?}");
}

#[test]
fn locked_memory_counts_before_5_11_alone() {
    let old = Findings { version: version(5, 10), memlock: Some("65536 bytes".to_owned()), ..root() };
    assert_eq!(row(&old, "RLIMIT_MEMLOCK").remedy.as_deref(), Some("ulimit -l unlimited"));
    let new = Findings { version: version(5, 11), ..old };
    assert!(examine(&new).checks.iter().all(|check| check.name != "RLIMIT_MEMLOCK"));
}

#[test]
fn a_kernel_before_5_8_is_not_supported() {
    assert_eq!(row(&Findings { version: version(5, 7), ..root() }, "kernel").ok, Some(false));
    assert_eq!(row(&Findings { version: version(5, 8), ..root() }, "kernel").ok, Some(true));
}

#[test]
fn cap_sys_admin_stands_for_cap_bpf_and_cap_perfmon() {
    let privileges = Privileges { effective: 1 << CAP_SYS_ADMIN.number, ..root().privileges };
    let findings = Findings { privileges, ..root() };
    for capability in [CAP_BPF, CAP_PERFMON] {
        let check = row(&findings, capability.name);
        assert_eq!((check.ok, check.found.as_str()), (Some(true), "held as part of CAP_SYS_ADMIN"));
    }
    assert_eq!(row(&findings, CAP_NET_RAW.name).ok, Some(false));
}

#[test]
fn in_a_user_namespace_a_capability_that_is_held_is_said_not_to_count() {
    let privileges = Privileges { in_user_namespace: true, ..root().privileges };
    let check = row(&Findings { privileges, ..root() }, "CAP_BPF");
    assert_eq!((check.ok, check.found.as_str()), (Some(false), "held, but in the user namespace only"));
}

#[test]
fn lockdown_takes_helpers_away_only_where_it_is_confidentiality() {
    let row_of = |modes: &str| {
        let privileges = Privileges { lockdown: Some(modes.to_owned()), ..root().privileges };
        row(&Findings { privileges, ..root() }, "lockdown")
    };
    assert_eq!(row_of("none [integrity] confidentiality").ok, Some(true));
    let check = row_of("none integrity [confidentiality]");
    assert!(check.ok == Some(false) && check.means.contains("bpf_probe_read_kernel"), "{check:?}");
}

#[test]
fn what_cannot_be_read_is_neither_right_nor_wrong() {
    let privileges = Privileges { lockdown: None, ..root().privileges };
    let blind = Findings { privileges, jit: None, optmem_max: None, ..root() };
    for name in ["lockdown", "net.core.bpf_jit_enable", "net.core.optmem_max"] {
        let check = row(&blind, name);
        assert_eq!((check.ok, check.found.as_str()), (None, "cannot be read"));
    }
}
