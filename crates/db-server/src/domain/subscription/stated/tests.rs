use chrono::TimeDelta;
use wire::{Currency, Money, payment::SubscriptionStatus as Said};

use super::*;
use crate::store::{
    code::Provider as Code,
    id::{PaymentMethodId, SubscriptionId},
};

fn row(status: SubscriptionStatus, stated: Option<DateTime<Utc>>) -> SubscriptionRow {
    SubscriptionRow {
        id: SubscriptionId(1),
        payment_method_id: PaymentMethodId(1),
        provider: Code::Stripe,
        product_id: None,
        plan: "gold".into(),
        provider_id: "sub_1".into(),
        status,
        stated,
        amount_minor: Some(999),
        currency: Some("EUR".into()),
        active: !status.has_ended(),
        next_billing_date: None,
        created: DateTime::UNIX_EPOCH,
        modified: DateTime::UNIX_EPOCH,
        counter: 0,
    }
}

fn said(status: Said) -> Subscription {
    Subscription {
        reference: "sub_1".into(),
        status,
        provider_status: "x".into(),
        amount: Some(Money { minor_units: 999, currency: Currency::parse("EUR").unwrap() }),
        period_start: None,
        period_end: None,
        next_billing: None,
        first_payment: None,
    }
}

#[test]
fn of_two_statements_the_later_one_counts_in_whichever_order_they_come() {
    let then = DateTime::UNIX_EPOCH;
    let stated = row(SubscriptionStatus::Active, Some(then));
    let late = said(Said::PastDue);
    assert!(!supersedes(&stated, &late, Some(then - TimeDelta::seconds(1))));
    assert!(supersedes(&stated, &late, Some(then)));
    assert!(supersedes(&stated, &late, Some(then + TimeDelta::seconds(1))));
    assert!(supersedes(&stated, &late, None));
    assert!(supersedes(&row(SubscriptionStatus::Active, None), &late, Some(then)));
}

#[test]
fn what_has_begun_is_not_pending_again_because_somebody_says_so_late() {
    let (then, pending) = (DateTime::UNIX_EPOCH, said(Said::Pending));
    assert!(!supersedes(&row(SubscriptionStatus::Active, None), &pending, Some(then)));
    assert!(!supersedes(&row(SubscriptionStatus::Active, Some(then)), &pending, Some(then)));
    assert!(supersedes(
        &row(SubscriptionStatus::Active, Some(then)),
        &pending,
        Some(then + TimeDelta::seconds(1))
    ));
    assert!(supersedes(&row(SubscriptionStatus::Pending, None), &pending, Some(then)));
}

#[test]
fn an_end_is_final() {
    let then = DateTime::UNIX_EPOCH;
    for ended in [SubscriptionStatus::Cancelled, SubscriptionStatus::Expired] {
        assert!(!supersedes(&row(ended, Some(then)), &said(Said::Active), Some(then + TimeDelta::days(1))));
    }
    let active = row(SubscriptionStatus::Active, Some(then));
    assert!(supersedes(&active, &said(Said::Cancelled), Some(then - TimeDelta::days(1))));
}

#[test]
fn an_end_makes_it_inactive_and_nothing_else_changes_what_a_client_has_set() {
    assert_eq!(changes_of(&said(Said::Cancelled)).active, Some(false));
    assert_eq!(changes_of(&said(Said::Expired)).next_billing_date, Some(None));
    for status in [Said::Pending, Said::Active, Said::PastDue] {
        assert_eq!(changes_of(&said(status)).active, None);
    }
}

#[test]
fn the_same_said_again_is_nothing_new() {
    let active = row(SubscriptionStatus::Active, None);
    assert!(says_nothing_new(&active, &said(Said::Active)));
    assert!(!says_nothing_new(&active, &said(Said::PastDue)));
    let dearer = Money { minor_units: 1_999, currency: Currency::parse("EUR").unwrap() };
    assert!(!says_nothing_new(&active, &Subscription { amount: Some(dearer), ..said(Said::Active) }));
    let billed = Subscription { next_billing: Some("2027-01-31".into()), ..said(Said::Active) };
    assert!(!says_nothing_new(&active, &billed));
    let no_date = Subscription { next_billing: Some("soon".into()), ..said(Said::Active) };
    assert!(says_nothing_new(&active, &no_date));
}
