//! The calls that would follow the plan.

use minibpf::explain::{self, Call, Fd, Field};
use serde_json::json;

use super::attach_to::AttachTo;
use super::parse::{ConnectTo, ListenAt};
use super::{Target, TargetOptions, calls};
use crate::cmd::failure::Failure;
use crate::cmd::output::Output;
use crate::cmd::trace::merged;

impl Target {
    /// Prints the attach, and the call that opens the socket to packets, in the order in which they would be made.
    pub(crate) fn dry_run(&self, output: &Output, options: &TargetOptions) -> Result<(), Failure> {
        for call in self.calls(options) {
            output.text(format_args!("{}  /* {} */", call.text(output.detail()), call.why))?;
            output.data(&merged(json!({ "kind": "step" }), call.json()))?;
        }
        Ok(())
    }

    fn calls(&self, options: &TargetOptions) -> Vec<Call> {
        let attach =
            explain::attach(role("socket"), &role("program"), "every packet that the socket receives goes through it");
        if let Some(at) = &self.attach {
            return attached(at, attach);
        }
        let opens = self.opening_call();
        let calls = if options.after_connect { [opens, Some(attach)] } else { [Some(attach), opens] };
        calls.into_iter().flatten().collect()
    }

    fn opening_call(&self) -> Option<Call> {
        match (&self.connect, &self.listen, &self.packet) {
            (Some(ConnectTo::Tcp(name)), ..) => Some(opens("connect", name.to_string(), "the handshake")),
            (Some(ConnectTo::Udp(name)), ..) => Some(opens("connect", name.to_string(), "from here on it sends there")),
            (Some(ConnectTo::Unix(path) | ConnectTo::Unixgram(path)), ..) => {
                Some(opens("connect", path.0.clone(), "from here on it sends there"))
            }
            (_, Some(ListenAt::Tcp(name) | ListenAt::Udp(name)), _) => Some(bind(name.to_string())),
            (_, Some(ListenAt::Unixgram(path)), _) => Some(bind(path.0.clone())),
            // Without an address a raw socket is not bound.
            (_, Some(ListenAt::Raw(at)), _) => at.host.as_ref().map(|host| bind(host.to_string())),
            (.., Some(name)) => Some(bind(name.clone())),
            _ => None,
        }
    }
}

/// The calls of `--attach`.
fn attached(at: &AttachTo, attach: Call) -> Vec<Call> {
    let program = || format!("[{}]", role("program"));
    let group = |level: &str, option: &str, value: String| {
        let fields = vec![
            ("fd", Field::Fd(role("socket"))),
            ("level", Field::Constant(level.to_owned())),
            ("optname", Field::Constant(option.to_owned())),
            ("optval", Field::Constant(value)),
            ("optlen", Field::Number(4)),
        ];
        calls::plain("setsockopt", fields, "for the whole group")
    };
    let reuseport = || group("SOL_SOCKET", "SO_ATTACH_REUSEPORT_EBPF", program());
    match at {
        AttachTo::Reuseport { at, .. } => vec![reuseport(), bind(at.to_string())],
        AttachTo::ReuseportOf { .. } => vec![reuseport()],
        AttachTo::Fanout { interface, group: number } => {
            let join = i64::from(*number) | (7 << 16);
            vec![
                bind(interface.clone()),
                group("SOL_PACKET", "PACKET_FANOUT", format!("[{join}]")),
                group("SOL_PACKET", "PACKET_FANOUT_DATA", program()),
            ]
        }
        AttachTo::Tun { steers, .. } => {
            let request = if *steers { "TUNSETSTEERINGEBPF" } else { "TUNSETFILTEREBPF" };
            let fields = vec![
                ("fd", Field::Fd(role("queue"))),
                ("request", Field::Constant(request.to_owned())),
                ("arg", Field::Constant(program())),
            ];
            vec![calls::plain("ioctl", fields, "for all queues of the device")]
        }
        _ => vec![attach],
    }
}

fn bind(address: String) -> Call {
    opens("bind", address, "from here on it receives")
}

fn opens(syscall: &'static str, address: String, why: &str) -> Call {
    calls::plain(syscall, vec![("fd", Field::Fd(role("socket"))), ("addr", Field::Constant(address))], why)
}

fn role(name: &str) -> Fd {
    Fd::Role(name.to_owned())
}
