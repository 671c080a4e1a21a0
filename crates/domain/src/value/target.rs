//! Addresses of other programs that people write into the books, and which addresses belong to the public network: a shop must not be
//! talked into asking its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most characters of an address.
const ADDRESS_CHARS_MAX: usize = 1000;
/// Names that never lead out of a machine or a house.
const HOUSE_NAMES: [&str; 5] = ["localhost", "local", "internal", "intranet", "home.arpa"];

/// An address of another program: `https://` or `http://`, a host, and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: String,
    host: String,
}

impl Target {
    /// Reads an address. A name and password in it, and a part after `#`, are refused: the first would be shown, the second never sent.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Target, String> {
        let expected = || {
            format!(
                "give an address such as https://example.com/events, without name, password and #, of at most {ADDRESS_CHARS_MAX} characters"
            )
        };
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let clean = text.len() <= ADDRESS_CHARS_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
        let rest = rest.filter(|_| clean).ok_or_else(expected)?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = host_of(authority).ok_or_else(expected)?;
        Ok(Target { url: text.to_owned(), host })
    }

    /// The whole address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Why it is no address for everybody's events, if it is none: it is not encrypted, or names a place within the house. Where a name
    /// of the public network leads is seen when it is called.
    pub fn why_private(&self) -> Option<&'static str> {
        if !self.url.starts_with("https://") {
            return Some("it is not encrypted: give an address that begins with https://");
        }
        let address: Option<IpAddr> = self.host.parse().ok();
        let host = self.host.trim_end_matches('.');
        let in_house = |name: &str| host == name || host.ends_with(&format!(".{name}"));
        let is_private = match address {
            Some(address) => !is_public(address),
            None => HOUSE_NAMES.iter().any(|name| in_house(name)),
        };
        is_private.then_some("it lies in a private network, which the operator does not allow")
    }
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`, in lower case.
fn host_of(authority: &str) -> Option<String> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, port)) => {
            inside.parse::<Ipv6Addr>().ok()?;
            (inside, port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if host.is_empty() || host.len() > 253 || !host.bytes().all(is_part) {
                return None;
            }
            (host, port)
        }
    };
    let number = |port: &str| port.parse::<u16>().is_ok_and(|number| number > 0);
    let fits = port.is_empty() || port.strip_prefix(':').is_some_and(number);
    fits.then(|| host.to_ascii_lowercase())
}

/// Does an address belong to the public network? Everything that IANA reserves for one machine, one house, one provider, many receivers
/// at once, documents or tests does not (RFC 6890 and its registries).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let one_machine_or_many = matches!(a, 0 | 10 | 127 | 224..=255);
    let one_house =
        matches!((a, b), (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168) | (198, 18..=19));
    let one_purpose = matches!((a, b, c), (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113));
    !(one_machine_or_many || one_house || one_purpose)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = || {
        let [.., a, b] = parts;
        let ([a, b], [c, d]) = (a.to_be_bytes(), b.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => is_public_v4(embedded()),
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_nothing_secret() {
        for good in [
            "https://example.com",
            "https://example.com/hooks?shop=1",
            "http://127.0.0.1:4010/x",
            "https://[2606:4700::1111]:8443/",
            "https://example.com?x",
        ] {
            assert_eq!(Target::parse(good).unwrap().url(), good);
        }
        let long = format!("https://example.com/{}", "a".repeat(ADDRESS_CHARS_MAX));
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https:///path",
            "https://:443/",
            "https://ada:secret@example.com/",
            "https://example.com/#part",
            "https://example.com:0/",
            "https://example.com:70000/",
            "https://exa mple.com/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://ex\u{e4}mple.com/",
            "https://example.com\\@127.0.0.1/",
            &long,
        ] {
            assert!(Target::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_lies_in_the_house_is_private() {
        let private = |url: &str| Target::parse(url).unwrap().why_private().is_some();
        for url in [
            "http://example.com/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://printer.local/",
            "https://10.1.2.3/",
            "https://[::1]/",
            "https://[::ffff:192.168.0.1]/",
        ] {
            assert!(private(url), "{url}");
        }
        assert!(!private("https://example.com/") && !private("https://notlocalhost.com/"));
        assert!(!private("https://93.184.215.14/"));
    }

    #[test]
    fn reserved_addresses_are_not_public() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(text), "{text}");
        }
        for text in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(public(text), "{text}");
        }
    }
}
