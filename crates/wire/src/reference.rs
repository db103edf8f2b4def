//! The reference provider ("zippy"): onboarding, transactions and its signed notice, in Solitude's terms.
//!
//! Source: `docs/` of Mozilla's zippy, and Solitude's own documentation of `/provider/reference/`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Money, Operation};

/// The name of this provider in settings, paths and errors.
pub const NAME: &str = "reference";

/// The path on `provider-proxy` that verifies a signed notice: takes a [`SignedNotice`], gives a
/// [`crate::Reply`] of [`Notice`].
pub const NOTICE_PATH: &str = "/v1/webhooks/reference";

/// An object as the provider holds it: its three identifying fields, and whatever else it says.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RemoteResource {
    /// The provider's key of the object; the reference that we keep.
    #[serde(deserialize_with = "string_or_number")]
    pub resource_pk: String,
    /// The provider's name for the kind of object, such as `sellers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// The provider's own path of the object; it is never shown to our clients.
    pub resource_uri: String,
    /// Every other field, unchanged.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// Whether a seller or product may be used, in the provider's words.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SellerStatus {
    /// May sell.
    Active,
    /// May not sell for now.
    Inactive,
    /// May not sell.
    Disabled,
}

/// What a seller is to the provider; every field may be absent in an update.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SellerFields {
    /// The client's own id of the seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The seller's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The seller's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the seller may sell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SellerStatus>,
    /// The date on which the seller agreed to the terms, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
}

/// What a product is to the provider; every field may be absent in an update.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProductFields {
    /// The provider's key of the product's seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<String>,
    /// The client's own id of the product, unique for its seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The id of the product at the provider, chosen by the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The product's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Names one object of the provider.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The provider's key of the object.
    pub reference_id: String,
}

/// Changes one object of the provider.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Change<T> {
    /// The provider's key of the object.
    pub reference_id: String,
    /// The new values; an absent field stays as it is.
    pub fields: T,
}

/// The terms that a seller agrees to.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TermsFields {
    /// The date on which the seller agreed, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
}

/// The terms as the provider holds them for one seller.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Terms {
    /// The text of the agreement.
    pub text: String,
    /// When the seller agreed; null when not yet.
    #[serde(default)]
    pub agreement: Option<String>,
    /// Every other field, unchanged.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// Starts a purchase at the provider. No money moves until the payer confirms it on the provider's page.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StartTransaction {
    /// The provider's key of the product.
    pub product_id: String,
    /// The region of the payer, as the client names it.
    pub region: String,
    /// The mobile carrier of the payer, as the client names it.
    pub carrier: String,
    /// What the payer is asked for.
    pub price: Money,
    /// How the payer pays: `OPERATOR`, `CARD`, `INTERNET` or `PSMS`.
    pub pay_method: String,
    /// Where the provider posts the signed notice of a success.
    pub callback_success_url: String,
    /// Where the provider posts the signed notice of a failure.
    pub callback_error_url: String,
    /// Where the payer goes after a success.
    pub success_url: String,
    /// Where the payer goes after a failure.
    pub error_url: String,
    /// Our transaction's uuid; it comes back in the notice.
    pub ext_transaction_id: String,
}

/// A purchase that the provider has started.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StartedTransaction {
    /// The provider's object.
    #[serde(flatten)]
    pub resource: RemoteResource,
}

impl StartedTransaction {
    /// The token with which the payer opens the provider's payment page.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.resource.fields.get("token").and_then(Value::as_str)
    }

    /// The provider's status, `STARTED` for a fresh purchase.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.resource.fields.get("status").and_then(Value::as_str)
    }
}

/// A notice as the provider posted it, not yet believed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignedNotice {
    /// The signed query string, byte for byte.
    pub signed_notice: String,
}

/// A notice whose signature has been verified.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Notice {
    /// Our transaction's uuid.
    pub ext_transaction_id: String,
    /// The provider's code of the failure; absent when the payment succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was charged, when the provider says it; it must equal what was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// Declares an operation of this provider.
