//! Vectors made with Python's hmac module, and every way of tampering with them.

use super::*;

const KEY: &str = "dummy-notice-0";
const SIGNED: &str =
    "ext_transaction_id=tx-1&sig=0:80e33dff11b36ef456801d1cf2544352a5acf2fb5c1f8405ae6034ca980bacf6";

fn keys() -> NoticeKeys {
    let mut keys = NoticeKeys::default();
    keys.insert(0, KEY.into());
    keys.insert(7, "dummy-notice-7".into());
    keys
}

fn sign(payload: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    format!("{payload}&sig=0:{}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

fn refusal(signed: &str) -> NoticeError {
    match verify(&keys(), signed) {
        Ok(notice) => panic!("{signed} was believed: {notice:?}"),
        Err(error) => error,
    }
}

/// `hmac.new(key, payload, hashlib.sha256).hexdigest()`
#[test]
fn notices_signed_elsewhere_verify() {
    let eur = Currency::parse("EUR").unwrap();
    let success = |id: &str| Notice { ext_transaction_id: id.into(), error: None, amount: None };
    for (signed, expected) in [
        (SIGNED, success("tx-1")),
        (
            "ext_transaction_id=solitude%3A1f&sig=0:435ba17642f1ae94716cc40b59f510dab3e0ad60551cc275870635a0ec4fc0dc",
            success("solitude:1f"),
        ),
        (
            "ext_transaction_id=tx-1&error=CC_ERROR&sig=0:fd0ad4b38110abce97651b9c1ff9efe01be5c4dd31c7be292e502fb0061f4bba",
            Notice { error: Some("CC_ERROR".into()), ..success("tx-1") },
        ),
        (
            "ext_transaction_id=tx-1&price=0.99&currency=EUR&sig=7:82f73a68eb8e5b1ed37b556caff89707213dab0a10dada83ba1c95dd3b56da7b",
            Notice { amount: Some(Money { minor_units: 99, currency: eur }), ..success("tx-1") },
        ),
        (
            "ext_transaction_id=caf%C3%A9+1&colour=red&sig=0:dd983e1cbfc9c9be30a842fbaaf84de09cef73dd81d377fbb900cef5add0b917",
            success("café 1"),
        ),
    ] {
        assert_eq!(verify(&keys(), signed), Ok(expected), "{signed}");
    }
}

#[test]
fn a_changed_notice_is_refused() {
    assert_eq!(refusal(&SIGNED.replace("tx-1", "tx-2")), NoticeError::WrongSignature);
    assert_eq!(refusal(&SIGNED.replace("acf6", "acf7")), NoticeError::WrongSignature);
    assert_eq!(refusal(&SIGNED.replace("&sig", "&error=CC_ERROR&sig")), NoticeError::WrongSignature);
    assert_eq!(refusal(&SIGNED.replace("tx-1", "tx%2D1")), NoticeError::WrongSignature);
    assert_eq!(refusal(&SIGNED.replace("acf6", "ac")), NoticeError::WrongSignature, "a shortened signature");
}

#[test]
fn a_key_is_chosen_by_its_id() {
    assert_eq!(refusal(&SIGNED.replace("sig=0:", "sig=7:")), NoticeError::WrongSignature);
    assert_eq!(refusal(&SIGNED.replace("sig=0:", "sig=1:")), NoticeError::UnknownKey);
    for id in ["", "00", "+0", "-0", " 0", "0x0", "a", "4294967296"] {
        let signed = SIGNED.replace("sig=0:", &format!("sig={id}:"));
        assert_eq!(refusal(&signed), NoticeError::MalformedSignature, "{id:?}");
    }
}

#[test]
fn a_signature_has_one_spelling() {
    let (payload, hex) = SIGNED.split_once("&sig=0:").unwrap();
    for sig in [
        format!("0:{}", hex.to_uppercase()),
        format!("0{hex}"),
        format!("0%3A{hex}"),
        format!("0:{hex}0"),
        format!("0: {hex}"),
        format!("0:{hex}\n"),
        "0".into(),
        String::new(),
    ] {
        assert_eq!(refusal(&format!("{payload}&sig={sig}")), NoticeError::MalformedSignature, "{sig}");
    }
    assert_eq!(refusal(&format!("{payload}&sig=0:")), NoticeError::WrongSignature);
}

#[test]
fn a_notice_ends_in_its_only_sig() {
    let (payload, sig) = SIGNED.rsplit_once('&').unwrap();
    for signed in [
        String::new(),
        payload.to_owned(),
        sig.to_owned(),
        format!("{sig}&{payload}"),
        format!("{SIGNED}&"),
        format!("{SIGNED}&{sig}"),
        format!("{SIGNED}&error=CC_ERROR"),
        format!("{payload}&SIG=0:00"),
        format!("{payload}&s%69g=0:00"),
        sign(SIGNED),
        sign(&format!("{payload}&s%69g=0:00")),
        sign(&format!("sig&{payload}")),
        format!("{payload};{sig}"),
    ] {
        assert_eq!(refusal(&signed), NoticeError::NotSigned, "{signed}");
    }
}

#[test]
fn a_signed_notice_that_says_a_thing_twice_is_refused() {
    for (payload, name) in [
        ("ext_transaction_id=a&ext_transaction_id=a", "ext_transaction_id"),
        ("ext_transaction_id=a&ext%5Ftransaction_id=b", "ext_transaction_id"),
        ("ext_transaction_id=a&error=X&error=Y", "error"),
        ("ext_transaction_id=a&price=1&currency=EUR&price=2", "price"),
        ("ext_transaction_id=a&price=1&currency=EUR&currency=USD", "currency"),
    ] {
        assert_eq!(refusal(&sign(payload)), NoticeError::Repeated(name), "{payload}");
    }
}

#[test]
fn a_signed_notice_that_is_incomplete_is_refused() {
    for (payload, error) in [
        ("error=X", NoticeError::Missing("ext_transaction_id")),
        ("ext_transaction_id=", NoticeError::Missing("ext_transaction_id")),
        ("ext_transaction_id=a&error=", NoticeError::Missing("error")),
        ("ext_transaction_id=a&price=1", NoticeError::Missing("currency")),
        ("ext_transaction_id=a&currency=EUR", NoticeError::Missing("price")),
        ("ext_transaction_id=a&price=-1&currency=EUR", NoticeError::Amount(MoneyError::NotADecimal)),
        ("ext_transaction_id=a&price=1&currency=XXX", NoticeError::Amount(MoneyError::UnknownCurrency)),
        ("ext_transaction_id", NoticeError::Malformed),
        ("ext_transaction_id=%FF", NoticeError::Malformed),
        ("", NoticeError::Malformed),
    ] {
        assert_eq!(refusal(&sign(payload)), error, "{payload}");
    }
}

#[test]
fn a_parameter_that_we_do_not_know_is_passed_over() {
    let notice = verify(&keys(), &sign("ext_transaction_id=a&new=1&new=2")).unwrap();
    assert_eq!(notice.ext_transaction_id, "a");
}

proptest::proptest! {
    #[test]
    fn no_text_is_believed_without_a_signature(text in ".{0,80}") {
        proptest::prop_assert!(verify(&keys(), &text).is_err());
        let unsigned = format!("ext_transaction_id=a&sig={text}");
        proptest::prop_assert!(verify(&keys(), &unsigned).is_err());
    }
}
