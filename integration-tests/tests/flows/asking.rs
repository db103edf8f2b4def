//! What the flows of every provider ask of its connector, and what they expect.

use integration_tests::in_process::Operator;
use wire::payment::{AttemptId, CreateCustomer, Found, Lookup, LookupBy, Outcome, Payment, operations};

/// The result of what succeeded.
pub fn succeeded<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Succeeded { result } => result,
        other => panic!("expected a success, not {other:?}"),
    }
}

/// What the provider finds.
pub async fn look_up(operator: &Operator, by: LookupBy) -> Found {
    operator.result::<operations::Lookup>(&Lookup { attempt: AttemptId::new(), by }).await
}

/// How the payment of an attempt stands.
pub async fn payment_of(operator: &Operator, of: AttemptId) -> Outcome<Payment> {
    match look_up(operator, LookupBy::PaymentAttempt { of }).await {
        Found::Payment { outcome } => outcome,
        other => panic!("expected a payment, not {other:?}"),
    }
}

/// The provider's id of a new customer.
pub async fn customer(operator: &Operator) -> String {
    let request = CreateCustomer {
        attempt: AttemptId::new(),
        reference: Some("buyer:1".to_owned()),
        email: Some("jill@example.test".to_owned()),
    };
    succeeded(operator.result::<operations::CreateCustomer>(&request).await).reference
}
