//! tun and tap devices: a filter on what the machine sends into one, or a program that chooses the queue.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use minibpf::explain::{Call, Fd, Field};
use minibpf::hook::{Hook, tun};
use minibpf::sys::SysError;
use nix::errno::Errno;
use serde_json::json;

use super::calls;
use super::opened::{Flow, Member, Opened, Taken};
use super::opening::Opening;
use super::owner::another;
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::trace::Tracer;

/// The row of the table.
pub(super) fn hook(steers: bool) -> Hook {
    if steers { tun::STEERING } else { tun::FILTER }
}

impl Opening<'_> {
    /// A device of this name, new or persistent, with this many queues.
    pub(super) fn tun_named(&mut self, steers: bool, name: &str, queues: usize) -> Result<Opened, Failure> {
        let flags = flags(name, queues)?;
        let members = (0..queues).map(|_| open(name, flags, self.tracer)).collect::<Result<Vec<_>, _>>()?;
        let first =
            members.first().ok_or_else(|| Failure::new(Exit::Usage, "--sockets: there is at least one queue"))?;
        self.set_tun(steers, first, &Cell::new(false))?;
        let socket = another(first)?;
        let byte0 = if flags & IFF_TAP != 0 { hook(steers).byte0 } else { "IP header" };
        let facts = json!({ "interface": name, "queues": queues, "when": "while open" });
        let words = format!("{name} (queues: {queues}), which receives when it is up (ip link set {name} up)");
        let opened = Opened::new(Hook { byte0, ..hook(steers) }, Flow::Group(Member::Frames), socket, words, facts);
        Ok(Opened { members, taken: Taken::Tun { steers }, ..opened })
    }

    pub(super) fn set_tun(&mut self, steers: bool, queue: &OwnedFd, is_on: &Cell<bool>) -> Result<(), Failure> {
        let program = self.program.as_fd();
        let result = set(steers, queue, Some(program));
        is_on.set(result.is_ok());
        self.attached(|| set_call(steers, queue, Some(program)), &result)
    }
}

/// TUNSETFILTEREBPF or TUNSETSTEERINGEBPF.
pub(super) fn set(steers: bool, queue: &OwnedFd, program: Option<BorrowedFd<'_>>) -> Result<(), SysError> {
    if steers { tun::set_steering(queue, program) } else { tun::set_filter(queue, program) }
}

fn set_call(steers: bool, queue: &OwnedFd, program: Option<BorrowedFd<'_>>) -> Call {
    let number = program.map_or_else(|| "-1".to_owned(), |program| Fd::of(&program).to_string());
    let request = if steers { "TUNSETSTEERINGEBPF" } else { "TUNSETFILTEREBPF" };
    let fields = vec![
        ("fd", Field::Fd(Fd::of(queue))),
        ("request", Field::Constant(request.to_owned())),
        ("arg", Field::Constant(format!("[{number}]"))),
    ];
    let why = if program.is_some() { "for all queues of the device" } else { "-1 takes it off" };
    calls::plain("ioctl", fields, why)
}

/// Takes the program off a device.
pub(super) fn release(steers: bool, queue: &OwnedFd, tracer: &Tracer<'_>) -> Result<(), Failure> {
    let result = set(steers, queue, None);
    tracer.result(|| set_call(steers, queue, None), &result)?;
    result.map_err(|error| Failure::new(Exit::Socket, error).hint("is the descriptor one of /dev/net/tun?"))
}

/// `IFF_TAP`, `IFF_NO_PI`, `IFF_MULTI_QUEUE`: an Ethernet device, without a header before each frame.
const IFF_TAP: i16 = 0x0002;
const IFF_NO_PI: i16 = 0x1000;
const IFF_MULTI_QUEUE: i16 = 0x0100;

/// How a device is to be opened: as it is, or if it is to be made, as a tap.
fn flags(name: &str, queues: usize) -> Result<i16, Failure> {
    let made = IFF_TAP | IFF_NO_PI | if queues > 1 { IFF_MULTI_QUEUE } else { 0 };
    let there = std::path::Path::new("/sys/class/net").join(name);
    let Ok(text) = std::fs::read_to_string(there.join("tun_flags")) else {
        return if there.exists() {
            Err(Failure::new(Exit::Socket, format!("{name}: this interface is no tun or tap device")))
        } else {
            Ok(made)
        };
    };
    let is = text.trim().strip_prefix("0x").and_then(|hex| i32::from_str_radix(hex, 16).ok()).unwrap_or(0);
    let is = (is & 0xffff) as i16;
    if queues > 1 && is & IFF_MULTI_QUEUE == 0 {
        return Err(Failure::new(Exit::Socket, format!("{name}: the device has one queue"))
            .hint("one with several is made by: ip tuntap add NAME mode tap multi_queue"));
    }
    // IFF_TUN or IFF_TAP, IFF_NO_PI, IFF_VNET_HDR and IFF_MULTI_QUEUE are its own.
    Ok(is & (0x0003 | IFF_NO_PI | IFF_MULTI_QUEUE | 0x4000))
}

fn open(name: &str, flags: i16, tracer: &Tracer<'_>) -> Result<OwnedFd, Failure> {
    let queue = tun::open_queue(name, flags);
    let words = format!("{{ifr_name=\"{name}\", ifr_flags={flags:#x}}}");
    let number = queue.as_ref().map(|_| 0).map_err(|error| error.errno);
    let call = || {
        let device = queue.as_ref().map_or_else(|_| Fd::Role("/dev/net/tun".to_owned()), Fd::of);
        let request = ("request", Field::Constant("TUNSETIFF".to_owned()));
        calls::plain(
            "ioctl",
            vec![("fd", Field::Fd(device)), request, ("arg", Field::Constant(words))],
            "one queue of the device",
        )
    };
    tracer.call(call, number)?;
    queue.map_err(|error| {
        let failure = Failure::new(Exit::Socket, format!("{name}: {error}"));
        match error.errno {
            Errno::EACCES if error.call.starts_with("open") => Failure { exit: Exit::Privileges, ..failure }
                .hint("the mode of /dev/net/tun does not let this user open it; it is 0666 where udev has made it"),
            Errno::EPERM | Errno::EACCES => Failure { exit: Exit::Privileges, ..failure }
                .hint("a device is opened with CAP_NET_ADMIN, or by its owner (ip tuntap add … user NAME)"),
            Errno::EBUSY => failure.hint(
                "another process holds it, and it has one queue: that process's descriptor is reached by tun-filter:pid:PID:FD",
            ),
            Errno::EINVAL => failure.hint("the device is held with other flags (tun or tap, one queue or several) than it is opened with"),
            _ => failure,
        }
    })
}

/// Opens a device that is there, to take a program off.
pub(super) fn open_to_detach(name: &str, tracer: &Tracer<'_>) -> Result<OwnedFd, Failure> {
    if !std::path::Path::new("/sys/class/net").join(name).exists() {
        return Err(Failure::new(Exit::Socket, format!("{name}: there is no interface of this name")));
    }
    open(name, flags(name, 1)?, tracer)
}
