//! `/v1/setup_intents`: a payment method is kept for later, with the payer's agreement.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::books::{Books, Call, Origin, new_client_secret, new_id};
use super::cards::Behaviour;
use super::customer;
use super::error::Failure;
use super::form::Params;
use super::payment_intent::confirm::next_action;
use super::payment_method;
use super::shelf::Object;

const CANCELLATION_REASONS: &[&str] = &["abandoned", "duplicate", "requested_by_customer"];

#[derive(Clone, Debug, Serialize)]
pub(super) struct SetupIntent {
    id: String,
    object: &'static str,
    application: Option<String>,
    automatic_payment_methods: Option<Value>,
    cancellation_reason: Option<&'static str>,
    client_secret: String,
    created: i64,
    customer: Option<String>,
    description: Option<String>,
    flow_directions: Option<Value>,
    last_setup_error: Option<Value>,
    latest_attempt: Option<String>,
    livemode: bool,
    mandate: Option<String>,
    metadata: BTreeMap<String, String>,
    next_action: Option<Value>,
    on_behalf_of: Option<String>,
    payment_method: Option<String>,
    payment_method_options: Value,
    payment_method_types: Vec<String>,
    single_use_mandate: Option<String>,
    status: &'static str,
    usage: &'static str,
    #[serde(skip)]
    return_url: Option<String>,
}

impl Object for SetupIntent {
    const NAME: &'static str = "setupintent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl SetupIntent {
    /// Whether its payer must still authenticate, and where the payer then goes.
    pub(super) fn waits(&self) -> Option<Option<&str>> {
        (self.status == "requires_action").then_some(self.return_url.as_deref())
    }

    pub(super) fn client_secret(&self) -> &str {
        &self.client_secret
    }

    fn new(origin: &Origin) -> Self {
        let id = new_id("seti");
        Self {
            client_secret: new_client_secret(&id),
            id,
            object: "setup_intent",
            application: None,
            automatic_payment_methods: None,
            cancellation_reason: None,
            created: origin.seconds(),
            customer: None,
            description: None,
            flow_directions: None,
            last_setup_error: None,
            latest_attempt: None,
            livemode: false,
            mandate: None,
            metadata: BTreeMap::new(),
            next_action: None,
            on_behalf_of: None,
            payment_method: None,
            payment_method_options: json!({}),
            payment_method_types: vec!["card".to_owned()],
            single_use_mandate: None,
            status: "requires_payment_method",
            usage: "off_session",
            return_url: None,
        }
    }
}

pub(super) fn create(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut intent = SetupIntent::new(&call.origin);
    let params = &mut call.params;
    intent.description = params.text("description")?;
    intent.usage = params.one_of("usage", &["off_session", "on_session"])?.unwrap_or("off_session");
    params.metadata(&mut intent.metadata)?;
    let types = params.texts("payment_method_types")?;
    if let Some(mut table) = params.table("automatic_payment_methods")? {
        let enabled = table.boolean("enabled")?.unwrap_or(false);
        let redirects = table.one_of("allow_redirects", &["always", "never"])?.unwrap_or("always");
        table.finish()?;
        intent.automatic_payment_methods = Some(json!({"allow_redirects": redirects, "enabled": enabled}));
    }
    if !types.is_empty() {
        intent.payment_method_types = types;
    }
    if let Some(customer) = params.text("customer")? {
        customer::in_param(books, &customer)?;
        intent.customer = Some(customer);
    }
    let confirms = params.boolean("confirm")?.unwrap_or(false);
    let method = take_confirmation(&mut intent, params)?;
    call.finish()?;
    if let Some(id) = method {
        let method = payment_method::resolve(books, &call.origin, &id, "payment_method")?;
        payment_method::check_reuse(&method)?;
        intent.payment_method = Some(method.id().to_owned());
        intent.status = "requires_confirmation";
    }
    let shown = books.setup_intents.add(intent.clone());
    books.happened(&call.origin, "setup_intent.created", shown.clone());
    if confirms { run(books, &call.origin, intent) } else { Ok(shown) }
}

fn take_confirmation(intent: &mut SetupIntent, params: &mut Params) -> Result<Option<String>, Failure> {
    if let Some(url) = params.text("return_url")? {
        intent.return_url = Some(url);
    }
    let _ = params.boolean("use_stripe_sdk")?;
    drop(params.text("client_secret")?);
    params.text("payment_method")
}

