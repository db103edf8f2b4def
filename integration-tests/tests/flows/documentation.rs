//! The documentation says what the code does.

use std::{collections::BTreeSet, fs, path::Path};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The keys in the first column of the configuration page's tables, in the part about one server.
fn documented(server: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(repository().join("docs/configuration.md")).unwrap();
    let mut part = "";
    let mut keys = BTreeSet::new();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            part = title;
        }
        if part.contains(server)
            && let Some(cell) = line.strip_prefix("| `")
        {
            keys.insert(cell.split('`').next().unwrap().to_owned());
        }
    }
    assert!(!keys.is_empty(), "no key of {server} is documented");
    keys
}

#[test]
fn the_configuration_page_names_exactly_the_keys_of_db_server() {
    assert_eq!(documented("db-server"), db_server::settings::known_keys());
}

#[test]
fn the_configuration_page_names_exactly_the_keys_of_provider_proxy() {
    assert_eq!(documented("provider-proxy"), provider_proxy::config::known_keys());
}

#[test]
fn the_page_of_capabilities_is_what_the_connectors_offer() {
    let page = fs::read_to_string(repository().join("docs/providers/capabilities.md")).unwrap();
    assert_eq!(page, provider_proxy::providers::capabilities_page(), "./dev capabilities writes it anew");
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    let mut pages = vec![repository().join("README.md"), repository().join("CHANGELOG.md")];
    let mut folders = vec![repository().join("docs"), repository().join("deploy")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = page.parent().unwrap().join(target);
            assert!(path.exists(), "{}: {link} leads nowhere", page.display());
        }
    }
}
