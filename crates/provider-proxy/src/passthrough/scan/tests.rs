//! A secret is found in every form, however its bytes are split, and nothing else is held up.

use data_encoding::BASE64;
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn scanner(secrets: &[&str]) -> Arc<Scanner> {
    Arc::new(Scanner::new(secrets.iter().map(|secret| SecretString::from(*secret))))
}

/// What goes on of a body given in chunks, and whether it held a secret.
fn scan<'a>(scanner: &Arc<Scanner>, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, bool) {
    let (mut stream, mut released) = (scanner.stream(), Vec::new());
    for chunk in chunks {
        match stream.feed(Bytes::copy_from_slice(chunk)) {
            Verdict::Clean(Released { held, fresh }) => {
                released.extend_from_slice(&held);
                released.extend_from_slice(&fresh);
            }
            Verdict::Leak => return (released, true),
        }
    }
    released.extend_from_slice(&stream.finish());
    (released, false)
}

/// The chunks between ascending places.
fn split<'a>(text: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(text.len() + 1)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// The forms, written apart from the product's code: what a target may make of a secret, and how many bytes of it
/// hold no whole byte of the secret.
fn travelling(secret: &str, form: usize) -> (Vec<u8>, usize) {
    let bytes = secret.as_bytes();
    let escape = |write: &dyn Fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<String>();
    let base64 =
        |before: &str| (BASE64.encode(&[before.as_bytes(), bytes, b"|"].concat()), 1 + before.len() * 8 / 6);
    let url = |(text, before): (String, usize)| (text.replace('+', "-").replace('/', "_"), before);
    let keep = |byte: u8| byte.is_ascii_alphanumeric();
    let (text, before) = match form {
        0 => (secret.to_owned(), 0),
        1 => base64(""),
        2 => base64("u"),
        3 => base64("ab"),
        4 => base64("user:"),
        5 => url(base64("u")),
        6 => url(base64("ab")),
        7 => url(base64("")),
        8 => (escape(&|byte| format!("{byte:02x}")), 0),
        9 => (escape(&|byte| format!("{byte:02X}")), 0),
        10 => (escape(&|byte| if keep(byte) { char::from(byte).into() } else { format!("%{byte:02X}") }), 0),
        11 => (escape(&|byte| if keep(byte) { char::from(byte).into() } else { format!("%{byte:02x}") }), 0),
        12 => (escape(&|byte| format!("%{byte:02X}")), 0),
        13 => (json(secret), 0),
        14 => (json(secret).replace('/', "\\/"), 0),
        15 => (escape(&|byte| format!("\\u{byte:04x}")), 0),
        16 => (escape(&|byte| format!("\\u{byte:04X}")), 0),
        17 => (xml(secret), 0),
        18 => (serde_urlencoded_value(secret), 0),
        19 => (base64("u").0.replace('/', "\\/"), base64("u").1),
        20 => (
            percent_encoding::utf8_percent_encode(&base64("ab").0, NON_ALPHANUMERIC).to_string(),
            base64("ab").1,
        ),
        _ => (escape(&|byte| format!("&#x{byte:x};")), 0),
    };
    (text.into_bytes(), before)
}

use percent_encoding::NON_ALPHANUMERIC;

