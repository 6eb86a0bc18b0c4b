//! Which privilege is for what: the table of docs/privileges.md, a row proved both ways. With the capability alone, as the user
//! nobody, it works; without it the command ends with 4 and names it.

mod given;
mod proofs;

use crate::support::Json;
use crate::support::docs::holds_list;
use crate::support::everybody::{Everybody, nobody_with};
use crate::support::process::Ran;
use proofs::{
    cap_bpf, cap_net_admin, cap_net_bind_service, cap_net_raw, cap_perfmon, cap_sys_admin, cap_sys_ptrace, cap_syslog,
    none,
};

/// A row of the table.
struct Row {
    capability: &'static str,
    allows: &'static str,
    without: &'static str,
    kernel: &'static str,
    proof: fn(&Proof),
}

/// The row's capability, to be had and not to be had.
struct Proof {
    everybody: Everybody,
    capability: &'static str,
}

/// A row and its test, which goes by the row's name: neither is there without the other.
macro_rules! rows {
    ($($test:ident: $row:expr;)*) => {
        const ROWS: &[(&str, Row)] = &[$((stringify!($test), $row)),*];
        $(
            #[test]
            #[ignore = "needs root, to drop capabilities"]
            fn $test() {
                let (_, row) = ROWS.iter().find(|(name, _)| *name == stringify!($test)).unwrap();
                (row.proof)(&Proof { everybody: Everybody::new(), capability: row.capability });
            }
        )*
    };
}

rows! {
    without_any_capability_objects_are_read_and_a_pinned_program_is_attached: Row {
        capability: "none",
        allows: "`explain`, `report`, `--dry-run`, `doctor`, `sockets` of one's own processes; `attach` and `load --attach` on a socket of one's own; `attach`, `dump` and `set` of a pin whose file's mode allows it",
        without: "",
        kernel: "SO_ATTACH_BPF asks for none: `sk_attach_bpf()`, net/core/filter.c",
        proof: none,
    };
    cap_bpf_alone_loads_attaches_runs_and_reads_its_maps: Row {
        capability: "CAP_BPF",
        allows: "`check`, `load` on TCP, UDP and UNIX sockets, `run`; maps, globals, ring buffers, BTF and CO-RE",
        without: "4, unless `kernel.unprivileged_bpf_disabled` is 0",
        kernel: "`bpf_prog_load()`, `map_create()`, kernel/bpf/syscall.c; since 5.8",
        proof: cap_bpf,
    };
    cap_net_raw_opens_packet_and_raw_sockets: Row {
        capability: "CAP_NET_RAW",
        allows: "`--packet`, `--listen raw:`, `fanout:`",
        without: "4",
        kernel: "`packet_create()`, net/packet/af_packet.c; `inet_create()`, net/ipv4/af_inet.c",
        proof: cap_net_raw,
    };
    cap_net_admin_makes_tap_devices: Row {
        capability: "CAP_NET_ADMIN",
        allows: "`tun-filter:` and `tun-steer:` of a device that is new, or somebody else's; maps of sockets and of devices",
        without: "4",
        kernel: "`tun_set_iff()`, drivers/net/tun.c; `map_create()`, kernel/bpf/syscall.c",
        proof: cap_net_admin,
    };
    cap_net_bind_service_takes_a_low_port: Row {
        capability: "CAP_NET_BIND_SERVICE",
        allows: "`--listen` and `reuseport:` at a port below `net.ipv4.ip_unprivileged_port_start` (1024)",
        without: "4",
        kernel: "`__inet_bind()`, net/ipv4/af_inet.c",
        proof: cap_net_bind_service,
    };
    cap_sys_ptrace_reaches_sockets_of_other_users: Row {
        capability: "CAP_SYS_PTRACE",
        allows: "`pid:PID:FD` of another user's process. `pid:PID:tcp:ADDR`, `pid:PID:udp:ADDR` and `sockets PID` list `/proc/PID/fd` as well, which takes CAP_DAC_READ_SEARCH besides, or being root. The same user needs neither",
        without: "4",
        kernel: "`__ptrace_may_access()`, kernel/ptrace.c",
        proof: cap_sys_ptrace,
    };
    cap_sys_admin_opens_by_number_and_counts_runs: Row {
        capability: "CAP_SYS_ADMIN",
        allows: "`id:N`, `prog:N`, `map:N`, maps and programs by name; how often a filter runs; `run --as` tcp, udp, packet, unixgram (a network namespace of its own, so CAP_NET_ADMIN besides)",
        without: "4; `load` goes on without run statistics, and ends 0",
        kernel: "`bpf_prog_get_fd_by_id()`, `bpf_enable_stats()`, kernel/bpf/syscall.c",
        proof: cap_sys_admin,
    };
    cap_perfmon_reads_perf_events_and_lets_programs_look_into_the_kernel: Row {
        capability: "CAP_PERFMON",
        allows: "reading a perf event array; helpers such as bpf_trace_printk and bpf_probe_read_kernel; programs that show an address, which the verifier accepts with it alone",
        without: "4; a perf event array is read all the same where `kernel.perf_event_paranoid` is 0 or less",
        kernel: "`SYSCALL_DEFINE5(perf_event_open)`, kernel/events/core.c; `bpf_base_func_proto()`, kernel/bpf/helpers.c; `allow_ptr_leaks`, kernel/bpf/verifier.c; since 5.8",
        proof: cap_perfmon,
    };
    cap_syslog_shows_the_addresses_of_symbols: Row {
        capability: "CAP_SYSLOG",
        allows: "externs of `.ksyms` without a type (`extern const void NAME __ksym`), weak ones too: a hidden address is not an absent symbol",
        without: "4, unless `kernel.kptr_restrict` is 0 and `kernel.perf_event_paranoid` 1 or less",
        kernel: "`kallsyms_show_value()`, kernel/ksyms_common.c",
        proof: cap_syslog,
    };
}

#[test]
fn the_table_in_the_docs_is_this_one() {
    let mut list = "| capability | what it is for | without it | kernel |\n| --- | --- | --- | --- |\n".to_owned();
    for (_, Row { capability, allows, without, kernel, .. }) in ROWS {
        list += &format!("| {capability} | {allows} | {without} | {kernel} |\n");
    }
    holds_list("privileges.md", "made by tests/kernel/privileges/mod.rs", &list);
}

impl Proof {
    /// The user nobody with these capabilities besides the row's.
    fn with(&self, more: &[&str]) -> Vec<String> {
        nobody_with(&[&[self.capability], more].concat())
    }

    /// What is done with the capability.
    #[track_caller]
    fn works(&self, more: &[&str], args: &[&str]) -> Ran {
        self.everybody.run(&self.with(more), args).expect(0)
    }

    /// Without it, though with all the others that this takes, it ends with 4, and names the capability.
    #[track_caller]
    fn is_refused(&self, more: &[&str], args: &[&str]) -> Json {
        self.everybody.run(&nobody_with(more), args).expect(4).names(self.capability)
    }
}

impl Ran {
    #[track_caller]
    fn names(&self, capability: &str) -> Json {
        let error = self.only("error");
        assert!(format!("{} {}", error["message"], error["hint"]).contains(capability), "{error}");
        error
    }
}

const SECOND: [&str; 3] = ["--duration", "300ms", "--json"];

fn load<'a>(path: &'a str, target: &[&'a str]) -> Vec<&'a str> {
    [&["load", path], target, &SECOND].concat()
}
