//! What a confirmation brings along, and whether it will do.

use serde_json::Value;

use super::create::{take_data, take_options};
use super::{PaymentIntent, Status};
use crate::stripe::books::{Books, Origin};
use crate::stripe::error::Failure;
use crate::stripe::form::Params;
use crate::stripe::payment_method::{self, PaymentMethod};
use crate::stripe::shelf::Object as _;

/// What a confirmation brings along; `POST /v1/payment_intents` takes the same.
#[derive(Debug, Default)]
pub(in crate::stripe) struct Confirmation {
    payment_method: Option<String>,
    data: Option<PaymentMethod>,
    return_url: Option<String>,
    setup_future_usage: Option<&'static str>,
    options: Option<(Value, bool)>,
    pub(super) off_session: bool,
    pub(super) error_on_requires_action: bool,
}

impl Confirmation {
    pub(super) fn take(origin: &Origin, params: &mut Params) -> Result<Self, Failure> {
        let off_session = params.text("off_session")?;
        let _ = params.boolean("use_stripe_sdk")?;
        drop(params.text("client_secret")?);
        let confirmation = Self {
            payment_method: params.text("payment_method")?,
            data: take_data(origin, params)?,
            return_url: params.text("return_url")?,
            setup_future_usage: params.one_of("setup_future_usage", &["off_session", "on_session"])?,
            options: take_options(params)?,
            off_session: off_session.is_some_and(|text| text != "false"),
            error_on_requires_action: params.boolean("error_on_requires_action")?.unwrap_or(false),
        };
        match &confirmation.return_url {
            Some(url) if !(url.starts_with("https://") || url.starts_with("http://")) => {
                Err(Failure::invalid("Not a valid URL", "return_url").code("url_invalid"))
            }
            _ => Ok(confirmation),
        }
    }

    /// Without a payer who is there, for a payment that recurs.
    pub(in crate::stripe) fn without_payer() -> Self {
        Self { off_session: true, ..Self::default() }
    }

    /// Whether something was given that makes no sense without confirming.
    pub(super) fn only_for_confirming(&self) -> bool {
        self.off_session || self.error_on_requires_action || self.return_url.is_some()
    }

    /// Puts the chosen payment method into the intent, after a look at whose it is.
    pub(super) fn choose(
        &self,
        books: &mut Books,
        origin: &Origin,
        intent: &mut PaymentIntent,
    ) -> Result<(), Failure> {
        if let Some((shown, is_multicapture)) = &self.options {
            intent.payment_method_options = shown.clone();
            intent.is_multicapture = *is_multicapture;
        }
        intent.setup_future_usage = self.setup_future_usage.or(intent.setup_future_usage);
        if self.return_url.is_some() {
            intent.return_url.clone_from(&self.return_url);
        }
        let method = match (&self.data, &self.payment_method) {
            (Some(_), Some(_)) => {
                let message =
                    "You may only specify one of these parameters: payment_method, payment_method_data.";
                return Err(Failure::invalid(message, "payment_method"));
            }
            (Some(method), None) => {
                books.payment_methods.add(method.clone());
                method.clone()
            }
            (None, Some(id)) => payment_method::resolve(books, origin, id, "payment_method")?,
            (None, None) => return Ok(()),
        };
        check_owner(intent, &method)?;
        if !intent.payment_method_types.iter().any(|kind| kind == method.kind) {
            let message = format!(
                "The PaymentMethod provided ({}) is not allowed for this PaymentIntent.",
                method.kind
            );
            return Err(Failure::invalid(message, "payment_method"));
        }
        intent.payment_method = Some(method.id().to_owned());
        intent.status = Status::RequiresConfirmation;
        Ok(())
    }

    /// Whether there is all that a confirmation needs.
    pub(super) fn check(&self, intent: &PaymentIntent) -> Result<(), Failure> {
        if intent.payment_method.is_none() {
            let message = "You cannot confirm this PaymentIntent because it's missing a payment method. You can \
                           either update the PaymentIntent with a payment method and then confirm it again, or \
                           confirm it again directly with a payment method or ConfirmationToken.";
            return Err(Failure::invalid(message, "payment_method").code("payment_intent_unexpected_state"));
        }
        let may_redirect = intent
            .automatic_payment_methods
            .as_ref()
            .is_some_and(|automatic| automatic.enabled && automatic.allow_redirects == "always");
        if may_redirect && intent.return_url.is_none() && !self.off_session {
            let message = "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. \
                           Because some of these payment methods might redirect your customer off of your page, you \
                           must provide a `return_url`. If you don't want to accept redirect-based payment methods, \
                           set `automatic_payment_methods[enabled]` to `true` and \
                           `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and \
                           Payment Intents.";
            return Err(Failure::invalid(message, "return_url"));
        }
        Ok(())
    }
}

/// A stored payment method is charged with its owner only, one without an owner once only.
fn check_owner(intent: &PaymentIntent, method: &PaymentMethod) -> Result<(), Failure> {
    payment_method::check_reuse(method)?;
    match (&method.customer, &intent.customer) {
        (Some(_), None) => {
            let message = format!(
                "The PaymentMethod {} belongs to a Customer. Please include the Customer in the `customer` parameter \
                 on the PaymentIntent.",
                method.id()
            );
            Err(Failure::invalid(message, "payment_method"))
        }
        (Some(owner), Some(customer)) if owner != customer => {
            let message = format!(
                "The PaymentMethod {} does not belong to the Customer you supplied {customer}. Please use this \
                 PaymentMethod with the Customer it belongs to instead.",
                method.id()
            );
            Err(Failure::invalid(message, "payment_method"))
        }
        _ => Ok(()),
    }
}