fn json(secret: &str) -> String {
    let quoted = serde_json::to_string(secret).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn xml(secret: &str) -> String {
    secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn serde_urlencoded_value(secret: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"*-._".contains(byte);
    let write = |byte: &u8| match byte {
        b' ' => "+".to_owned(),
        byte if keep(byte) => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    secret.as_bytes().iter().map(write).collect()
}

const FORMS: usize = 22;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_secret_is_found_in_every_form_and_no_byte_of_it_is_released(
        secret in "[ -~]{8,40}",
        others in prop::collection::vec("[!-~]{8,60}", 0..4),
        form in 0..FORMS,
        before in "[ -~]{0,300}",
        after in "[ -~]{0,300}",
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        // A text in which nothing but blanks is found is not a secret that settings accept.
        prop_assume!(!secret.trim().is_empty());
        let mut secrets = vec![secret.as_str()];
        secrets.extend(others.iter().map(String::as_str));
        let (travelling, public) = travelling(&secret, form);
        let text = [before.as_bytes(), &travelling, after.as_bytes()].concat();
        let (released, leak) = scan(&scanner(&secrets), split(&text, &places));
        prop_assert!(leak, "form {form} passes");
        // What precedes may hold a secret by chance, but nothing behind this one's first byte may have gone on.
        prop_assert!(released.len() <= before.len() + public, "form {form}");
        prop_assert!(text.starts_with(&released));
    }

    #[test]
    fn what_holds_no_secret_passes_byte_for_byte(
        secrets in prop::collection::vec("[A-Z]{8,40}", 1..4),
        text in "[a-z&%<{}\"\\\\ /=+]{0,2000}",
        cut in any::<prop::sample::Index>(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        // Beginnings of secrets that are none in the end make it harder.
        let beginning = &secrets[0][..secrets[0].len() - 1];
        let at = cut.index(text.len() + 1);
        // The blank keeps the second from completing the first.
        let text = [&text[..at], beginning, " ", &text[at..], beginning].concat();
        let names: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let (released, leak) = scan(&scanner(&names), split(text.as_bytes(), &places));
        prop_assert!(!leak);
        prop_assert_eq!(released, text.as_bytes());
    }

    #[test]
    fn every_secret_of_many_is_found_at_every_place(
        secrets in prop::collection::vec("[a-d]{8,64}", 1..40),
        which in any::<prop::sample::Index>(),
        before in "[a-d]{0,80}",
    ) {
        let names: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let text = format!("{before}{}", secrets[which.index(secrets.len())]);
        prop_assert!(scan(&scanner(&names), [text.as_bytes()]).1);
    }
}

#[test]
fn single_bytes_release_nothing_of_a_secret() {
    let scanner = scanner(&["dummy-secret-0123456789"]);
    let text = b"before dummy-secret-dummy-secret-0123456789 after";
    let (released, leak) = scan(&scanner, text.chunks(1));
    assert!(leak);
    assert_eq!(released, b"before dummy-secret-");
}

#[test]
fn clean_chunks_are_passed_on_without_a_copy_and_at_once() {
    let scanner = scanner(&["dummy-secret-0123456789"]);
    let chunk = Bytes::from_static(b"nothing to see here, and no end that could be a beginning!");
    let Verdict::Clean(released) = scanner.stream().feed(chunk.clone()) else { panic!("leak") };
    assert_eq!(released.fresh.as_ptr(), chunk.as_ptr());
    assert_eq!(released.fresh.len(), chunk.len());
}

#[test]
fn a_beginning_at_the_end_of_the_body_is_released_when_it_is_over() {
    let scanner = scanner(&["dummy-secret-0123456789"]);
    assert_eq!(scan(&scanner, [b"x dummy-".as_slice(), b"secret"]), (b"x dummy-secret".to_vec(), false));
}

#[test]
fn minted_tokens_are_found_as_soon_as_they_are_known_even_by_streams_that_have_begun() {
    let scanner = scanner(&[]);
    let mut stream = scanner.stream();
    let text = Bytes::from_static(b"{\"echo\": \"Bearer minted-token-1\"}");
    assert!(matches!(stream.feed(text.clone()), Verdict::Clean(_)));
    scanner.add(&"minted-token-1".into());
    assert_eq!(stream.feed(text), Verdict::Leak);
    assert_eq!(scanner.minted().len(), 1);
    scanner.add(&"minted-token-1".into());
    assert_eq!(scanner.minted().len(), 1);
}

#[test]
fn only_the_newest_minted_tokens_are_kept() {
    let scanner = scanner(&[]);
    for number in 0..=MINTED {
        scanner.add(&format!("minted-token-{number:04}").into());
    }
    assert!(!scanner.finds(b"minted-token-0000"));
    assert!(scanner.finds(b"minted-token-0001"));
    assert!(scanner.finds(format!("minted-token-{MINTED:04}").as_bytes()));
}

#[test]
fn a_web_token_is_known_by_its_signature_and_not_by_what_all_tokens_share() {
    let scanner = scanner(&[]);
    scanner.add(&"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLXNpZ25hdHVyZS0".into());
    assert!(scanner.finds(b"x.y.c2lnbmF0dXJlLXNpZ25hdHVyZS0"));
    assert!(!scanner.finds(b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.b3RoZXItb3RoZXItb3RoZXItb3Ro"));
}

#[test]
fn a_private_key_is_found_by_each_of_its_lines() {
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v\nVpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    let scanner = scanner(&[pem]);
    assert!(scanner.finds(b"..VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g.."));
    assert!(scanner.finds(serde_json::to_string(pem).unwrap().as_bytes()));
    assert!(!scanner.finds(b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"));
}

#[test]
fn a_secret_of_other_letters_is_found() {
    let scanner = scanner(&["gëheim-wörd"]);
    for text in ["gëheim-wörd", "g\\u00ebheim-w\\u00f6rd", "g%C3%ABheim-w%c3%b6rd", "g%c3%abheim-w%c3%b6rd"]
    {
        assert_eq!(scanner.finds(text.as_bytes()), text != "g%C3%ABheim-w%c3%b6rd", "{text}");
    }
}

#[test]
fn headers_are_searched_in_name_and_value() {
    let scanner = scanner(&["dummy-Secret-1"]);
    let leaks = |name: &'static str, value: &str| {
        let mut headers = HeaderMap::new();
        headers.append("x-other", HeaderValue::from_static("fine"));
        headers.append(name, HeaderValue::from_str(value).unwrap());
        scanner.header_leaks(&headers)
    };
    assert!(leaks("x-echo", "Bearer dummy-Secret-1"));
    assert!(leaks("x-echo", &format!("Basic {}", BASE64.encode(b"user:dummy-Secret-1"))));
    assert!(leaks("x-dummy-secret-1", "fine"));
    assert!(!leaks("x-dummy", "dummy-Secret-2"));
}

#[test]
fn a_short_secret_is_not_looked_for_and_no_debug_shows_one() {
    let scanner = scanner(&["short", "dummy-long-enough"]);
    assert!(!scanner.finds(b"short"));
    let shown = format!("{scanner:?} {:?}", scanner.stream());
    assert!(!shown.contains("dummy") && !shown.contains("short"), "{shown}");
}

#[test]
fn text_is_scanned_and_what_is_compressed_or_binary_is_not() {
    let scanned = |headers: &[(&'static str, &'static str)]| {
        let pairs = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_scanned(&pairs.collect())
    };
    assert!(scanned(&[]));
    for text in [
        "text/html",
        "TEXT/plain; charset=utf-8",
        "application/json",
        "application/problem+json",
        "application/vnd.api+json; v=1",
        "application/soap+xml",
        "application/xml",
        "image/svg+xml",
        "application/javascript",
        "application/x-javascript",
        "application/x-www-form-urlencoded",
        "application/x-ndjson",
        "nonsense",
        "",
    ] {
        assert!(scanned(&[("content-type", text)]), "{text}");
        assert!(scanned(&[("content-type", text), ("content-encoding", "identity")]), "{text}");
        assert!(!scanned(&[("content-type", text), ("content-encoding", "gzip")]), "{text}");
    }
    for binary in ["application/octet-stream", "image/png", "application/pdf", "application/zip", "video/mp4"]
    {
        assert!(!scanned(&[("content-type", binary)]), "{binary}");
    }
    assert!(scanned(&[("content-type", "image/png"), ("content-type", "text/plain")]));
}