pub(super) fn confirm(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut intent = open(books, &call.id, "confirmed")?;
    let method = take_confirmation(&mut intent, &mut call.params)?;
    call.finish()?;
    if let Some(id) = method {
        let method = payment_method::resolve(books, &call.origin, &id, "payment_method")?;
        payment_method::check_reuse(&method)?;
        intent.payment_method = Some(method.id().to_owned());
    }
    run(books, &call.origin, intent)
}

/// The intent that the path names, while something can still become of it.
fn open(books: &Books, id: &str, verb: &str) -> Result<SetupIntent, Failure> {
    let intent = books.setup_intents.in_path(id)?;
    if !matches!(intent.status, "succeeded" | "canceled") {
        return Ok(intent.clone());
    }
    let message =
        format!("You cannot have this SetupIntent {verb} because it has a status of {}.", intent.status);
    Err(Failure::state("setup_intent_unexpected_state", message).setup_intent(intent.show()))
}

fn run(books: &mut Books, origin: &Origin, mut intent: SetupIntent) -> Result<Value, Failure> {
    let Some(id) = intent.payment_method.clone() else {
        let message = "You cannot confirm this SetupIntent because it's missing a payment method.";
        return Err(Failure::invalid(message, "payment_method").code("setup_intent_unexpected_state"));
    };
    let method = books.payment_methods.in_param(&id, "payment_method")?.clone();
    match method.behaviour {
        Behaviour::Declines(decline) => {
            let failure = Failure::card(decline.code, decline.message)
                .decline(decline.decline_code, decline.advice)
                .payment_method(method.show());
            Err(refuse(books, origin, intent, failure))
        }
        Behaviour::Authenticates(_) => {
            intent.status = "requires_action";
            intent.next_action = Some(next_action(origin, &intent.id, intent.return_url.as_deref()));
            let shown = keep(books, intent);
            books.happened(origin, "setup_intent.requires_action", shown.clone());
            Ok(shown)
        }
        _ => Ok(succeed(books, origin, intent, &id)),
    }
}

fn succeed(books: &mut Books, origin: &Origin, mut intent: SetupIntent, method: &str) -> Value {
    intent.status = "succeeded";
    intent.next_action = None;
    if let (Some(customer), Some(kept)) = (&intent.customer, books.payment_methods.find_mut(method))
        && kept.customer.is_none()
    {
        kept.customer = Some(customer.clone());
        let attached = kept.show();
        books.happened(origin, "payment_method.attached", attached);
    }
    let shown = keep(books, intent);
    books.happened(origin, "setup_intent.succeeded", shown.clone());
    shown
}

fn refuse(books: &mut Books, origin: &Origin, mut intent: SetupIntent, failure: Failure) -> Failure {
    intent.status = "requires_payment_method";
    intent.payment_method = None;
    intent.next_action = None;
    intent.last_setup_error = Some(failure.object());
    let shown = keep(books, intent);
    books.happened(origin, "setup_intent.setup_failed", shown.clone());
    failure.setup_intent(shown)
}

fn keep(books: &mut Books, intent: SetupIntent) -> Value {
    let shown = intent.show();
    if let Some(kept) = books.setup_intents.find_mut(&intent.id) {
        *kept = intent;
    }
    shown
}

/// The payer has authenticated, or has not; None when nothing waits.
pub(super) fn decide(books: &mut Books, origin: &Origin, id: &str, agreed: bool) -> Option<Value> {
    let intent = books.setup_intents.find(id)?.clone();
    intent.waits()?;
    let method = intent.payment_method.clone()?;
    if agreed {
        return Some(succeed(books, origin, intent, &method));
    }
    let message = "We are unable to authenticate your payment method. Please choose a different payment method and \
                   try again.";
    drop(refuse(books, origin, intent, Failure::state("setup_intent_authentication_failure", message)));
    books.show(id)
}

pub(super) fn cancel(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut intent = open(books, &call.id, "canceled")?;
    intent.cancellation_reason = call.params.one_of("cancellation_reason", CANCELLATION_REASONS)?;
    call.finish()?;
    intent.status = "canceled";
    intent.next_action = None;
    let shown = keep(books, intent);
    books.happened(&call.origin, "setup_intent.canceled", shown.clone());
    Ok(shown)
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    drop(call.params.text("client_secret")?);
    call.finish()?;
    books.setup_intents.in_path(&call.id).map(Object::show)
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let customer = call.params.text("customer")?;
    let wanted = |intent: &SetupIntent| {
        customer.as_ref().is_none_or(|customer| intent.customer.as_ref() == Some(customer))
    };
    let page = books.setup_intents.list("/v1/setup_intents", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}
