//! The forms in which a secret travels.

use std::{collections::BTreeSet, fmt::Write as _};

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::LEAST_LENGTH;

/// Lines of a PEM text shorter than this are its last; what they hold is found with the line before them.
const LEAST_PEM_LINE: usize = 16;

/// What must not come out of a secret: all of it; of a PEM text its lines, since they are broken in more than one way;
/// of a JSON Web Token its signature, since what precedes it is public and alike in all tokens. None of a secret that
/// is too short.
pub(super) fn fragments(secret: &str) -> Vec<&str> {
    if secret.contains("-----BEGIN ") {
        let is_content = |line: &&str| line.len() >= LEAST_PEM_LINE && !line.contains("-----");
        return secret.lines().map(str::trim).filter(is_content).collect();
    }
    let fragment = match secret.split('.').collect::<Vec<_>>()[..] {
        [header, _, signature] if header.starts_with("eyJ") && signature.len() >= LEAST_PEM_LINE => signature,
        _ => secret,
    };
    if fragment.len() < LEAST_LENGTH { Vec::new() } else { vec![fragment] }
}

/// Every form of a secret of the settings.
pub(super) fn every_form(secret: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = common_forms(secret);
    forms.extend(fully_escaped(secret));
    forms.extend([utf16(secret, u16::to_le_bytes), utf16(secret, u16::to_be_bytes)]);
    forms
}

/// The forms of a token that is replaced often: those of [`every_form`] without the ones in which every single
/// character is escaped.
pub(super) fn common_forms(secret: &str) -> BTreeSet<Vec<u8>> {
    let mut encoded = vec![secret.to_owned()];
    encoded.extend(base64_cores(secret.as_bytes()));
    encoded.push(HEXLOWER.encode(secret.as_bytes()));
    encoded.push(HEXUPPER.encode(secret.as_bytes()));
    let mut forms = BTreeSet::new();
    for text in encoded {
        forms.extend(percent_forms(&text));
        forms.extend(json_forms(&text));
        forms.extend(xml_forms(&text));
        forms.insert(text);
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// The forms that a header's name can have: HTTP libraries write it in small letters.
pub(super) fn in_a_header_name(secret: &str) -> BTreeSet<Vec<u8>> {
    let mut forms: BTreeSet<String> = base64_cores(secret.as_bytes()).collect();
    forms.extend([secret.to_owned(), HEXLOWER.encode(secret.as_bytes())]);
    forms.into_iter().map(|form| form.to_ascii_lowercase().into_bytes()).collect()
}

/// Base64 and base64url of the secret within a longer text: at each of the three alignments, without the characters
/// that also depend on what precedes or follows.
fn base64_cores(secret: &[u8]) -> impl Iterator<Item = String> {
    let cores = (0..3).flat_map(|before| {
        let padded = [&[0; 2][..before], secret].concat();
        // Six bits a character: the first whole one of the secret, and the end of its last whole one.
        let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        [BASE64.encode(&padded), BASE64URL.encode(&padded)].map(|text| text[first..end].to_owned())
    });
    cores.collect::<BTreeSet<_>>().into_iter()
}

/// RFC 3986: all but the unreserved characters.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// `application/x-www-form-urlencoded`, as the URL standard has it.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');
/// JavaScript's `encodeURIComponent`.
const COMPONENT: &AsciiSet = &STRICT.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
/// JavaScript's `encodeURI`.
const WHOLE: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b',')
    .remove(b'#');

fn percent_forms(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for set in [STRICT, FORM, COMPONENT, WHOLE, NON_ALPHANUMERIC] {
        let upper = percent_encode(text.as_bytes(), set).to_string();
        let lower = lower_escapes(&upper);
        for form in [upper, lower] {
            forms.push(form.replace("%20", "+"));
            forms.push(form);
        }
    }
    forms
}

/// The hexadecimal digits of each `%XX` as small letters.
fn lower_escapes(text: &str) -> String {
    let mut lower = String::with_capacity(text.len());
    let mut digits = 0_u8;
    for character in text.chars() {
        lower.push(if digits > 0 { character.to_ascii_lowercase() } else { character });
        digits = if character == '%' { 2 } else { digits.saturating_sub(1) };
    }
    lower
}

/// What a writer of JSON escapes beyond what it must (RFC 8259, section 7).
fn json_forms(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    // Nothing, `/`, what HTML would read, all that is not ASCII, and all that is neither letter nor digit.
    let choices: [fn(char) -> bool; 4] = [
        |_| false,
        |character| "<>&'\"".contains(character),
        |character| !character.is_ascii() || character.is_ascii_control(),
        |character| !character.is_ascii_alphanumeric(),
    ];
    for by_number in choices {
        for upper in [false, true] {
            for slash in ["/", "\\/"] {
                forms.push(json_escaped(text, slash, upper, by_number));
            }
        }
    }
    forms
}

fn json_escaped(text: &str, slash: &str, upper: bool, by_number: fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if by_number(character) => push_json_number(&mut escaped, character, upper),
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '/' => escaped.push_str(slash),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            other if other.is_ascii_control() => push_json_number(&mut escaped, other, upper),
            other => escaped.push(other),
        }
    }
    escaped
}

