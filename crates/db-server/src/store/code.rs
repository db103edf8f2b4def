//! The small numbers of the Solitude API: what each of them means, in the database and in JSON alike.

use diesel::{deserialize::FromSqlRow, expression::AsExpression, sql_types::SmallInt};

use super::stored_as;

/// Declares a closed set of numbers; the default is named first.
macro_rules! codes {
    (
        $(#[$documentation:meta])* $name:ident {
            $($(#[$variant_documentation:meta])* $variant:ident = $code:literal,)+
        }
    ) => {
        $(#[$documentation])*
        #[derive(AsExpression, Clone, Copy, Debug, Eq, FromSqlRow, Hash, PartialEq)]
        #[diesel(sql_type = SmallInt)]
        pub enum $name {
            $($(#[$variant_documentation])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The number.
            #[must_use]
            pub const fn code(self) -> i16 {
                *self.stored()
            }

            /// What a number means, if anything.
            #[must_use]
            pub fn from_code(code: i64) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| i64::from(known.code()) == code)
            }

            const fn stored(&self) -> &'static i16 {
                match self {
                    $(Self::$variant => &$code,)+
                }
            }
        }

        stored_as!($name as SmallInt, i16, |value| value.stored(), |code| $name::from_code(code.into()));
    };
}
pub(super) use codes;

codes!(
    /// Who moves the money.
    Provider {
        /// Bango: operator billing.
        Bango = 1,
        /// The reference provider ("zippy").
        Reference = 2,
        /// PayPal.
        Paypal = 3,
        /// Braintree.
        Braintree = 4,
        /// Stripe.
        Stripe = 5,
    }
);

impl Provider {
    /// The name in paths and settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bango => "bango",
            Self::Reference => "reference",
            Self::Paypal => "paypal",
            Self::Braintree => "braintree",
            Self::Stripe => "stripe",
        }
    }
}

impl From<wire::payment::Provider> for Provider {
    fn from(provider: wire::payment::Provider) -> Self {
        match provider {
            wire::payment::Provider::Reference => Self::Reference,
            wire::payment::Provider::Stripe => Self::Stripe,
            wire::payment::Provider::Paypal => Self::Paypal,
            wire::payment::Provider::Braintree => Self::Braintree,
        }
    }
}

impl Provider {
    /// The provider in the words of wire; none for one without neutral operations.
    #[must_use]
    pub const fn neutral(self) -> Option<wire::payment::Provider> {
        match self {
            Self::Bango => None,
            Self::Reference => Some(wire::payment::Provider::Reference),
            Self::Paypal => Some(wire::payment::Provider::Paypal),
            Self::Braintree => Some(wire::payment::Provider::Braintree),
            Self::Stripe => Some(wire::payment::Provider::Stripe),
        }
    }
}

codes!(
    /// What a transaction does.
    TransactionType {
        /// The buyer pays.
        Payment = 0,
        /// The money goes back.
        Refund = 1,
        /// The provider takes the money back.
        Reversal = 2,
        /// A refund that was made by hand at the provider.
        ManualRefund = 3,
        /// A reversal that was made by hand at the provider.
        ManualReversal = 4,
    }
);

codes!(
    /// How far a transaction is.
    TransactionStatus {
        /// Begun at the provider, no outcome yet.
        Pending = 0,
        /// The provider says that the money has moved.
        Completed = 1,
        /// The provider has accepted it.
        Checked = 2,
        /// The request for payment has been received.
        Received = 3,
        /// The provider says that the money does not move.
        Failed = 4,
        /// The buyer has cancelled.
        Cancelled = 5,
        /// Just created.
        Started = 6,
        /// It went wrong before the provider had a say.
        Errored = 7,
    }
);

codes!(
    /// What a product may be used for.
    Access {
        /// Purchases.
        Purchase = 1,
        /// Only simulated purchases.
        Simulate = 2,
    }
);

codes!(
    /// What a payment method is.
    PaymentMethodType {
        /// A credit or debit card.
        Card = 1,
        /// An account at PayPal.
        Paypal = 2,
        /// Anything else.
        Other = 3,
    }
);

codes!(
    /// How a subscription stands.
    SubscriptionStatus {
        /// Has not begun yet, or its first charge is not through.
        Pending = 0,
        /// Is charged.
        Active = 1,
        /// A charge has failed and is tried again.
        PastDue = 2,
        /// Has been ended.
        Cancelled = 3,
        /// Has come to its end.
        Expired = 4,
    }
);

impl PaymentMethodType {
    /// The word for it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Paypal => "paypal",
            Self::Other => "other",
        }
    }
}

impl From<wire::payment::PaymentMethodKind> for PaymentMethodType {
    fn from(kind: wire::payment::PaymentMethodKind) -> Self {
        match kind {
            wire::payment::PaymentMethodKind::Card => Self::Card,
            wire::payment::PaymentMethodKind::Paypal => Self::Paypal,
            wire::payment::PaymentMethodKind::Other => Self::Other,
        }
    }
}

impl SubscriptionStatus {
    /// The word for it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether it has come to an end, after which nothing is charged any more.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::Expired)
    }
}

impl From<wire::payment::SubscriptionStatus> for SubscriptionStatus {
    fn from(status: wire::payment::SubscriptionStatus) -> Self {
        match status {
            wire::payment::SubscriptionStatus::Pending => Self::Pending,
            wire::payment::SubscriptionStatus::Active => Self::Active,
            wire::payment::SubscriptionStatus::PastDue => Self::PastDue,
            wire::payment::SubscriptionStatus::Cancelled => Self::Cancelled,
            wire::payment::SubscriptionStatus::Expired => Self::Expired,
        }
    }
}

#[expect(clippy::derivable_impls, reason = "the macro has no place for #[default]")]
impl Default for TransactionType {
    fn default() -> Self {
        Self::Payment
    }
}

#[expect(clippy::derivable_impls, reason = "the macro has no place for #[default]")]
impl Default for TransactionStatus {
    fn default() -> Self {
        Self::Started
    }
}

#[expect(clippy::derivable_impls, reason = "the macro has no place for #[default]")]
impl Default for Access {
    fn default() -> Self {
        Self::Purchase
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_reads_back_as_what_it_means_and_no_other_means_anything() {
        for &status in TransactionStatus::ALL {
            assert_eq!(TransactionStatus::from_code(status.code().into()), Some(status));
        }
        assert_eq!(TransactionStatus::from_code(8), None);
        assert_eq!(TransactionStatus::from_code(-1), None);
        assert_eq!(TransactionStatus::from_code(65_536), None);
        assert_eq!(Provider::from_code(0), None);
    }

    #[test]
    fn the_numbers_are_those_of_the_solitude_api() {
        let codes: Vec<_> = TransactionStatus::ALL.iter().map(|status| status.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
        let providers: Vec<_> =
            Provider::ALL.iter().map(|provider| (provider.code(), provider.name())).collect();
        let expected = [(1, "bango"), (2, "reference"), (3, "paypal"), (4, "braintree"), (5, "stripe")];
        assert_eq!(providers, expected);
        assert_eq!(TransactionStatus::default().code(), 6);
        assert_eq!(TransactionType::default().code(), 0);
        assert_eq!(Access::default().code(), 1);
    }
}