macro_rules! operation {
    ($(#[$documentation:meta])* $name:ident, $path:literal, $request:ty => $answer:ty) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Operation for $name {
            const PROVIDER: &'static str = NAME;
            const NAME: &'static str = $path;
            type Request = $request;
            type Answer = $answer;
        }
    };
}

operation!(
    /// Creates a seller.
    CreateSeller, "create_seller", SellerFields => RemoteResource
);
operation!(
    /// Reads a seller.
    GetSeller, "get_seller", Named => RemoteResource
);
operation!(
    /// Changes a seller.
    UpdateSeller, "update_seller", Change<SellerFields> => RemoteResource
);
operation!(
    /// Creates a product.
    CreateProduct, "create_product", ProductFields => RemoteResource
);
operation!(
    /// Reads a product.
    GetProduct, "get_product", Named => RemoteResource
);
operation!(
    /// Changes a product.
    UpdateProduct, "update_product", Change<ProductFields> => RemoteResource
);
operation!(
    /// Reads the terms for a seller.
    GetTerms, "get_terms", Named => Terms
);
operation!(
    /// Records a seller's agreement to the terms.
    UpdateTerms, "update_terms", Change<TermsFields> => Terms
);
operation!(
    /// Starts a purchase.
    Start, "start_transaction", StartTransaction => StartedTransaction
);

/// Accepts a key that a provider writes as a number, as zippy's older versions did.
fn string_or_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("resource_pk: expected a string or a number")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ErrorKind, ProviderAnswer, ProxyFailure, Reply, operation_path};

    #[test]
    fn an_operation_is_posted_to_its_providers_path() {
        assert_eq!(operation_path::<CreateSeller>(), "/v1/reference/create_seller");
        assert_eq!(operation_path::<Start>(), "/v1/reference/start_transaction");
    }

    #[test]
    fn the_three_kinds_of_reply_are_told_apart_by_one_key() {
        let result: Reply<Named> = Reply::Result(Named { reference_id: "s1".into() });
        assert_eq!(serde_json::to_value(result).unwrap(), json!({"result": {"reference_id": "s1"}}));
        let refused: Reply<Named> =
            Reply::Refused(ProviderAnswer { status: 404, body: json!({"code": "X"}), retry_after: None });
        assert_eq!(
            serde_json::to_value(refused).unwrap(),
            json!({"refused": {"status": 404, "body": {"code": "X"}}})
        );
        let busy = ProviderAnswer { status: 503, body: json!(""), retry_after: Some("7".into()) };
        assert_eq!(
            serde_json::to_value(Reply::<Named>::Refused(busy)).unwrap(),
            json!({"refused": {"status": 503, "body": "", "retry_after": "7"}})
        );
        let error: Reply<Named> = Reply::Error(ProxyFailure {
            kind: ErrorKind::Timeout,
            target: NAME.into(),
            message: "no answer in 10 s".into(),
        });
        assert_eq!(
            serde_json::to_value(error).unwrap(),
            json!({"error": {"kind": "timeout", "target": "reference", "message": "no answer in 10 s"}})
        );
    }

    #[test]
    fn a_remote_resource_keeps_the_fields_that_we_do_not_know() {
        let text = json!({"resource_pk": 7, "resource_uri": "/sellers/7", "colour": "red"});
        let resource: RemoteResource = serde_json::from_value(text).unwrap();
        assert_eq!(resource.resource_pk, "7");
        assert_eq!(resource.fields["colour"], "red");
    }

    #[test]
    fn a_price_travels_as_minor_units_and_never_as_a_float() {
        let price = Money::parse("0.99", crate::Currency::parse("EUR").unwrap()).unwrap();
        assert_eq!(serde_json::to_value(price).unwrap(), json!({"minor_units": 99, "currency": "EUR"}));
    }

    #[test]
    fn an_unknown_field_in_a_request_is_refused() {
        assert!(serde_json::from_value::<SellerFields>(json!({"nmae": "x"})).is_err());
    }
}
