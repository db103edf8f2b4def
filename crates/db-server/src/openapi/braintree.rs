//! `/braintree/`: the paths of the Solitude API for Braintree.

mod schemas;

use serde_json::json;

use super::{
    Part,
    field::{Field, long_text, query_flag, reference, text},
    operation::{Operation, get, patch, post},
};
use crate::uri::Kind;

const METHODS: &str = "/braintree/mozilla/paymethod/";
const METHOD: &str = "/braintree/mozilla/paymethod/{id}/";
const BUYERS: &str = "/braintree/mozilla/buyer/";
const BUYER: &str = "/braintree/mozilla/buyer/{id}/";
const SUBSCRIPTIONS: &str = "/braintree/mozilla/subscription/";
const SUBSCRIPTION: &str = "/braintree/mozilla/subscription/{id}/";
const TRANSACTIONS: &str = "/braintree/mozilla/transaction/";
const TRANSACTION: &str = "/braintree/mozilla/transaction/{id}/";

pub(super) fn part() -> Part {
    let operations = [buyers(), methods(), sales(), subscriptions(), webhooks(), transactions()];
    Part {
        tag: "braintree",
        about: "Buyers, cards, sales and subscriptions at Braintree. Errors of fields are 422 with codes, Braintree's \
                own under `braintree`. Lists are plain arrays.",
        schemas: schemas::schemas(),
        operations: operations.into_iter().flatten().collect(),
    }
}

fn buyers() -> Vec<Operation> {
    let filters = [("buyer", reference(Kind::Buyer)), ("active", query_flag())];
    vec![
        post("/braintree/token/generate/", "generate_braintree_token", "What Braintree's script starts with")
            .takes_nothing()
            .answers("200", "The token, for the payer's browser.", "BraintreeToken")
            .asks_braintree(),
        post("/braintree/customer/", "create_braintree_customer", "Makes a buyer known at Braintree")
            .takes("NewBraintreeCustomer", json!({"uuid": "buyer-1"}))
            .answers("201", "What Braintree holds, and what we hold.", "BraintreeCustomer")
            .asks_braintree(),
        get(BUYERS, "list_braintree_buyers", "The buyers that Braintree knows")
            .lists_plainly(filters)
            .answers("200", "The buyers, newest first.", "BraintreeBuyers"),
        get(BUYER, "get_braintree_buyer", "One buyer that Braintree knows")
            .answers("200", "The buyer.", "BraintreeBuyer")
            .versioned("200"),
        patch(BUYER, "change_braintree_buyer", "Says whether the buyer is active")
            .may_take("BraintreeBuyerChange", json!({"active": false}))
            .answers("200", "The buyer.", "BraintreeBuyer")
            .versioned("200"),
    ]
}

fn methods() -> Vec<Operation> {
    let filters = [
        ("braintree_buyer", reference(Kind::BraintreeBuyer)),
        ("braintree_buyer__buyer__uuid", text()),
        ("active", query_flag()),
    ];
    vec![
        post("/braintree/paymethod/", "store_braintree_paymethod", "Has Braintree verify and keep a card")
            .takes("NewBraintreePaymethod", json!({"buyer_uuid": "buyer-1", "nonce": "fake-valid-nonce"}))
            .answers("201", "What Braintree holds, and what we hold.", "BraintreeStoredPaymethod")
            .asks_braintree(),
        post("/braintree/paymethod/delete/", "delete_braintree_paymethod", "Has Braintree forget a card")
            .takes("BraintreePaymethodChoice", json!({"paymethod": "/braintree/mozilla/paymethod/1/"}))
            .answers_nothing("204", "It is gone.")
            .asks_braintree(),
        get(METHODS, "list_braintree_paymethods", "The cards that Braintree keeps")
            .lists_plainly(filters)
            .answers("200", "The cards, newest first.", "BraintreePaymethods"),
        get(METHOD, "get_braintree_paymethod", "One card that Braintree keeps")
            .answers("200", "The card.", "BraintreePaymethod")
            .versioned("200"),
        patch(METHOD, "change_braintree_paymethod", "Says whether the card is active")
            .may_take("BraintreePaymethodChange", json!({"active": false}))
            .answers("200", "The card.", "BraintreePaymethod")
            .versioned("200"),
    ]
}

fn sales() -> Vec<Operation> {
    let example = json!({"amount": "10.00", "product_id": "shop:sword", "nonce": "fake-valid-nonce"});
    vec![
        post("/braintree/sale/", "sell_through_braintree", "Sells a product once")
            .notes(
                "Either `nonce` or `paymethod`. The currency is that of the product's plan, else `payments.currency`. \
                 When nobody knows whether the payer was charged, the transaction is pending, and the error names it. A \
                 sale is a payment, and is in `GET /payments/`.",
            )
            .may_be_keyed()
            .takes("NewBraintreeSale", example)
            .answers("200", "The transaction, which Braintree has accepted.", "BraintreeSale")
            .asks_braintree()
            .refuses("400", "The body is not JSON, or the key is none.", &["KeyRefusal"])
            .refuses("409", "The same sale is being carried out.", &["KeyRefusal"])
            .refuses(
                "422",
                "Fields are wrong; or Braintree says no; or the key was used for another body.",
                &["KeyRefusal"],
            )
            .refuses("403", "The caller lacks the role, or provider-proxy's limits.", &["ProxyFailure"])
            .refuses("501", "Braintree does not offer this.", &["ProxyFailure"]),
    ]
}

