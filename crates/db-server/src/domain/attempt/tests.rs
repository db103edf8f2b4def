use wire::{
    ErrorKind, ProxyFailure,
    payment::{Advice, Customer, Rejection},
};

use super::*;

type Answer = Result<Outcome<Customer>, ProxyError>;

fn customer() -> Customer {
    Customer { reference: "c-1".into(), created: None, modified: None }
}

fn decline() -> Decline {
    Decline { code: "2001".into(), message: "no".into(), advice: Advice::OtherMethod }
}

fn failure(kind: ErrorKind) -> Answer {
    let failure = ProxyFailure { kind, target: "stripe".into(), message: "x".into() };
    Err(ProxyError::Failure { status: kind.http_status(), failure })
}

/// What the client is told, when the row `7` was kept of what the provider has made.
fn told(answer: Answer) -> Result<Concluded<i32, Customer>, ApiError> {
    let made = answer.as_ref().ok().and_then(made);
    let kept = made.map(|(result, standing)| Concluded { row: 7, result: Some(result), standing });
    verdict(Provider::Stripe, answer, kept)
}

#[test]
fn only_what_was_never_sent_counts_as_that_and_what_nobody_knows_stays_open() {
    for kind in [ErrorKind::Timeout, ErrorKind::Protocol, ErrorKind::Integrity] {
        assert_eq!(outcome_of(&failure(kind)), "unknown", "{kind:?}");
    }
    for kind in [ErrorKind::Connect, ErrorKind::Unsupported, ErrorKind::Policy, ErrorKind::NotConfigured] {
        assert_eq!(outcome_of(&failure(kind)), "not_sent", "{kind:?}");
    }
    let unknown: Answer = Ok(Outcome::Unknown { reason: "no answer".into() });
    assert_eq!(outcome_of(&unknown), "unknown");
    let declined: Answer = Ok(Outcome::Declined { decline: decline(), result: None });
    assert_eq!(outcome_of(&declined), "declined");
}

#[test]
fn what_the_provider_has_made_is_told_with_how_it_stands() {
    let action = Action { url: Some("https://a.example.test/".into()), data: None };
    for (outcome, standing) in [
        (Outcome::Succeeded { result: customer() }, Standing::Done),
        (Outcome::Pending { result: customer() }, Standing::Pending),
        (
            Outcome::RequiresAction { action: action.clone(), result: customer() },
            Standing::RequiresAction(action),
        ),
    ] {
        let told = told(Ok(outcome)).unwrap();
        assert_eq!((told.row, told.result, told.standing), (7, Some(customer()), standing));
    }
}

#[test]
fn a_decline_is_told_as_one_also_when_the_provider_keeps_something() {
    for result in [None, Some(customer())] {
        let keeps = result.is_some();
        let answer: Answer = Ok(Outcome::Declined { decline: decline(), result });
        assert_eq!(answer.as_ref().ok().and_then(made).is_some(), keeps);
        assert!(matches!(told(answer), Err(ApiError::Declined { decline: told, .. }) if told == decline()));
    }
}

#[test]
fn an_unknown_outcome_is_never_told_as_a_failure() {
    let unknown = told(Ok(Outcome::Unknown { reason: "no answer".into() })).unwrap_err();
    assert!(
        matches!(unknown, ApiError::Proxy(error) if error.outcome_is_unknown() && error.target() == "stripe")
    );
}

#[test]
fn a_request_that_was_wrong_is_told_in_the_providers_words() {
    let rejection = Rejection { status: 400, message: "wrong".into(), ..Rejection::default() };
    let told = told(Ok(Outcome::Rejected { rejection })).unwrap_err();
    assert!(matches!(told, ApiError::Provider(errors) if errors.provider() == Provider::Stripe));
}

mod open {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::lookup::LookupKeys;

    fn keys(names: &[&str]) -> LookupKeys {
        LookupKeys::new(&names.iter().map(|&name| name.into()).collect::<Vec<_>>()).unwrap()
    }

    fn asked(keys: &LookupKeys, all: &str, now: DateTime<Utc>) -> Asked {
        Asked {
            provider: Provider::Stripe,
            operation: OperationName::Subscribe,
            buyer_id: BuyerId(1),
            subject: "s".into(),
            hashes: keys.hashes(all),
            actor: "a".into(),
            now,
        }
    }

    fn row(outcome: Option<&str>, all: &str, at: DateTime<Utc>) -> PaymentAttemptRow {
        PaymentAttemptRow {
            id: PaymentAttemptId(1),
            attempt: Uuid::now_v7(),
            buyer_id: BuyerId(1),
            provider: Provider::Stripe.into(),
            operation: "subscribe".into(),
            subject: "s".into(),
            request_hash: keys(&["dummy"]).hash(all),
            outcome: outcome.map(Into::into),
            provider_id: None,
            created: at,
            modified: at,
            counter: 0,
        }
    }

    fn conflict(row: &PaymentAttemptRow, all: &str, after: TimeDelta) -> Option<&'static str> {
        match asked(&keys(&["dummy"]), all, row.modified + after).check_open(row) {
            Ok(()) => None,
            Err(DomainError::Conflict(message)) => Some(message),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn one_that_is_under_way_is_not_asked_again_and_one_that_a_crash_has_left_is() {
        let left = row(None, "x", Utc::now());
        assert!(conflict(&left, "x", TimeDelta::seconds(59)).unwrap().contains("is being asked"));
        assert_eq!(conflict(&left, "x", TimeDelta::seconds(60)), None);
    }

    #[test]
    fn one_whose_outcome_is_unknown_is_asked_again_at_once_for_the_same_and_for_nothing_else() {
        let unknown = row(Some("unknown"), "x", Utc::now());
        assert_eq!(conflict(&unknown, "x", TimeDelta::zero()), None);
        assert!(conflict(&unknown, "y", TimeDelta::zero()).unwrap().contains("Repeat that one first"));
    }

    #[test]
    fn one_that_a_provider_may_have_forgotten_is_not_asked_again() {
        let unknown = row(Some("unknown"), "x", Utc::now());
        assert_eq!(conflict(&unknown, "x", TimeDelta::hours(6)), None);
        let late = TimeDelta::hours(6) + TimeDelta::seconds(1);
        assert!(conflict(&unknown, "x", late).unwrap().contains("too old"));
    }

    #[test]
    fn the_same_request_is_known_under_every_look_up_key() {
        let unknown = row(Some("unknown"), "x", Utc::now());
        let rotated = keys(&["dummy-new", "dummy"]);
        assert!(asked(&rotated, "x", unknown.modified).check_open(&unknown).is_ok());
    }
}
