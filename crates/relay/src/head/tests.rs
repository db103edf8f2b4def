//! What a request's head looks like, and what is taken for an answer's.

use super::*;

#[test]
fn a_head_is_written_line_by_line_with_repeated_fields_in_their_order() {
    let mut headers = HeaderMap::new();
    for (name, value) in [("host", "x"), ("x-a", "1"), ("x-a", "2"), ("x-empty", "")] {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let head = write(&Method::from_bytes(b"PURGE").unwrap(), "/a?b=c", &headers);
    let expected = b"PURGE /a?b=c HTTP/1.1\r\nhost: x\r\nx-a: 1\r\nx-a: 2\r\nx-empty: \r\n\r\n";
    assert_eq!(&head[..], &expected[..]);
}

#[test]
fn a_head_is_taken_once_it_is_whole_and_nothing_behind_it() {
    let whole = b"HTTP/1.1 404 Nobody here\r\nX-A: 1\r\nx-a:  2 \r\nX-Empty:\r\nX-Latin: caf\xe9\r\n\r\n";
    for length in 0..whole.len() {
        assert!(take(&mut BytesMut::from(&whole[..length])).unwrap().is_none(), "{length}");
    }
    let mut input = BytesMut::from(&[&whole[..], b"body"].concat()[..]);
    let head = take(&mut input).unwrap().unwrap();
    assert_eq!((head.status.as_u16(), head.is_1_1, &input[..]), (404, true, &b"body"[..]));
    assert!(head.headers.get_all("x-a").iter().eq(["1", "2"]));
    assert_eq!(head.headers["x-empty"], "");
    assert_eq!(head.headers["x-latin"].as_bytes(), b"caf\xe9");
}

#[test]
fn what_is_no_head_is_refused() {
    for text in [
        "SSH-2.0\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
    ] {
        assert!(take(&mut BytesMut::from(text)).is_err(), "{text:?}");
    }
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(MOST_FIELDS + 1));
    assert!(matches!(take(&mut BytesMut::from(many.as_str())), Err(MalformedHead::Syntax(_))));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(LONGEST_HEAD));
    assert!(matches!(take(&mut BytesMut::from(long.as_str())), Err(MalformedHead::TooLong)));
}
