//! The web pages of others that may ask the shop with a storefront key: where a browser says they come from.

use std::fmt;

use crate::refusal::Refusal;

/// The most origins of one channel.
pub const ORIGINS_MAX: usize = 50;
/// The longest origin: a host name may have 253 characters.
pub const ORIGIN_CHARS_MAX: usize = 270;

/// Before the hash of the certificate an Android app is signed with: so its Credential Manager names an app where a browser names a page.
const APP: &str = "android:apk-key-hash:";
/// The characters of such a hash: 32 bytes in base64 for addresses, without padding.
const APP_HASH_CHARS: usize = 43;

/// Scheme, host and port of a web page as a browser sends it in `Origin`: `https://shop.example`; or an Android app, by the hash of its certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin; the port is left out where it is the scheme's own. Of an app's the hash stays as it is written.
    ///
    /// # Errors
    /// The refusal says what an origin looks like.
    pub fn parse(text: &str) -> Result<Origin, Refusal> {
        if let Some(hash) = text.strip_prefix(APP) {
            return Origin::of_app(hash);
        }
        let wrong =
            || Refusal::invalid("origin", "give scheme, host and maybe a port, such as https://shop.example");
        let text = text.to_ascii_lowercase();
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let own_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(wrong()),
        };
        let rest = rest.strip_suffix(own_port).unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let is_host = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        };
        let is_address = |host: &str| {
            let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
        };
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0));
        if text.len() > ORIGIN_CHARS_MAX || !is_port || !(is_host(host) || is_address(host)) {
            return Err(wrong());
        }
        Ok(Origin(format!("{scheme}://{rest}")))
    }

    fn of_app(hash: &str) -> Result<Origin, Refusal> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if hash.len() == APP_HASH_CHARS && hash.bytes().all(is_plain) {
            return Ok(Origin(format!("{APP}{hash}")));
        }
        let why = format!(
            "an app is named {APP} and the SHA-256 of its certificate in base64 for addresses, {APP_HASH_CHARS} characters"
        );
        Err(Refusal::invalid("origin", why))
    }

    /// Is it an app, and no page?
    pub fn is_app(&self) -> bool {
        self.0.starts_with(APP)
    }

    /// As the browser sends it.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Checks the origins of a channel, and puts them in order.
///
/// # Errors
/// When there are too many, or one is named twice.
pub fn each_once(mut origins: Vec<Origin>) -> Result<Vec<Origin>, Refusal> {
    if origins.len() > ORIGINS_MAX {
        return Err(Refusal::invalid("origins", format!("give at most {ORIGINS_MAX}")));
    }
    origins.sort_unstable();
    match origins.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Refusal::invalid("origins", format!("{} is named twice; name each once", pair[0]))),
        None => Ok(origins),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        let read = |text: &str| Origin::parse(text).map(|origin| origin.0).ok();
        assert_eq!(read("HTTPS://Shop.Example:443").as_deref(), Some("https://shop.example"));
        assert_eq!(read("http://localhost:5173").as_deref(), Some("http://localhost:5173"));
        assert_eq!(read("http://[::1]:5173").as_deref(), Some("http://[::1]:5173"));
        assert_eq!(read("https://[::1]").as_deref(), Some("https://[::1]"));
        let app = format!("android:apk-key-hash:{}", "aB-_".repeat(10) + "xyZ");
        assert_eq!(read(&app).as_deref(), Some(app.as_str()));
        assert!(Origin::parse(&app).unwrap().is_app());
        for text in [&app[..app.len() - 1], &app.replace('-', "+"), "android:apk-key-hash:"] {
            assert_eq!(read(text), None, "{text}");
        }
        let wrong = ["", "*", "null", "shop.example", "https://", "https://shop.example/", "https://a:0"];
        for text in wrong.into_iter().chain([
            "ftp://a",
            "https://a b",
            "https://a@b",
            "https://a:99999",
            "https://[:]",
        ]) {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn each_origin_once() {
        let shop = Origin::parse("https://shop.example").unwrap();
        assert_eq!(each_once(vec![shop.clone()]), Ok(vec![shop.clone()]));
        assert_eq!(each_once(vec![shop.clone(), shop]).unwrap_err().field(), Some("origins"));
    }
}
