//! The calls that would follow the plan.

use minibpf::explain::{self, Call, Fd, Field};
use serde_json::json;

use super::parse::{ConnectTo, ListenAt};
use super::{Target, TargetOptions, calls};
use crate::cmd::failure::Failure;
use crate::cmd::output::Output;
use crate::cmd::trace::merged;

impl Target {
    /// Prints the attach, and the call that opens the socket to packets, in the order in which they would be made.
    pub(crate) fn dry_run(&self, output: &Output, options: &TargetOptions) -> Result<(), Failure> {
        let attach =
            explain::attach(role("socket"), &role("program"), "every packet that the socket receives goes through it");
        let opens = self.opening_call();
        let calls = if options.after_connect { [opens, Some(attach)] } else { [Some(attach), opens] };
        for call in calls.into_iter().flatten() {
            output.text(format_args!("{}  /* {} */", call.text(output.detail()), call.why))?;
            output.data(&merged(json!({ "kind": "step" }), call.json()))?;
        }
        Ok(())
    }

    fn opening_call(&self) -> Option<Call> {
        let call = |syscall, address: String, why| {
            let fields = vec![("fd", Field::Fd(role("socket"))), ("addr", Field::Constant(address))];
            Some(calls::plain(syscall, fields, why))
        };
        match (&self.connect, &self.listen, &self.packet) {
            (Some(ConnectTo::Tcp(name)), ..) => call("connect", name.to_string(), "the handshake"),
            (Some(ConnectTo::Udp(name)), ..) => call("connect", name.to_string(), "from here on it sends there"),
            (Some(ConnectTo::Unix(path) | ConnectTo::Unixgram(path)), ..) => {
                call("connect", path.0.clone(), "from here on it sends there")
            }
            (_, Some(ListenAt::Tcp(name) | ListenAt::Udp(name)), _) => {
                call("bind", name.to_string(), "from here on it receives")
            }
            (_, Some(ListenAt::Unixgram(path)), _) => call("bind", path.0.clone(), "from here on it receives"),
            (_, Some(ListenAt::Raw(at)), _) => {
                call("bind", at.host.as_ref()?.to_string(), "only what comes to this address")
            }
            (.., Some(name)) => call("bind", name.clone(), "from here on it receives"),
            _ => None,
        }
    }
}

fn role(name: &str) -> Fd {
    Fd::Role(name.to_owned())
}