fn subscriptions() -> Vec<Operation> {
    let filters = [
        ("active", query_flag()),
        ("paymethod", reference(Kind::BraintreePaymentMethod)),
        ("paymethod__braintree_buyer", reference(Kind::BraintreeBuyer)),
        ("paymethod__braintree_buyer__buyer", reference(Kind::Buyer)),
        ("provider_id", text()),
        ("seller_product", reference(Kind::Product)),
    ];
    let (method, subscription) = ("/braintree/mozilla/paymethod/1/", "/braintree/mozilla/subscription/1/");
    let change = json!({"paymethod": method, "subscription": subscription});
    vec![
        post("/braintree/subscription/", "start_braintree_subscription", "Starts a subscription")
            .takes("NewBraintreeSubscription", json!({"paymethod": method, "plan": "shop:sword"}))
            .answers("201", "What Braintree holds, and what we hold.", "BraintreeSubscribed")
            .asks_braintree(),
        post("/braintree/subscription/cancel/", "cancel_braintree_subscription", "Ends a subscription")
            .takes("BraintreeSubscriptionChoice", json!({"subscription": subscription}))
            .answers("200", "What Braintree holds, and what we hold.", "BraintreeSubscribed")
            .asks_braintree(),
        post(
            "/braintree/subscription/paymethod/change/",
            "change_braintree_subscription_paymethod",
            "Has the coming charges made to another card",
        )
        .takes("BraintreeSubscriptionPaymethod", change)
        .answers("200", "What Braintree holds, and what we hold.", "BraintreeSubscribed")
        .asks_braintree(),
        get(SUBSCRIPTIONS, "list_braintree_subscriptions", "The subscriptions that Braintree charges")
            .lists_plainly(filters)
            .answers("200", "The subscriptions, newest first.", "BraintreeSubscriptions"),
        get(SUBSCRIPTION, "get_braintree_subscription", "One subscription that Braintree charges")
            .answers("200", "The subscription.", "BraintreeSubscription")
            .versioned("200"),
        patch(SUBSCRIPTION, "change_braintree_subscription", "Says whether the subscription is active")
            .may_take("BraintreeSubscriptionChange", json!({"active": false}))
            .answers("200", "The subscription.", "BraintreeSubscription")
            .versioned("200"),
    ]
}

fn webhooks() -> Vec<Operation> {
    let challenge = long_text().about("The question: 20 to 32 hexadecimal digits.");
    vec![
        get("/braintree/webhook/", "answer_braintree_challenge", "Answers Braintree's check of the address")
            .asks([("bt_challenge", challenge)])
            .answers("200", "The text to answer with.", "BraintreeVerification")
            .asks_the_proxy(),
        post("/braintree/webhook/", "hand_on_braintree_webhook", "Takes what Braintree has posted")
            .notes("Also as the form that Braintree posts. The same event again changes nothing.")
            .takes("BraintreeWebhook", json!({"bt_signature": "key|0123", "bt_payload": "PG4+Cg=="}))
            .answers("200", "It was about a subscription, and this is all that it is about.", "BraintreeTold")
            .answers_nothing("204", "It is of a kind that is not acted on.")
            .refuses("403", "It is not genuine, or the caller lacks the role.", &["Detail"])
            .refuses("404", "It is about a subscription that is not ours.", &["Detail"])
            .refuses("422", "A field is missing.", &["FormErrors"])
            .asks_the_proxy(),
    ]
}

fn transactions() -> Vec<Operation> {
    vec![
        get(TRANSACTIONS, "list_braintree_transactions", "What Braintree says about transactions")
            .lists_plainly([("transaction__buyer__uuid", text())])
            .answers("200", "Newest first.", "BraintreeTransactions"),
        get(TRANSACTION, "get_braintree_transaction", "What Braintree says about one transaction")
            .answers("200", "What it says.", "BraintreeTransaction")
            .versioned("200"),
    ]
}

impl Operation {
    /// A list as a plain array.
    fn lists_plainly(self, filters: impl IntoIterator<Item = (&'static str, Field)>) -> Self {
        self.lists_by(filters, 500)
    }

    /// Braintree has its say: its errors have its name.
    fn asks_braintree(self) -> Self {
        self.refuses("409", "The state forbids it, or the same is being asked already.", &["Detail"])
            .refuses("422", "A field is wrong, or Braintree says no.", &["FormErrors", "BraintreeErrors"])
            .asks_the_proxy()
    }
}
