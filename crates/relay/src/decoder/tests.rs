//! Where a body ends, however it comes in, and what is refused because that is in doubt.

use proptest::prelude::*;

use super::*;

fn answer(head: &str) -> Head {
    head::take(&mut BytesMut::from(format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_str())).unwrap().unwrap()
}

fn decoder(head: &str) -> Result<Decoder, Malformed> {
    Decoder::of(&answer(head), false)
}

/// What a body holds that comes in such pieces, and whether it comes to its end.
fn decode(decoder: &mut Decoder, pieces: &[&[u8]]) -> Result<(Vec<u8>, Option<HeaderMap>, bool), Malformed> {
    let (mut input, mut data, mut trailers) = (BytesMut::new(), Vec::new(), None);
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.take(&mut input)? {
                Piece::Data(bytes) => data.extend_from_slice(&bytes),
                Piece::Trailers(fields) => trailers = Some(fields),
                Piece::End => return Ok((data, trailers, true)),
                Piece::More => break,
            }
        }
    }
    Ok((data, trailers, false))
}

#[test]
fn a_length_is_believed_only_when_it_is_certain() {
    for (head, expected) in [
        ("Content-Length: 5\r\n", Some(5)),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", Some(5)),
        ("Content-Length: 5, 5\r\n", Some(5)),
        ("X: y\r\n", None),
    ] {
        assert_eq!(decoder(head).unwrap().length(), expected, "{head}");
    }
    for value in
        ["", "+5", "-5", "0x5", "5 6", "5,", ",5", "5, 6", "5;a", "18446744073709551616", "\u{665}", "5.0"]
    {
        let head = format!("Content-Length: {value}\r\n");
        assert!(matches!(decoder(&head), Err(Malformed::Length)), "{value:?}");
    }
    assert!(matches!(decoder("Content-Length: 5\r\nContent-Length: 6\r\n"), Err(Malformed::Length)));
}

#[test]
fn chunks_go_before_a_length_and_another_coding_ends_with_the_connection() {
    for head in [
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: Chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    ] {
        assert!(matches!(decoder(head), Ok(Decoder::Chunked(Chunk::Size))), "{head}");
    }
    for head in ["Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"] {
        assert!(matches!(decoder(head), Ok(Decoder::UntilClose)), "{head}");
    }
    let mut old = answer("Transfer-Encoding: chunked\r\n");
    old.is_1_1 = false;
    assert!(matches!(Decoder::of(&old, false), Err(Malformed::Coding)));
}

#[test]
fn there_is_no_body_after_head_and_with_204_and_304() {
    let head = answer("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
    assert!(Decoder::of(&head, true).unwrap().is_over());
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        let head = Head { status, ..answer("Content-Length: 5\r\n") };
        assert!(Decoder::of(&head, false).unwrap().is_over(), "{status}");
    }
}

#[test]
fn what_is_no_chunk_is_refused_wherever_it_stands() {
    for body in [
        "\r\n",
        "x\r\n",
        " 1\r\na\r\n",
        "+1\r\na\r\n",
        "0x1\r\na\r\n",
        "1\na\r\n",
        "1 2\r\na\r\n",
        "1\r;\r\na\r\n",
        "1,\r\na\r\n",
        "11111111111111111\r\n",
        "1\r\nab\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\na\r0\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\nno field\r\n\r\n",
        "0\r\n folded\r\n\r\n",
        "0\r\nX: a\r\n folded\r\n\r\n",
    ] {
        let result = decode(&mut Decoder::Chunked(Chunk::Size), &[body.as_bytes()]);
        assert!(result.is_err(), "{body:?}: {result:?}");
    }
    let endless = format!("1;{}", "x".repeat(LONGEST_LINE));
    assert!(decode(&mut Decoder::Chunked(Chunk::Size), &[endless.as_bytes()]).is_err());
    let endless = format!("0\r\nX: {}", "x".repeat(LONGEST_LINE));
    assert!(decode(&mut Decoder::Chunked(Chunk::Size), &[endless.as_bytes()]).is_err());
}

#[test]
fn what_follows_a_body_stays() {
    for (mut decoder, body) in [
        (Decoder::Length(3), "abc"),
        (Decoder::Chunked(Chunk::Size), "3\r\nabc\r\n0\r\n\r\n"),
        (Decoder::Chunked(Chunk::Size), "3;x=\"y\"\r\nabc\r\n0\r\nX: y\r\n\r\n"),
    ] {
        let mut input = BytesMut::from(format!("{body}HTTP").as_str());
        while !matches!(decoder.take(&mut input).unwrap(), Piece::End) {}
        assert!(decoder.is_over());
        assert_eq!(&input[..], b"HTTP", "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_give_back_what_went_in_however_they_are_cut(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        trailer in prop::option::of("[a-z]{1,10}"),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            wire.extend_from_slice(format!("{:x};ext\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\n");
        wire.extend_from_slice(trailer.iter().map(|value| format!("X-Sum: {value}\r\n")).collect::<String>().as_bytes());
        wire.extend_from_slice(b"\r\n");
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(wire.len())).collect();
        cuts.extend([0, wire.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| &wire[cut[0]..cut[1]]).collect();
        let (data, trailers, ended) = decode(&mut Decoder::Chunked(Chunk::Size), &pieces).unwrap();
        prop_assert!(ended);
        prop_assert_eq!(data, chunks.concat());
        let sum = trailers.as_ref().and_then(|trailers| trailers.get("x-sum")).map(|value| value.to_str().unwrap());
        prop_assert_eq!(sum, trailer.as_deref());
        // And no beginning of it looks whole.
        let (_, _, ended) = decode(&mut Decoder::Chunked(Chunk::Size), &[&wire[..wire.len() - 1]]).unwrap();
        prop_assert!(!ended);
    }
}
