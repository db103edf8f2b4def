//! The primary keys, one type for each table, so that none is taken for another's.

use std::fmt;

use diesel::{deserialize::FromSqlRow, expression::AsExpression, sql_types::BigInt};

use super::stored_as;

/// Declares the key of one table.
macro_rules! id {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(AsExpression, Clone, Copy, Debug, Eq, FromSqlRow, Hash, Ord, PartialEq, PartialOrd)]
        #[diesel(sql_type = BigInt)]
        pub struct $name(pub i64);

        stored_as!($name as BigInt, i64, |id| &id.0, |number| Some($name(number)));

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

id!(
    /// The key of a payment.
    PaymentId
);
id!(
    /// The key of an operation on a payment.
    PaymentOperationId
);
id!(
    /// The key of a refund.
    RefundId
);
id!(
    /// The key of what a client asked for under a key of its own.
    IdempotencyKeyId
);
id!(
    /// The key of a nightly comparison of our books with a provider's list.
    ReconciliationId
);
id!(
    /// The key of a buyer.
    BuyerId
);
id!(
    /// The key of a seller.
    SellerId
);
id!(
    /// The key of a product.
    ProductId
);
id!(
    /// The key of a transaction.
    TransactionId
);
id!(
    /// The key of a seller's link to the reference provider.
    ReferenceSellerId
);
id!(
    /// The key of a product's link to the reference provider.
    ReferenceProductId
);
id!(
    /// The key of a buyer's account at a provider.
    PaymentCustomerId
);
id!(
    /// The key of a payment method.
    PaymentMethodId
);
id!(
    /// The key of a subscription.
    SubscriptionId
);
id!(
    /// The key of what a provider said about a transaction.
    ProviderChargeId
);
id!(
    /// The position of a payment's event among all events.
    PaymentEventId
);
id!(
    /// The key of an endpoint of webhooks out.
    WebhookEndpointId
);
id!(
    /// The key of an event in the inbox.
    WebhookEventId
);
id!(
    /// The key of what a provider has been asked for.
    PaymentAttemptId
);
