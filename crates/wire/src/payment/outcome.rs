//! How an operation ended.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the provider made of an operation.
///
/// An outcome that is not known is [`Outcome::Unknown`] and never a failure: only evidence from the provider, by
/// asking again with the same attempt or by a lookup, may turn it into one.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case", bound(deserialize = "T: Deserialize<'de>"))]
pub enum Outcome<T> {
    /// The provider did it.
    Succeeded {
        /// What it made.
        result: T,
    },
    /// The payer must do something first, such as 3-D Secure.
    RequiresAction {
        /// What.
        action: Action,
        /// What there is so far.
        result: T,
    },
    /// The provider will say later.
    Pending {
        /// What there is so far.
        result: T,
    },
    /// The payer's bank or the provider's own checks said no. Nothing was moved, unless the result says that something
    /// was captured and its settlement declined: that has come to nothing.
    Declined {
        /// Why, and what may help.
        decline: Decline,
        /// What the provider keeps of it, where it keeps anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<T>,
    },
    /// The provider did not take the request: it was wrong, or came at the wrong time. Nothing was moved.
    Rejected {
        /// Why.
        rejection: Rejection,
    },
    /// The request may have arrived and the provider may have acted.
    Unknown {
        /// Why it is not known, for a person; holds no secret and no URL.
        reason: String,
    },
}

/// What the payer must do.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Action {
    /// A page to send the payer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the provider's own script on the payer's side needs instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// A decline.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Decline {
    /// The provider's own code, such as `insufficient_funds` or `2001`.
    pub code: String,
    /// The provider's own words.
    pub message: String,
    /// What may help.
    pub advice: Advice,
}

/// What may help after a decline.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// The same payment method may work later.
    Retry,
    /// Another payment method may work.
    OtherMethod,
    /// Neither: this must not be tried again.
    Never,
}

/// Why the provider did not take a request.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rejection {
    /// The provider's HTTP status.
    pub status: u16,
    /// For a person.
    pub message: String,
    /// What was wrong, one by one; may be empty.
    #[serde(default)]
    pub errors: Vec<FieldError>,
    /// When the provider asks to be called again: seconds or an HTTP date (RFC 9110, 10.2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
}

/// One thing that was wrong with a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FieldError {
    /// The provider's name of the field; none for the request as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The provider's own code; `unknown` when it gives none.
    pub code: String,
    /// The provider's own words.
    pub message: String,
}

impl<T> Outcome<T> {
    /// The word for it, as in its JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Succeeded { .. } => "succeeded",
            Self::RequiresAction { .. } => "requires_action",
            Self::Pending { .. } => "pending",
            Self::Declined { .. } => "declined",
            Self::Rejected { .. } => "rejected",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// What the provider made or keeps of it.
    #[must_use]
    pub const fn result(&self) -> Option<&T> {
        match self {
            Self::Succeeded { result } | Self::RequiresAction { result, .. } | Self::Pending { result } => {
                Some(result)
            }
            Self::Declined { result, .. } => result.as_ref(),
            Self::Rejected { .. } | Self::Unknown { .. } => None,
        }
    }

    /// The same outcome with another result.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Succeeded { result } => Outcome::Succeeded { result: change(result) },
            Self::RequiresAction { action, result } => {
                Outcome::RequiresAction { action, result: change(result) }
            }
            Self::Pending { result } => Outcome::Pending { result: change(result) },
            Self::Declined { decline, result } => Outcome::Declined { decline, result: result.map(change) },
            Self::Rejected { rejection } => Outcome::Rejected { rejection },
            Self::Unknown { reason } => Outcome::Unknown { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_outcome_is_told_by_one_word() {
        let decline = Decline { code: "2001".into(), message: "no".into(), advice: Advice::OtherMethod };
        let all = [
            Outcome::Succeeded { result: 1 },
            Outcome::RequiresAction { action: Action::default(), result: 1 },
            Outcome::Pending { result: 1 },
            Outcome::Declined { decline, result: None },
            Outcome::Rejected { rejection: Rejection::default() },
            Outcome::Unknown { reason: "no answer".into() },
        ];
        for outcome in all {
            let json = serde_json::to_value(&outcome).unwrap();
            assert_eq!(json["outcome"], outcome.name());
            assert_eq!(serde_json::from_value::<Outcome<i32>>(json).unwrap(), outcome);
        }
    }

    #[test]
    fn a_decline_says_what_may_help() {
        let decline = Decline { code: "c".into(), message: "m".into(), advice: Advice::OtherMethod };
        assert_eq!(
            serde_json::to_value(Outcome::<i32>::Declined { decline, result: None }).unwrap(),
            json!({"outcome": "declined", "decline": {"code": "c", "message": "m", "advice": "other_method"}})
        );
    }
}
