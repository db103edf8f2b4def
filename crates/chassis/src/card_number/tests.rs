use proptest::prelude::*;

use super::*;

/// The numbers that card networks and payment providers publish for tests.
const KNOWN: [&str; 18] = [
    "4111111111111111",
    "4242424242424242",
    "4012888888881881",
    "4222222222222",
    "4000056655665556",
    "5555555555554444",
    "5105105105105100",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "6011000990139424",
    "30569309025904",
    "38520000023237",
    "3530111333300000",
    "6200000000000005",
    "6759649826438453",
    "6304000000000000000",
];

#[test]
fn every_known_test_card_is_found_however_it_is_written() {
    for card in KNOWN {
        let grouped = |separator: &str| {
            let characters: Vec<_> = card.chars().map(String::from).collect();
            characters.chunks(4).map(|group| group.concat()).collect::<Vec<_>>().join(separator)
        };
        for text in [
            card.to_owned(),
            grouped(" "),
            grouped("-"),
            grouped("."),
            grouped("\u{a0}"),
            grouped("\u{200b}"),
            card.chars().map(String::from).collect::<Vec<_>>().join(" "),
            format!("card: {card}."),
            format!("pan{card}exp"),
            format!("1 {} 12/28 123", grouped(" ")),
            format!("{{\"number\":\"{card}\"}}"),
            format!("Visa\t{}\n", grouped("-")),
        ] {
            assert!(is_in(&text), "{text:?}");
        }
    }
}

#[test]
fn digits_of_other_scripts_count_too() {
    for zero in ['\u{ff10}', '\u{660}', '\u{966}', '\u{1d7ce}'] {
        let digit = |digit: char| char::from_u32(u32::from(zero) + digit.to_digit(10).unwrap()).unwrap();
        assert!(is_in(&KNOWN[0].chars().map(digit).collect::<String>()), "{zero:?}");
    }
}

#[test]
fn what_only_looks_like_one_is_left_alone() {
    for text in [
        "",
        "no digits at all in this text",
        "411111111111111",
        "4111111111111112",
        "0000000000000000",
        "41111111111111111111111",
        "4111  1111  1111  1111",
        "4111a1111b1111c1111",
        "192.168.100.200",
        "2026-01-02 03:04:05.678901",
        "2026-11-22T10:34:52.424158Z",
        "2026-11-22T10:34:52.424158000Z",
        "999999999.99",
        "/generic/transaction/123/",
        "solitude:41111111-1111-4111-8111-a11111111111",
        "seller-41111111111111110000000000000a00",
    ] {
        assert!(!is_in(text), "{text:?}");
    }
}

#[test]
fn a_card_number_beside_an_id_or_a_time_is_found() {
    for text in [
        "2026-11-22T10:34:52Z 4111111111111111",
        "solitude:41111111-1111-4111-8111-a11111111111 4111-1111-1111-1111",
        // A UUID of digits alone is more likely a disguise.
        "41111111-1111-1111-0000-000000000000",
    ] {
        assert!(is_in(text), "{text:?}");
    }
}

/// Digits with the check digit that Luhn's algorithm asks for.
fn card(digits: &[u8]) -> String {
    let check = (0..10).find(|check| {
        let mut all = digits.to_vec();
        all.push(*check);
        let sum: u32 = all
            .iter()
            .rev()
            .enumerate()
            .map(|(position, digit)| match (position % 2, u32::from(*digit)) {
                (1, digit) => digit * 2 / 10 + digit * 2 % 10,
                (_, digit) => digit,
            })
            .sum();
        sum.is_multiple_of(10)
    });
    digits.iter().chain(&check).map(|digit| char::from(b'0' + digit)).collect()
}

prop_compose! {
    fn any_card()(first in 1..10_u8, rest in proptest::collection::vec(0..10_u8, 11..18)) -> String {
        let digits: Vec<u8> = std::iter::once(first).chain(rest).collect();
        card(&digits)
    }
}

proptest! {
    #[test]
    fn every_card_number_is_found_with_any_separators_in_any_text(
        card in any_card().prop_filter("equal digits", |card| card.bytes().any(|b| b != card.as_bytes()[0])),
        separators in proptest::collection::vec(
            prop_oneof![Just(""), Just(" "), Just("-"), Just("."), Just("/"), Just("\u{2011}")], 18),
        before in "([ -~]{0,20}[a-z(: ] )?",
        after in "( [a-z): ][ -~]{0,20})?",
    ) {
        let mut text = String::new();
        for (index, digit) in card.chars().enumerate() {
            text.push_str(if index == 0 { "" } else { separators[index - 1] });
            text.push(digit);
        }
        // Two characters stand between the number and what is around it.
        let text = format!("{before} {text} {after}");
        prop_assert!(is_in(&text), "{text:?}");
    }

    #[test]
    fn a_wrong_check_digit_makes_it_none(card in any_card(), error in 1..10_u8) {
        let (digits, check) = card.split_at(card.len() - 1);
        let wrong = (check.parse::<u8>().unwrap() + error) % 10;
        let text = format!("{digits}{wrong}");
        prop_assert!(!is_in(&text), "{text}");
    }

    #[test]
    fn a_text_with_fewer_than_13_digits_holds_none(text in "[^0-9]{0,30}[0-9]{0,6}[^0-9]{1,5}[0-9]{0,6}") {
        prop_assert!(!is_in(&text) || text.chars().filter(|c| digit(*c).is_some()).count() >= 13);
    }

    #[test]
    fn no_random_uuid_and_no_digest_looks_like_one(
        bytes in any::<u128>().prop_filter("has a letter", |n| format!("{n:032x}").contains(|c: char| c.is_alphabetic())),
    ) {
        let hex = format!("{bytes:032x}");
        let uuid = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        for text in [format!("solitude:{uuid}"), format!("{{{uuid}}}"), hex] {
            prop_assert!(!is_in(&text), "{text}");
        }
    }

    #[test]
    fn no_text_makes_the_search_panic(text in ".{0,200}") {
        let _ = is_in(&text);
    }
}
