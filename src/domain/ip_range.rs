//! A range of IP addresses in CIDR notation.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// `10.0.0.0/8`, `fe80::/10`, or one address. IPv4 and IPv4-mapped IPv6 are the same addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpRange {
    first: IpAddr,
    prefix: u8,
}

impl IpRange {
    /// The IPv4 range of `prefix` bits that `first` begins; host bits are cleared.
    #[must_use]
    pub const fn v4(first: Ipv4Addr, prefix: u8) -> Self {
        let first = Ipv4Addr::from_bits(first.to_bits() & mask_v4(prefix));
        Self { first: IpAddr::V4(first), prefix }
    }

    /// The IPv6 range of `prefix` bits that `first` begins; host bits are cleared.
    #[must_use]
    pub const fn v6(first: Ipv6Addr, prefix: u8) -> Self {
        let first = Ipv6Addr::from_bits(first.to_bits() & mask_v6(prefix));
        Self { first: IpAddr::V6(first), prefix }
    }

    /// The ranges that are reached from one's own machine or network alone, or by nobody: the IANA
    /// special-purpose registries (<https://www.iana.org/assignments/iana-ipv4-special-registry>, and its
    /// IPv6 counterpart).
    #[must_use]
    pub const fn not_public() -> [Self; 16] {
        [
            Self::v4(Ipv4Addr::UNSPECIFIED, 8),
            Self::v4(Ipv4Addr::new(10, 0, 0, 0), 8),
            Self::v4(Ipv4Addr::new(100, 64, 0, 0), 10),
            Self::v4(Ipv4Addr::LOCALHOST, 8),
            Self::v4(Ipv4Addr::new(169, 254, 0, 0), 16),
            Self::v4(Ipv4Addr::new(172, 16, 0, 0), 12),
            Self::v4(Ipv4Addr::new(192, 0, 0, 0), 24),
            Self::v4(Ipv4Addr::new(192, 168, 0, 0), 16),
            Self::v4(Ipv4Addr::new(198, 18, 0, 0), 15),
            Self::v4(Ipv4Addr::new(224, 0, 0, 0), 3),
            Self::v6(Ipv6Addr::UNSPECIFIED, 127),
            Self::v6(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
            Self::v6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
            Self::v6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
            Self::v6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
            Self::v6(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
        ]
    }

    /// Whether the address lies in the range. `::ffff:a.b.c.d` counts as `a.b.c.d`, so that no
    /// spelling of an address escapes its range.
    #[must_use]
    pub const fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                address.to_bits() & mask_v4(self.prefix) == first.to_bits()
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                address.to_bits() & mask_v6(self.prefix) == first.to_bits()
            }
            _ => false,
        }
    }
}

const fn mask_v4(prefix: u8) -> u32 {
    match prefix {
        0 => 0,
        1..=31 => u32::MAX << (32 - prefix),
        _ => u32::MAX,
    }
}

const fn mask_v6(prefix: u8) -> u128 {
    match prefix {
        0 => 0,
        1..=127 => u128::MAX << (128 - prefix),
        _ => u128::MAX,
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl FromStr for IpRange {
    type Err = IpRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| IpRangeError::Address)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.starts_with('+') => return Err(IpRangeError::Prefix(bits)),
            Some(digits) => digits.parse().map_err(|_| IpRangeError::Prefix(bits))?,
        };
        if prefix > bits {
            return Err(IpRangeError::Prefix(bits));
        }
        let range = match address {
            IpAddr::V4(v4) => Self::v4(v4, prefix),
            IpAddr::V6(v6) => Self::v6(v6, prefix),
        };
        if range.first != address {
            return Err(IpRangeError::HostBits(range));
        }
        Ok(range.canonical())
    }
}

impl IpRange {
    /// `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
    const fn canonical(self) -> Self {
        match (self.first.to_canonical(), self.first) {
            (IpAddr::V4(v4), IpAddr::V6(_)) if self.prefix >= 96 => Self::v4(v4, self.prefix - 96),
            _ => self,
        }
    }
}

/// The text is no range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IpRangeError {
    /// The part before the slash is no address.
    #[error("expected an address or a range such as 10.0.0.0/8 or fd00::/8")]
    Address,
    /// The part after the slash is no number of bits; carries the largest.
    #[error("the part after the slash must be a number from 0 to {0}")]
    Prefix(u8),
    /// Bits are set beyond the prefix; carries the range that was probably meant.
    #[error("the address has bits set beyond its prefix; did you mean {0}?")]
    HostBits(IpRange),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> IpRange {
        text.parse().unwrap()
    }

    fn contains(text: &str, address: &str) -> bool {
        range(text).contains(address.parse().unwrap())
    }

    #[test]
    fn a_range_contains_its_first_and_last_address_and_no_neighbour() {
        assert!(contains("169.254.0.0/16", "169.254.0.0"));
        assert!(contains("169.254.0.0/16", "169.254.255.255"));
        assert!(!contains("169.254.0.0/16", "169.253.255.255"));
        assert!(!contains("169.254.0.0/16", "169.255.0.0"));
        assert!(contains("fe80::/10", "febf:ffff::1"));
        assert!(!contains("fe80::/10", "fec0::"));
    }

    #[test]
    fn a_single_address_is_a_range_of_one() {
        assert!(contains("168.63.129.16", "168.63.129.16"));
        assert!(!contains("168.63.129.16", "168.63.129.17"));
        assert!(contains("::1", "::1"));
    }

    #[test]
    fn a_prefix_of_zero_is_everything_of_its_family() {
        assert!(contains("0.0.0.0/0", "8.8.8.8"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "fe80::1"));
    }

    #[test]
    fn a_mapped_spelling_does_not_escape_the_range() {
        assert!(contains("169.254.0.0/16", "::ffff:169.254.169.254"));
        assert!(contains("::ffff:169.254.0.0/112", "169.254.169.254"));
        assert_eq!(range("::ffff:10.0.0.0/104"), range("10.0.0.0/8"));
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_reason() {
        let refusal = |text: &str| text.parse::<IpRange>().unwrap_err();
        assert_eq!(refusal(""), IpRangeError::Address);
        assert_eq!(refusal("example.org/8"), IpRangeError::Address);
        assert_eq!(refusal("10.0.0.0/33"), IpRangeError::Prefix(32));
        assert_eq!(refusal("10.0.0.0/+8"), IpRangeError::Prefix(32));
        assert_eq!(refusal("fd00::/129"), IpRangeError::Prefix(128));
        assert_eq!(refusal("10.1.2.3/8"), IpRangeError::HostBits(range("10.0.0.0/8")));
    }

    #[test]
    fn a_range_prints_as_it_parses() {
        for text in ["10.0.0.0/8", "fe80::/10", "168.63.129.16/32"] {
            assert_eq!(range(text).to_string(), text);
        }
    }
}
