//! The grammar of the `OAuth` scheme: a comma-separated list of `name="value"` (RFC 5849, section 3.5.1).

use super::VerifyError;
use crate::encoding::decode_percent;

/// More parameters than any client sends; the header's length bounds their size.
const MAX_PARAMETERS: usize = 32;

/// Reads the list behind the scheme into decoded names and values, each name at most once.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, VerifyError> {
    let mut rest = text.trim_matches([' ', '\t']);
    let mut parameters: Vec<(String, String)> = Vec::new();
    loop {
        let (name, after_name) = rest.split_once('=').ok_or(VerifyError::Malformed)?;
        let name = decode_name(name.trim_end_matches([' ', '\t']))?;
        let quoted = after_name.trim_start_matches([' ', '\t']);
        let quoted = quoted.strip_prefix('"').ok_or(VerifyError::Malformed)?;
        let (value, after_value) = split_quoted(quoted)?;
        let value = decode_value(&name, value)?;
        if parameters.iter().any(|(known, _)| *known == name) {
            return Err(VerifyError::Repeated);
        }
        if parameters.len() == MAX_PARAMETERS {
            return Err(VerifyError::Malformed);
        }
        parameters.push((name, value));
        let after_value = after_value.trim_start_matches([' ', '\t']);
        if after_value.is_empty() {
            return Ok(parameters);
        }
        let next = after_value.strip_prefix(',').ok_or(VerifyError::Malformed)?;
        rest = next.trim_start_matches([' ', '\t']);
    }
}

/// Splits behind the closing quote, which a backslash in front makes part of the text.
fn split_quoted(text: &str) -> Result<(&str, &str), VerifyError> {
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Ok((&text[..position], &text[position + 1..])),
            _ => {}
        }
    }
    Err(VerifyError::Malformed)
}

fn decode_name(name: &str) -> Result<String, VerifyError> {
    let unreserved_or_escape = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    if name.is_empty() || !name.bytes().all(unreserved_or_escape) {
        return Err(VerifyError::Malformed);
    }
    decode_text(name)
}

/// A realm is a quoted string of HTTP; every other value is percent-encoded.
fn decode_value(name: &str, value: &str) -> Result<String, VerifyError> {
    if name == "realm" {
        return Ok(unescape(value));
    }
    if value.contains(['\\', ' ', '\t']) {
        return Err(VerifyError::Malformed);
    }
    decode_text(value)
}

fn decode_text(text: &str) -> Result<String, VerifyError> {
    let bytes = decode_percent(text).ok_or(VerifyError::Malformed)?;
    String::from_utf8(bytes).map_err(|_| VerifyError::Malformed)
}

fn unescape(quoted: &str) -> String {
    let mut characters = quoted.chars();
    let mut text = String::with_capacity(quoted.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap()
    }

    #[test]
    fn a_list_is_read_with_and_without_space() {
        let expected = [("a".to_owned(), "1 2".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(pairs("a=\"1%202\",b=\"\""), expected);
        assert_eq!(pairs(" a=\"1%202\" ,\t b = \"\" "), expected);
    }

    #[test]
    fn a_realm_keeps_its_percent_signs_and_loses_its_backslashes() {
        assert_eq!(pairs(r#"realm="a, \"b\" 100%""#)[0].1, "a, \"b\" 100%");
    }

    #[test]
    fn a_plus_is_a_plus() {
        assert_eq!(pairs("a=\"x+y/z=\"")[0].1, "x+y/z=");
    }

    #[test]
    fn what_is_not_such_a_list_is_refused() {
        for text in [
            "",
            ",",
            "a",
            "a=",
            "a=b",
            "a=\"b",
            "=\"b\"",
            "a=\"b\",",
            "a=\"b\" c=\"d\"",
            "a=\"b\";c=\"d\"",
            "a=\"%\"",
            "a=\"%4g\"",
            "a=\"%ff\"",
            "a=\"b c\"",
            "a=\"b\\\"\"",
            "a b=\"c\"",
            ",a=\"b\"",
        ] {
            assert_eq!(parse(text), Err(VerifyError::Malformed), "{text}");
        }
        let many: Vec<String> = (0..33).map(|number| format!("p{number}=\"x\"")).collect();
        assert_eq!(parse(&many.join(",")), Err(VerifyError::Malformed));
    }

    #[test]
    fn a_repeated_name_is_refused_however_it_is_encoded() {
        assert_eq!(parse("a=\"1\",a=\"1\""), Err(VerifyError::Repeated));
        assert_eq!(parse("a=\"1\",%61=\"2\""), Err(VerifyError::Repeated));
        assert_eq!(parse("realm=\"1\",realm=\"2\""), Err(VerifyError::Repeated));
    }
}
