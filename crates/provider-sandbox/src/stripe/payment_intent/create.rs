//! `POST /v1/payment_intents`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{AutomaticMethods, Confirmation, PaymentIntent, Status, confirm};
use crate::stripe::books::{Books, Call, Origin, new_client_secret, new_id};
use crate::stripe::error::Failure;
use crate::stripe::form::Params;
use crate::stripe::{currency, customer, payment_method};

const CAPTURE_METHODS: &[&str] = &["automatic", "automatic_async", "manual"];
const METHOD_TYPES: &[&str] = &["card", "us_bank_account"];

/// An intent about an amount, with nothing else yet.
pub(in crate::stripe) fn make(origin: &Origin, amount: i64, currency: String) -> PaymentIntent {
    let id = new_id("pi");
    PaymentIntent {
        client_secret: new_client_secret(&id),
        id,
        object: "payment_intent",
        amount,
        amount_capturable: 0,
        amount_details: json!({"tip": {}}),
        amount_received: 0,
        application: None,
        application_fee_amount: None,
        automatic_payment_methods: None,
        canceled_at: None,
        cancellation_reason: None,
        capture_method: "automatic_async",
        confirmation_method: "automatic",
        created: origin.seconds(),
        currency,
        customer: None,
        description: None,
        last_payment_error: None,
        latest_charge: None,
        livemode: false,
        metadata: BTreeMap::new(),
        next_action: None,
        on_behalf_of: None,
        payment_method: None,
        payment_method_options: json!({}),
        payment_method_types: vec!["card".to_owned()],
        processing: None,
        receipt_email: None,
        review: None,
        setup_future_usage: None,
        shipping: None,
        source: None,
        statement_descriptor: None,
        statement_descriptor_suffix: None,
        status: Status::RequiresPaymentMethod,
        transfer_data: None,
        transfer_group: None,
        return_url: None,
        is_multicapture: false,
        confirmed_by: None,
        invoice: None,
    }
}

pub(in crate::stripe) fn create(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let params = &mut call.params;
    let amount = params.positive("amount")?.ok_or_else(|| Failure::missing("amount"))?;
    let currency = currency::parse(&params.required("currency")?)?;
    currency::check_amount(amount, &currency)?;
    let mut intent = make(&call.origin, amount, currency);
    take_methods(&mut intent, params)?;
    take_fields(&mut intent, params)?;
    if let Some(id) = params.text("customer")? {
        customer::in_param(books, &id)?;
        intent.customer = Some(id);
    }
    let confirms = params.boolean("confirm")?.unwrap_or(false);
    let confirmation = Confirmation::take(&call.origin, params)?;
    if !confirms && confirmation.only_for_confirming() {
        let message = "This parameter can only be used when `confirm=true`.";
        return Err(Failure::invalid(message, "off_session"));
    }
    call.finish()?;
    confirmation.choose(books, &call.origin, &mut intent)?;
    if confirms {
        confirmation.check(&intent)?;
    }
    let shown = books.payment_intents.add(intent.clone());
    books.happened(&call.origin, "payment_intent.created", shown.clone());
    if confirms { confirm::run(books, &call.origin, intent, &confirmation) } else { Ok(shown) }
}

/// What is offered to the payer: named types, or what the account allows.
fn take_methods(intent: &mut PaymentIntent, params: &mut Params) -> Result<(), Failure> {
    let types = params.texts("payment_method_types")?;
    if let Some(unknown) = types.iter().find(|kind| !METHOD_TYPES.contains(&kind.as_str())) {
        let message = format!("The payment method type \"{unknown}\" is invalid.");
        return Err(Failure::invalid(message, "payment_method_types"));
    }
    let mut automatic = AutomaticMethods { allow_redirects: "always", enabled: types.is_empty() };
    if let Some(mut table) = params.table("automatic_payment_methods")? {
        automatic.enabled = table
            .boolean("enabled")?
            .ok_or_else(|| Failure::missing("automatic_payment_methods[enabled]"))?;
        automatic.allow_redirects =
            table.one_of("allow_redirects", &["always", "never"])?.unwrap_or("always");
        table.finish()?;
        if automatic.enabled && !types.is_empty() {
            let message = "You may only specify one of these parameters: automatic_payment_methods, \
                           payment_method_types.";
            return Err(Failure::invalid(message, "automatic_payment_methods"));
        }
    }
    if automatic.enabled {
        intent.payment_method_types = METHOD_TYPES.iter().map(|&kind| kind.to_owned()).collect();
        intent.automatic_payment_methods = Some(automatic);
    } else if !types.is_empty() {
        intent.payment_method_types = types;
    }
    Ok(())
}

fn take_fields(intent: &mut PaymentIntent, params: &mut Params) -> Result<(), Failure> {
    if let Some(method) = params.one_of("capture_method", CAPTURE_METHODS)? {
        intent.capture_method = method;
    }
    if let Some(method) = params.one_of("confirmation_method", &["automatic", "manual"])? {
        intent.confirmation_method = method;
    }
    intent.description = params.unsettable("description")?.flatten();
    intent.receipt_email = params.unsettable("receipt_email")?.flatten();
    intent.statement_descriptor = params.text("statement_descriptor")?;
    intent.statement_descriptor_suffix = params.text("statement_descriptor_suffix")?;
    params.metadata(&mut intent.metadata)
}

/// `payment_method_options[card][request_multicapture]` and what stands beside it.
pub(super) fn take_options(params: &mut Params) -> Result<Option<(Value, bool)>, Failure> {
    let Some(mut options) = params.table("payment_method_options")? else { return Ok(None) };
    let Some(mut card) = options.table("card")? else { return options.finish().map(|()| None) };
    options.finish()?;
    let multicapture = card.one_of("request_multicapture", &["if_available", "never"])?;
    let authentication = card.one_of("request_three_d_secure", &["any", "automatic", "challenge"])?;
    card.finish()?;
    let mut shown = json!({"card": {
        "installments": null, "mandate_options": null, "network": null,
        "request_three_d_secure": authentication.unwrap_or("automatic")
    }});
    if let Some(word) = multicapture {
        shown["card"]["request_multicapture"] = json!(word);
    }
    Ok(Some((shown, multicapture == Some("if_available"))))
}

/// Reads `payment_method_data` where there is one.
pub(super) fn take_data(
    origin: &Origin,
    params: &mut Params,
) -> Result<Option<payment_method::PaymentMethod>, Failure> {
    let Some(mut data) = params.table("payment_method_data")? else { return Ok(None) };
    let method = payment_method::read(origin, &mut data)?;
    data.finish()?;
    Ok(Some(method))
}
