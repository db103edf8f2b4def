//! What holds for every rule, and that the page for people says the same.

use super::*;

#[test]
fn there_is_one_rule_for_each_operation_that_a_provider_can_be_asked_for() {
    for (number, one) in RULES.iter().enumerate() {
        let same = |other: &Rule| other.provider == one.provider && other.operation == one.operation;
        assert_eq!(RULES.iter().position(same), Some(number), "{} {:?}", one.provider, one.operation);
        assert!(!one.why.is_empty());
    }
}

#[test]
fn nothing_is_no_evidence_while_the_operation_may_still_be_asked_again() {
    for rule in RULES {
        let (Some(again), Some(nothing)) = (rule.again_until, rule.nothing_from) else { continue };
        // A checkout that is not there cannot be executed by whoever asks again.
        if rule.by != By::Checkout {
            assert!(nothing >= again + 30, "{} {:?}", rule.provider, rule.operation);
        }
    }
}

#[test]
fn what_can_be_looked_up_for_a_while_only_is_looked_up_when_nothing_becomes_evidence() {
    for rule in RULES {
        let (Some(until), Some(nothing)) = (rule.look_until, rule.nothing_from) else { continue };
        // One looks every hour by then.
        assert!(until >= nothing + 65, "{} {:?}", rule.provider, rule.operation);
    }
}

#[test]
fn a_provider_that_keeps_no_keys_is_never_asked_again() {
    for rule in RULES.iter().filter(|rule| rule.provider == Braintree) {
        assert!(!rule.may_ask_again(TimeDelta::zero()));
        // A minute of asking, five of the search, and the rest for clocks that differ.
        let (age, short) = (TimeDelta::minutes(10), TimeDelta::seconds(1));
        assert!(!rule.nothing_is_evidence(age - short) && rule.nothing_is_evidence(age));
        assert_eq!(rule.nothing_counts_from(DateTime::UNIX_EPOCH), Some(DateTime::UNIX_EPOCH + age));
    }
}

#[test]
fn an_age_is_within_its_limit_until_the_limit() {
    let rule = rule(Stripe, Capture).unwrap();
    assert!(rule.may_ask_again(TimeDelta::minutes(23 * 60) - TimeDelta::seconds(1)));
    assert!(!rule.may_ask_again(TimeDelta::minutes(23 * 60)));
    assert!(rule.may_look(TimeDelta::days(29)));
    assert!(super::rule(Reference, Refund).is_none());
}

#[test]
fn the_page_for_people_shows_these_rules() {
    let page = include_str!("../../../../../../docs/providers/unknown-outcomes.md");
    assert!(
        page.contains(&markdown()),
        "docs/providers/unknown-outcomes.md needs this table:\n\n{}",
        markdown()
    );
}
