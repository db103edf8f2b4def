//! What Stripe's errors and statuses become: the one place that decides it. `docs/providers/stripe.md` repeats it.

use wire::payment::{Advice, Decline, FieldError, Outcome, Token};

use super::messages::{ErrorBody, ErrorObject};
use crate::providers::exchange::{Received, Unintelligible};

/// What an error says about the money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// The payer's bank or Stripe's own checks said no; nothing was moved.
    Declined,
    /// The request was not taken; nothing was moved by it.
    Rejected,
    /// A request with this attempt may have moved money.
    Unknown(&'static str),
}

/// One row: the first one that fits counts.
#[derive(Debug)]
pub(super) struct Row {
    /// None for any.
    pub(super) status: Option<u16>,
    /// `error.type`; none for any.
    pub(super) kind: Option<&'static str>,
    /// `error.code`; none for any.
    pub(super) code: Option<&'static str>,
    pub(super) meaning: Meaning,
}

const fn row(
    status: Option<u16>,
    kind: Option<&'static str>,
    code: Option<&'static str>,
    meaning: Meaning,
) -> Row {
    Row { status, kind, code, meaning }
}

const OTHER_REQUEST: &str =
    "The attempt was used before for another request, whose outcome is not known here.";
const IN_PROGRESS: &str = "Stripe is still busy with an earlier request of this attempt.";
const LOCKED: &str = "Stripe is busy with the same object, perhaps for an earlier request of this attempt.";
const FAILED: &str = "Stripe failed while it was busy with the request.";

/// Errors with a status of 400 to 499; 5xx and everything else never gets here and is unknown anyway.
pub(super) const ERRORS: &[Row] = &[
    row(Some(409), None, None, Meaning::Unknown(IN_PROGRESS)),
    row(None, None, Some("idempotency_key_in_use"), Meaning::Unknown(IN_PROGRESS)),
    row(Some(400), Some("idempotency_error"), None, Meaning::Unknown(OTHER_REQUEST)),
    row(None, None, Some("lock_timeout"), Meaning::Unknown(LOCKED)),
    row(None, Some("api_error"), None, Meaning::Unknown(FAILED)),
    row(None, Some("card_error"), None, Meaning::Declined),
    row(None, None, Some("payment_intent_authentication_failure"), Meaning::Declined),
    row(None, None, None, Meaning::Rejected),
];

/// What may help after a decline, by `decline_code` or else `code`; whatever is not here is for another method.
pub(super) const DECLINES: &[(&str, Advice)] = &[
    ("approve_with_id", Advice::Retry),
    ("card_velocity_exceeded", Advice::Retry),
    ("insufficient_funds", Advice::Retry),
    ("issuer_not_available", Advice::Retry),
    ("processing_error", Advice::Retry),
    ("reenter_transaction", Advice::Retry),
    ("try_again_later", Advice::Retry),
    ("withdrawal_count_limit_exceeded", Advice::Retry),
    ("fraudulent", Advice::Never),
    ("lost_card", Advice::Never),
    ("merchant_blacklist", Advice::Never),
    ("pickup_card", Advice::Never),
    ("restricted_card", Advice::Never),
    ("revocation_of_all_authorizations", Advice::Never),
    ("revocation_of_authorization", Advice::Never),
    ("security_violation", Advice::Never),
    ("stolen_card", Advice::Never),
    ("stop_payment_order", Advice::Never),
];

/// `advice_code`, where Stripe gives one, goes before [`DECLINES`].
pub(super) const ADVICE: &[(&str, Advice)] = &[
    ("confirm_card_data", Advice::OtherMethod),
    ("do_not_try_again", Advice::Never),
    ("try_again_later", Advice::Retry),
];

/// How an intent stands, in our words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    Succeeded,
    RequiresAction,
    Pending,
    Declined,
}

/// The statuses of a PaymentIntent.
pub(super) const PAYMENT_INTENT: &[(&str, Standing)] = &[
    ("succeeded", Standing::Succeeded),
    ("requires_capture", Standing::Succeeded),
    // Given up; `voided` says so.
    ("canceled", Standing::Succeeded),
    ("requires_action", Standing::RequiresAction),
    ("requires_confirmation", Standing::RequiresAction),
    ("processing", Standing::Pending),
    ("requires_payment_method", Standing::Declined),
];

/// The statuses of a Refund.
pub(super) const REFUND: &[(&str, Standing)] = &[
    ("succeeded", Standing::Succeeded),
    ("pending", Standing::Pending),
    ("requires_action", Standing::RequiresAction),
    ("failed", Standing::Declined),
    ("canceled", Standing::Declined),
];

/// Looks a status up.
///
/// # Errors
/// [`Unintelligible`] for one that is not in the table: nobody knows what it means for the money.
pub(super) fn standing(table: &[(&str, Standing)], status: &str) -> Result<Standing, Unintelligible> {
    let found = table.iter().find(|(known, _)| *known == status);
    found
        .map(|(_, standing)| *standing)
        .ok_or_else(|| Unintelligible::field("status", "not a status we know"))
}

/// What an error means.
pub(super) fn meaning(status: u16, error: &ErrorObject) -> Meaning {
    let fits = |row: &&Row| {
        row.status.is_none_or(|wanted| wanted == status)
            && row.kind.is_none_or(|wanted| wanted == error.kind)
            && row.code.is_none_or(|wanted| error.code.as_deref() == Some(wanted))
    };
    ERRORS.iter().find(fits).map_or(Meaning::Rejected, |row| row.meaning)
}

/// The outcome of a refused request; `keeps` gives what Stripe keeps of a declined one.
///
/// # Errors
/// [`Unintelligible`] when it is no error of Stripe's.
pub(super) fn refusal<T>(
    received: &Received,
    tokens: &[Token],
    keeps: impl FnOnce(&ErrorBody) -> Result<Option<T>, Unintelligible>,
) -> Result<Outcome<T>, Unintelligible> {
    let mut body = ErrorBody::read(received)?;
    if let Some(message) = &mut body.error.message {
        *message = hide(std::mem::take(message), tokens);
    }
    Ok(match meaning(received.status.as_u16(), &body.error) {
        Meaning::Unknown(reason) => Outcome::Unknown { reason: reason.to_owned() },
        Meaning::Declined => Outcome::Declined { decline: decline(&body.error), result: keeps(&body)? },
        Meaning::Rejected => {
            let error = body.error;
            let message = error.message.unwrap_or_default();
            let code = error.code.unwrap_or(error.kind);
            let field = FieldError { field: error.param, code, message: message.clone() };
            received.rejected(message, vec![field])
        }
    })
}

/// Why the payer's bank said no, and what may help.
pub(super) fn decline(error: &ErrorObject) -> Decline {
    let code = error.decline_code.as_ref().or(error.code.as_ref()).unwrap_or(&error.kind);
    let look_up = |table: &[(&str, Advice)], word: &str| {
        table.iter().find(|(known, _)| *known == word).map(|(_, advice)| *advice)
    };
    let said = error.advice_code.as_deref().and_then(|word| look_up(ADVICE, word));
    Decline {
        code: code.clone(),
        message: error.message.clone().unwrap_or_default(),
        advice: said.or_else(|| look_up(DECLINES, code)).unwrap_or(Advice::OtherMethod),
    }
}

/// "No such PaymentMethod: 'pm_1'" would put a token into logs.
fn hide(message: String, tokens: &[Token]) -> String {
    tokens.iter().map(Token::expose).filter(|token| !token.is_empty()).fold(message, |text, token| {
        if text.contains(token) { text.replace(token, "[withheld]") } else { text }
    })
}
