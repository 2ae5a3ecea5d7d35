//! A network of a process's own, on a wire that can be cut: a network namespace behind a pair of virtual Ethernet
//! devices. All of it is gone with the process.

use std::{
    ffi::OsStr,
    fs,
    net::Ipv4Addr,
    process::{Command, Stdio},
};

use super::until;

/// The network of a process.
pub struct Island {
    process: u32,
    wire: String,
    address: Ipv4Addr,
}

/// For measurements between networks, and so nobody's: RFC 2544.
const NETWORK: u32 = 0xc612_0000;

impl Island {
    /// Runs a program in a network of its own, which [`Island::of`] connects.
    pub fn command(program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("unshare");
        command.arg("--net").arg(program).stderr(Stdio::null());
        command
    }

    /// Connects the network of a process; `number` tells it from others on this machine. None where the process was
    /// granted none, or no wire to it.
    pub async fn of(process: u32, number: u16) -> Option<Self> {
        let own = fs::read_link("/proc/self/ns/net").ok()?;
        let its = format!("/proc/{process}/ns/net");
        let is_its_own = until("the process is in its network, or has ended", async || {
            let is_over = fs::read_to_string(format!("/proc/{process}/cmdline")).ok()?.is_empty();
            let network = fs::read_link(&its);
            match network {
                Ok(network) if network != own => Some(true),
                _ => is_over.then_some(false),
            }
        })
        .await;
        let first = NETWORK + u32::from(number % 0x8000) * 4;
        let [near, far] = [first + 1, first + 2].map(Ipv4Addr::from);
        let island = Self { process, wire: format!("wire{number}"), address: far };
        let is_connected = is_its_own
            && ip(&format!("link add {} type veth peer name wire netns {process}", island.wire))
            && ip(&format!("address add {near}/30 dev {}", island.wire))
            && ip(&format!("link set {} up", island.wire))
            && island.ip(&format!("address add {far}/30 dev wire"))
            && island.ip("link set wire up");
        is_connected.then_some(island)
    }

    /// Where the process is met.
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Nothing comes through, and nobody is told.
    pub fn cut_off(&self) {
        assert!(self.ip("link set wire down"));
    }

    /// Everything comes through again.
    pub fn mend(&self) {
        assert!(self.ip("link set wire up"));
    }

    fn ip(&self, order: &str) -> bool {
        let process = self.process.to_string();
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &process, "ip"]).args(order.split(' '));
        is_done(&mut command)
    }
}

fn ip(order: &str) -> bool {
    is_done(Command::new("ip").args(order.split(' ')))
}

fn is_done(command: &mut Command) -> bool {
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
