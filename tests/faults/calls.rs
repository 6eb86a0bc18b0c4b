//! With what each call can fail.

/// Of a call that is not named below.
const ANY: &[&str] =
    &["EPERM", "EACCES", "EINVAL", "ENOMEM", "EINTR", "EAGAIN", "EMFILE", "ENOSYS", "EBUSY", "ENOSPC", "EIO"];
/// What the C library and the runtime do for themselves, before and behind anything that minibpf asks for.
const NOT_OURS: &[&str] = &[
    "execve",
    "exit",
    "exit_group",
    "rt_sigreturn",
    "gettid",
    "getpid",
    "set_robust_list",
    "rseq",
    "set_tid_address",
    "rt_sigprocmask",
    "sigaltstack",
    "restart_syscall",
    "vfork",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "arch_prctl",
    "futex",
];

/// The errnos of a call that are worth a try.
pub(crate) fn errnos(call: &str) -> &'static [&'static str] {
    match call {
        _ if NOT_OURS.contains(&call) => &[],
        "bpf" => &[
            "EPERM", "EACCES", "EINVAL", "ENOMEM", "ENOSPC", "E2BIG", "EINTR", "EAGAIN", "EMFILE", "ENOSYS", "EBUSY",
            "ENOENT",
        ],
        "socket" => &["EPERM", "EACCES", "EINVAL", "ENOMEM", "ENOBUFS", "EMFILE", "ENFILE", "EAFNOSUPPORT", "EINTR"],
        "setsockopt" => &["EPERM", "EACCES", "EINVAL", "ENOMEM", "ENOBUFS", "ENOPROTOOPT", "EBUSY", "EINTR", "EAGAIN"],
        "getsockopt" => &["EPERM", "EACCES", "EINVAL", "ENOMEM", "ENOPROTOOPT", "EBADF", "EINTR"],
        "connect" => &[
            "EPERM",
            "EACCES",
            "EINVAL",
            "ENOMEM",
            "ECONNREFUSED",
            "ETIMEDOUT",
            "ENETUNREACH",
            "EADDRNOTAVAIL",
            "EINTR",
            "EAGAIN",
        ],
        "bind" => &["EPERM", "EACCES", "EINVAL", "ENOMEM", "EADDRINUSE", "EADDRNOTAVAIL", "ENODEV", "EINTR"],
        "perf_event_open" => {
            &["EPERM", "EACCES", "EINVAL", "ENOMEM", "EMFILE", "ENOSYS", "EBUSY", "ENOSPC", "EINTR", "ENODEV"]
        }
        "close" => &["EINTR", "EIO", "ENOSPC"],
        // Its answer is where memory ends, also where it could not move that end.
        "brk" => &["retval=0"],
        "madvise" | "mremap" | "mprotect" => &["ENOMEM"],
        "munmap" => &["ENOMEM", "EINVAL"],
        "mmap" => &["ENOMEM", "EPERM", "EACCES", "EINVAL", "EAGAIN", "ENODEV"],
        "clone" | "clone3" => &["EAGAIN", "ENOMEM"],
        // The runtime's own, for its hash maps; it goes on with /dev/urandom where there is no such call.
        "getrandom" => &["ENOSYS", "EINTR"],
        _ => ANY,
    }
}