fn push_json_number(escaped: &mut String, character: char, upper: bool) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // A String takes all that is written to it.
        let _ = if upper { write!(escaped, "\\u{unit:04X}") } else { write!(escaped, "\\u{unit:04x}") };
    }
}

/// How one character is written in XML.
type Writer = fn(char) -> Option<String>;

fn xml_forms(text: &str) -> Vec<String> {
    let writers: [Writer; 9] = [
        |character| named(character).filter(|_| "&<".contains(character)),
        |character| named(character).filter(|_| "&<>".contains(character)),
        |character| named(character).filter(|_| "&<>\"".contains(character)),
        named,
        |character| if character == '\'' { Some("&#39;".into()) } else { named(character) },
        |character| if character == '\'' { Some("&#039;".into()) } else { named(character) },
        |character| match character {
            '\'' => Some("&#39;".into()),
            '"' => Some("&#34;".into()),
            other => named(other),
        },
        |character| special(character).then(|| format!("&#{};", u32::from(character))),
        |character| special(character).then(|| format!("&#x{:X};", u32::from(character))),
    ];
    let write =
        |writer: Writer| text.chars().map(|c| writer(c).unwrap_or_else(|| c.into())).collect::<String>();
    let mut forms: Vec<String> = writers.into_iter().map(write).collect();
    let lower: Writer = |character| special(character).then(|| format!("&#x{:x};", u32::from(character)));
    forms.push(write(lower));
    forms
}

fn special(character: char) -> bool {
    !character.is_ascii_alphanumeric() && !"-._~ ".contains(character)
}

/// The five entities that XML predefines.
fn named(character: char) -> Option<String> {
    let name = match character {
        '&' => "amp",
        '<' => "lt",
        '>' => "gt",
        '"' => "quot",
        '\'' => "apos",
        _ => return None,
    };
    Some(format!("&{name};"))
}

/// Every character by its number, in each notation that has one.
fn fully_escaped(secret: &str) -> Vec<Vec<u8>> {
    let percent = |upper: bool| {
        let push = |byte: &u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        secret.as_bytes().iter().map(push).collect::<String>()
    };
    let json = |upper| {
        let mut escaped = String::new();
        secret.chars().for_each(|character| push_json_number(&mut escaped, character, upper));
        escaped
    };
    let each = |write: fn(u32) -> String| secret.chars().map(|c| write(u32::from(c))).collect::<String>();
    let forms = [
        percent(true),
        percent(false),
        json(true),
        json(false),
        each(|number| format!("&#{number};")),
        each(|number| format!("&#x{number:x};")),
        each(|number| format!("&#x{number:X};")),
    ];
    forms.into_iter().map(String::into_bytes).collect()
}

fn utf16(secret: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    secret.encode_utf16().flat_map(to_bytes).collect()
}
