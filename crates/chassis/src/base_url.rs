//! The URL of another server, as settings name it.

use std::fmt;

use url::{Host, Position, Url};

/// An `http` or `https` URL without user, query or fragment, to which paths are appended.
#[derive(Clone, Eq, PartialEq)]
pub struct BaseUrl {
    text: String,
    host: String,
    port: u16,
    /// Where the path begins in `text`.
    path: usize,
    https: bool,
    loopback: bool,
}

impl BaseUrl {
    /// Reads a base URL; a trailing slash makes no difference.
    ///
    /// # Errors
    /// Says what is wrong, without the text itself: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "not a URL")?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("not an http or https URL");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL here holds no user and no password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("a URL here holds no query and no fragment");
        }
        let host = url.host().ok_or("a URL here names a host")?;
        let loopback = match &host {
            Host::Domain(name) => *name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            host: host.to_string(),
            // Both schemes have a port of their own.
            port: url.port_or_known_default().unwrap_or_default(),
            path: url[..Position::BeforePath].len().min(text.len()),
            https: url.scheme() == "https",
            loopback,
            text,
        })
    }

    /// Stands in for a URL that settings lack, until they are refused.
    pub(crate) fn nowhere() -> Self {
        Self { text: String::new(), host: String::new(), port: 0, path: 0, https: false, loopback: false }
    }

    /// The URL without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL of a path, which begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The host, without port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own when the URL names none.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The host, and the port unless it is the scheme's own: what a `Host` header says.
    #[must_use]
    pub fn authority(&self) -> &str {
        let scheme = if self.https { "https://" } else { "http://" };
        self.text.get(scheme.len()..self.path).unwrap_or_default()
    }

    /// The path, which goes before every other one; empty when the URL has none.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.path..).unwrap_or_default()
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Whether the host is this machine by its own name for itself.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BaseUrl({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_appended_to_the_base() {
        for text in ["https://provider.test/api", "https://provider.test/api/"] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!(base.join("/sellers"), "https://provider.test/api/sellers");
            assert_eq!((base.host(), base.is_https(), base.is_loopback()), ("provider.test", true, false));
        }
    }

    #[test]
    fn a_url_is_told_apart_into_what_a_request_needs() {
        for (text, authority, port, path) in [
            ("https://provider.test", "provider.test", 443, ""),
            ("https://provider.test:443/", "provider.test", 443, ""),
            ("http://provider.test/api/v1/", "provider.test", 80, "/api/v1"),
            ("http://[::1]:8080/api", "[::1]:8080", 8080, "/api"),
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!((base.authority(), base.port(), base.path()), (authority, port, path), "{text}");
        }
    }

    #[test]
    fn loopback_is_recognised_in_each_of_its_forms() {
        for text in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost", "http://127.9.9.9"] {
            assert!(BaseUrl::parse(text).unwrap().is_loopback(), "{text}");
        }
    }

    #[test]
    fn a_url_that_could_hold_a_secret_is_refused_without_showing_it() {
        for text in
            ["http://user:dummy-secret@host", "http://host/?key=dummy-secret", "http://host/#dummy-secret"]
        {
            let message = BaseUrl::parse(text).unwrap_err();
            assert!(!message.contains("dummy-secret"));
        }
        for text in ["", "host", "ftp://host", "postgres://host", "/path"] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }
}
