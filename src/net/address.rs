//! Which addresses an outgoing connection may reach, checked on the resolved address.

use std::net::{IpAddr, Ipv6Addr};

use crate::domain::IpRange;

/// `upstream.deny_addresses` with its exceptions.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    /// Refused, unless allowed.
    pub deny: Vec<IpRange>,
    /// Exceptions to `deny`.
    pub allow: Vec<IpRange>,
}

impl AddressPolicy {
    /// Whether a connection to the address may be made.
    ///
    /// An IPv4 address written as IPv6 (`::ffff:169.254.169.254`, or NAT64 and 6to4 forms of it) is
    /// judged as the IPv4 address it reaches.
    #[must_use]
    pub fn permits(&self, ip: IpAddr) -> bool {
        let ip = as_reached(ip);
        self.allow.iter().any(|range| range.contains(ip))
            || !self.deny.iter().any(|range| range.contains(ip))
    }
}

/// The IPv4 address inside an IPv6 one that only wraps it, else the address itself.
fn as_reached(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => embedded_v4(v6).map_or(ip, IpAddr::V4),
    }
}

fn embedded_v4(v6: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    if let Some(v4) = v6.to_ipv4_mapped() {
        return Some(v4);
    }
    let bits = v6.to_bits();
    let low = u32::try_from(bits & 0xffff_ffff).ok()?;
    // 64:ff9b::/96, RFC 6052.
    if bits >> 32 == 0x0064_ff9b_0000_0000_0000_0000 {
        return Some(low.into());
    }
    // 64:ff9b:1::/48 (RFC 8215), ::ffff:0:0:0/96 (RFC 2765) and ::/96 (RFC 4291, deprecated).
    let translated =
        bits >> 80 == 0x0064_ff9b_0001 || bits >> 32 == 0xffff_0000 || (bits >> 32 == 0 && low > 1);
    if translated {
        return Some(low.into());
    }
    // 2002::/16, RFC 3056: the address is in bits 16..48.
    if bits >> 112 == 0x2002 {
        return u32::try_from((bits >> 80) & 0xffff_ffff).ok().map(Into::into);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(deny: &[&str], allow: &[&str]) -> AddressPolicy {
        let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        AddressPolicy { deny: parse(deny), allow: parse(allow) }
    }

    fn permits(policy: &AddressPolicy, ip: &str) -> bool {
        policy.permits(ip.parse().unwrap())
    }

    #[test]
    fn denied_ranges_hold_in_every_spelling_of_an_address() {
        let policy = policy(&["169.254.0.0/16", "fe80::/10", "fd00:ec2::254"], &[]);
        for denied in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::169.254.169.254",
            "64:ff9b:1::a9fe:a9fe",
            "::ffff:0:169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
        ] {
            assert!(!permits(&policy, denied), "{denied}");
        }
        for fine in
            ["169.253.255.255", "169.255.0.0", "10.0.0.1", "127.0.0.1", "fd00:ec2::255", "::1"]
        {
            assert!(permits(&policy, fine), "{fine}");
        }
    }

    #[test]
    fn an_exception_wins_over_a_denied_range() {
        let policy = policy(&["169.254.0.0/16"], &["169.254.10.0/24"]);
        assert!(permits(&policy, "169.254.10.7"));
        assert!(!permits(&policy, "169.254.11.7"));
    }
}
