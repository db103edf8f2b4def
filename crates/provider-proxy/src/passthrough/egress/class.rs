//! What kind of network an address is in (RFC 6890 and IANA's special-purpose registries).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A kind of network that is not the public Internet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// This machine: 127.0.0.0/8, `::1`.
    Loopback,
    /// RFC 1918, and unique local addresses (RFC 4193).
    Private,
    /// 169.254.0.0/16 and fe80::/10, without the metadata services.
    LinkLocal,
    /// Where a cloud hands its machines their own credentials.
    Metadata,
    /// Shared between a carrier and its customers: 100.64.0.0/10 (RFC 6598).
    SharedAddress,
    /// A translator's prefix of local use: 64:ff9b:1::/48 (RFC 8215). 64:ff9b::/96 counts as the address inside.
    Nat64,
    /// 2002::/16 and its relays at 192.88.99.0/24 (RFC 3056, RFC 7526): whoever runs a relay chooses where it leads.
    SixToFour,
    /// 2001::/32 (RFC 4380).
    Teredo,
    /// 224.0.0.0/4 and ff00::/8.
    Multicast,
    /// 0.0.0.0/8 and `::`, which many systems take for themselves.
    Unspecified,
    /// Of examples (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// Of measurements (RFC 2544, RFC 5180).
    Benchmarking,
    /// Everything else that IANA has not given to the public Internet.
    Reserved,
}

impl Class {
    /// Whether a target of the operator's own network may be there, one with `private = true`. The others are no place
    /// for any target.
    #[must_use]
    pub const fn may_be_private(self) -> bool {
        match self {
            Self::Loopback | Self::Private | Self::LinkLocal | Self::SharedAddress | Self::Nat64 => true,
            // Networks of tests are built with them.
            Self::Documentation | Self::Benchmarking => true,
            Self::Metadata | Self::SixToFour | Self::Teredo => false,
            Self::Multicast | Self::Unspecified | Self::Reserved => false,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a metadata service's address",
            Self::SharedAddress => "a carrier's shared address",
            Self::Nat64 => "a NAT64 address of local use",
            Self::SixToFour => "a 6to4 address",
            Self::Teredo => "a Teredo address",
            Self::Multicast => "a multicast address",
            Self::Unspecified => "an unspecified address",
            Self::Documentation => "an address of documentation",
            Self::Benchmarking => "an address of benchmarks",
            Self::Reserved => "a reserved address",
        })
    }
}

/// The kind of network that an address is in; none for the public Internet.
#[must_use]
pub fn classify(address: IpAddr) -> Option<Class> {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

/// AWS, Azure, Google and most others; Azure's agent; Alibaba; Oracle.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

fn classify_v4(address: Ipv4Addr) -> Option<Class> {
    // ECS tasks and EKS pods get theirs from 169.254.170.0/24.
    if METADATA_V4.contains(&address) || matches!(address.octets(), [169, 254, 170, _]) {
        return Some(Class::Metadata);
    }
    match address.octets() {
        [0, ..] => Some(Class::Unspecified),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Class::Private),
        [100, 64..=127, ..] => Some(Class::SharedAddress),
        [127, ..] => Some(Class::Loopback),
        [169, 254, ..] => Some(Class::LinkLocal),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some(Class::Documentation),
        [192, 0, 0, _] => Some(Class::Reserved),
        [192, 88, 99, _] => Some(Class::SixToFour),
        [198, 18..=19, ..] => Some(Class::Benchmarking),
        [224..=239, ..] => Some(Class::Multicast),
        [240..=255, ..] => Some(Class::Reserved),
        _ => None,
    }
}

/// AWS and Google.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

fn classify_v6(address: Ipv6Addr) -> Option<Class> {
    if METADATA_V6.contains(&address) {
        return Some(Class::Metadata);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Class::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Class::Loopback),
        // IPv4-mapped, and what a translator makes an IPv4 address of.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            classify_v4(embedded(high, low))
        }
        [0x64, 0xff9b, 1, ..] => Some(Class::Nat64),
        [0x2001, 0, ..] => Some(Class::Teredo),
        [0x2001, 2, 0, ..] => Some(Class::Benchmarking),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Some(Class::Documentation),
        // Protocol assignments, ORCHID among them.
        [0x2001, 0..=0x01ff, ..] => Some(Class::Reserved),
        [0x2002, ..] => Some(Class::SixToFour),
        [0x2000..=0x3fff, ..] => None,
        [0xfc00..=0xfdff, ..] => Some(Class::Private),
        [0xfe80..=0xfebf, ..] => Some(Class::LinkLocal),
        [0xff00..=0xffff, ..] => Some(Class::Multicast),
        _ => Some(Class::Reserved),
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_in_its_class() {
        use Class::*;
        for (class, addresses) in [
            (Loopback, "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1"),
            (
                Private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 fc00::1 fdff::1 ::ffff:10.0.0.1 64:ff9b::a00:1",
            ),
            (LinkLocal, "169.254.0.1 169.254.255.255 fe80::1 febf::1 ::ffff:169.254.1.1"),
            (
                Metadata,
                "169.254.169.254 fd00:ec2::254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 169.254.170.2",
            ),
            (Metadata, "100.100.100.200 168.63.129.16 192.0.0.192 fd20:ce::254 fd00:ec2::23"),
            (SharedAddress, "100.64.0.1 100.127.255.255 ::ffff:100.64.0.1"),
            (Nat64, "64:ff9b:1::1 64:ff9b:1:ffff::808:808"),
            (SixToFour, "2002::1 2002:7f00:1::1 2002:808:808::1 192.88.99.1"),
            (Teredo, "2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2"),
            (Multicast, "224.0.0.1 239.255.255.255 ff02::1 ::ffff:224.0.0.1"),
            (Unspecified, "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0"),
            (Documentation, "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff:fff::1"),
            (Benchmarking, "198.18.0.1 198.19.255.255 2001:2::1"),
            (
                Reserved,
                "192.0.0.1 240.0.0.1 255.255.255.255 ::127.0.0.1 100::1 2001:10::1 2001:20::1 fec0::1 4000::1",
            ),
            (Reserved, "5f00::1 64:ff9b:2::1 64:ff9b::1:0:0"),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(classify(address.parse().unwrap()), Some(class), "{address}");
            }
        }
    }

    #[test]
    fn addresses_beside_the_special_ones_are_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:200::1",
            "2606:4700::1111",
            "2003::1",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            assert_eq!(classify(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn not_even_a_private_target_is_at_a_metadata_service() {
        assert!(!Class::Metadata.may_be_private());
        assert!(Class::Loopback.may_be_private() && Class::Private.may_be_private());
    }
}
