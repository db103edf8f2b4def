//! Percent-encoding as RFC 5849 asks for it in section 3.6, and the decoding of forms and queries.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes text as RFC 5849, section 3.6, asks: UTF-8, every byte that is not unreserved as `%XX` in capitals.
#[must_use]
pub fn percent_encode(text: &str) -> String {
    encode_bytes(text.as_bytes())
}

/// Encodes bytes, which may come from a query that is not UTF-8.
pub(crate) fn encode_bytes(bytes: &[u8]) -> String {
    // Nearly always there is nothing to encode, and then this copies; `to_string` would go through a formatter.
    Cow::from(percent_encoding::percent_encode(bytes, RESERVED)).into_owned()
}

/// Decodes one name or value of an `application/x-www-form-urlencoded` query; `+` is a space.
///
/// None when a `%` is not followed by two hexadecimal digits: such text could be read in two ways.
pub(crate) fn decode_form(text: &str) -> Option<Vec<u8>> {
    decode(text, true)
}

/// Decodes `%XX`; `+` stays what it is. None when a `%` is not followed by two hexadecimal digits.
#[cfg(feature = "verify")]
pub(crate) fn decode_percent(text: &str) -> Option<Vec<u8>> {
    decode(text, false)
}

fn decode(text: &str, plus_is_space: bool) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hexadecimal(bytes.next()?)? * 16 + hexadecimal(bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    Some(decoded)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay_as_they_are() {
        assert_eq!(percent_encode("azAZ09-._~"), "azAZ09-._~");
        assert_eq!(percent_encode("a b+c%*!'()/é"), "a%20b%2Bc%25%2A%21%27%28%29%2F%C3%A9");
    }

    #[test]
    fn a_form_is_decoded_and_a_broken_escape_is_refused() {
        assert_eq!(decode_form("a+b%20c%2b").unwrap(), b"a b c+");
        for broken in ["%", "%4", "%zz", "a%2"] {
            assert_eq!(decode_form(broken), None, "{broken}");
        }
    }
}
