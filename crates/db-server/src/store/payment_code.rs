//! The small numbers of payments: what each of them means, in the database and in JSON alike.

use diesel::{deserialize::FromSqlRow, expression::AsExpression, sql_types::SmallInt};

use super::{code::codes, stored_as};

codes!(
    /// How a payment is shown.
    PaymentStatus {
        /// Nothing is known but that it was asked for.
        Created = 0,
        /// The payer must do something first.
        RequiresAction = 1,
        /// The provider will say more.
        Pending = 2,
        /// The provider was not asked, or did not take the request, and nothing was moved; or nothing of what was captured
        /// came in.
        Failed = 3,
        /// The payer's bank or the provider's own checks said no. Nothing was moved.
        Declined = 4,
        /// The amount is held for us.
        Authorized = 5,
        /// The authorization was given up, or the payer went away. Nothing was moved.
        Cancelled = 6,
        /// The amount, or a part of it, was taken.
        Captured = 7,
        /// What came of an operation is not known.
        Unknown = 8,
    }
);

impl PaymentStatus {
    /// The word for it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::RequiresAction => "requires_action",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Declined => "declined",
            Self::Authorized => "authorized",
            Self::Cancelled => "cancelled",
            Self::Captured => "captured",
            Self::Unknown => "unknown",
        }
    }

    /// What a word means, if anything.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.name() == name)
    }
}

/// So that a query can name one.
impl std::str::FromStr for PaymentStatus {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::from_name(name).ok_or(())
    }
}

codes!(
    /// What a provider is asked about a payment.
    PaymentOperationKind {
        /// To ask the payer's bank for the amount.
        Authorize = 0,
        /// To prepare a page on which the payer agrees.
        StartCheckout = 1,
        /// To execute what the payer has agreed to.
        CompleteCheckout = 2,
        /// To take the amount or a part of it.
        Capture = 3,
        /// To give up the authorization.
        Void = 4,
        /// To give money back.
        Refund = 5,
    }
);

impl PaymentOperationKind {
    /// The operation in the words of wire.
    #[must_use]
    pub const fn name(self) -> wire::payment::OperationName {
        use wire::payment::OperationName;
        match self {
            Self::Authorize => OperationName::Authorize,
            Self::StartCheckout => OperationName::StartCheckout,
            Self::CompleteCheckout => OperationName::CompleteCheckout,
            Self::Capture => OperationName::Capture,
            Self::Void => OperationName::Void,
            Self::Refund => OperationName::Refund,
        }
    }
}

codes!(
    /// How far an operation is.
    OperationState {
        /// It is under way, or a crash came between.
        Open = 0,
        /// It was sent, and nobody knows what came of it.
        Unknown = 1,
        /// The provider has taken it and will say more.
        Watching = 2,
        /// The provider has said what came of it, or it never arrived.
        Settled = 3,
    }
);

codes!(
    /// How a refund stands: the strongest evidence.
    RefundStanding {
        /// Nothing is known but that it was asked for.
        Created = 0,
        /// The provider has taken it and will say more.
        Pending = 1,
        /// The money goes back.
        Succeeded = 2,
        /// The money does not go back, or came back to us.
        Failed = 3,
    }
);

impl RefundStanding {
    /// The word for it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_known_by_its_word_and_its_number() {
        for &status in PaymentStatus::ALL {
            assert_eq!(PaymentStatus::from_name(status.name()), Some(status));
            assert_eq!(PaymentStatus::from_code(i64::from(status.code())), Some(status));
        }
        assert_eq!(PaymentStatus::from_name("paid"), None);
    }
}
