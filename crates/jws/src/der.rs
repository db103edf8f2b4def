//! As much DER as public keys and the wrapping of private ones need (X.690; RFC 5280; RFC 5915).

/// INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;

/// Takes one element with this tag off the front: its content and what follows it.
pub(crate) fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // One or two bytes of length are enough for any key.
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// One element with this tag and nothing after it: its content.
pub(crate) fn only(tag: u8, input: &[u8]) -> Option<&[u8]> {
    element(tag, input).and_then(|(content, rest)| rest.is_empty().then_some(content))
}

/// Writes one element; nothing when it is longer than any key.
pub(crate) fn write(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(content.len()).ok()?;
    let [high, low] = length.to_be_bytes();
    let head: &[u8] = match length {
        0..=0x7f => &[tag, low],
        0x80..=0xff => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    Some([head, content].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        for length in [0, 1, 127, 128, 255, 256, 65535] {
            let content = vec![7; length];
            let written = write(OCTET_STRING, &content).unwrap();
            assert_eq!(only(OCTET_STRING, &written), Some(content.as_slice()));
            assert_eq!(only(SEQUENCE, &written), None);
            assert_eq!(only(OCTET_STRING, &[written.as_slice(), &[0]].concat()), None);
            assert_eq!(only(OCTET_STRING, &written[..written.len() - 1]), None);
        }
        assert_eq!(write(OCTET_STRING, &vec![0; 65536]), None);
    }
}
