//! Where a sandbox sends anything: to this machine only.

use url::{Host, Url};

/// Whether a URL's host is this machine, by a loopback address or by the name `localhost`.
pub(crate) fn is_loopback(url: &str) -> bool {
    let url = Url::parse(url).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_host_is_delivered_to() {
        for url in ["http://127.0.0.1:1/x", "http://127.9.9.9/", "http://[::1]:80/", "http://LOCALHOST:8/"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in
            ["http://10.0.0.1/", "http://example.com/", "http://localhost.example.com/", "http://[::2]/"]
        {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
