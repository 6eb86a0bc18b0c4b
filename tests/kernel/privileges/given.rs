//! How a process comes to its capabilities, or to none that count.

use super::load;
use crate::support::everybody::{Everybody, NOBODY, nobody_with, without_bpf};
use crate::support::objects::object;
use crate::support::text;

/// A file capability on the binary, as `setcap` gives it, is as good as being started with it.
#[test]
#[ignore = "needs root, to set a file's capabilities"]
fn a_capability_of_the_file_is_enough() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    let args = load(&pass, &["--listen", "udp:127.0.0.1:0"]);
    everybody.run(NOBODY, &args).expect(4).names("CAP_BPF");
    everybody.setcap("cap_bpf=ep");
    everybody.run(NOBODY, &args).expect(0);
    everybody.run(NOBODY, &load(&pass, &["--packet", "lo"])).expect(4).names("CAP_NET_RAW");
    everybody.setcap("cap_bpf,cap_net_raw=ep");
    everybody.run(NOBODY, &load(&pass, &["--packet", "lo"])).expect(0);
}

/// As `DynamicUser=` and `AmbientCapabilities=CAP_BPF` of systemd start it: a user of no name, with `no_new_privs`.
#[test]
#[ignore = "needs root, to become somebody"]
fn an_ambient_capability_is_enough_with_no_new_privs() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    let mut user = nobody_with(&["CAP_BPF"]);
    user.push("--no-new-privs".to_owned());
    everybody.run(&user, &load(&pass, &["--listen", "udp:127.0.0.1:0"])).expect(0);
}

/// Root of a user namespace holds every capability there; none counts.
#[test]
#[ignore = "needs user namespaces"]
fn in_a_user_namespace_each_command_says_that_its_capabilities_do_not_count() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    let namespaces = ["unshare", "--user", "--map-root-user", "--net"];
    for args in [&["check", &pass, "--json"][..], &load(&pass, &["--packet", "lo"]), &["run", &pass, "icmp", "--json"]]
    {
        let error = everybody.run(&namespaces, args).expect(4).names("CAP_BPF");
        assert!(text(&error, "message").contains("user namespace"), "{error}");
        assert!(text(&error, "hint").contains("outside the user namespace"), "{error}");
    }
}

/// Whatever errno a container's filter has for bpf(2), it is the filter that is named, and the exit code is that of privileges.
#[test]
#[ignore = "needs CAP_BPF"]
fn a_seccomp_filter_is_named_whether_it_says_eperm_or_enosys() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    for errno in ["EPERM", "ENOSYS"] {
        let filtered = without_bpf(errno);
        for args in
            [&["check", &pass, "--json"][..], &load(&pass, &["--connect", "127.0.0.1:9"]), &["doctor", "--json"]]
        {
            let error = everybody.run(&filtered, args).expect(4).names("seccomp filter");
            assert!(text(&error, "hint").contains("--cap-add=BPF"), "{error}");
        }
    }
}
