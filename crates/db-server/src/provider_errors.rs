//! What a provider says is wrong, by field, in the provider's own codes and under its name.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wire::payment::{Decline, Provider, Rejection};

use crate::field_errors::ALL;

/// The code of an error for which the provider has none.
const UNKNOWN: &str = "unknown";
/// The field of the card's verification number, whose mismatch is a decline of the gateway and no error of a field.
const CVV: &str = "cvv";

/// Why a provider did not do what it was asked for. It has moved nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProviderErrors {
    provider: Provider,
    fields: BTreeMap<String, Vec<ProviderError>>,
    /// When the provider asks to be called again: seconds or an HTTP date.
    pub retry_after: Option<String>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct ProviderError {
    code: String,
    message: String,
}

impl ProviderErrors {
    /// A request that was wrong.
    #[must_use]
    pub fn of_rejection(provider: Provider, rejection: &Rejection) -> Self {
        let mut errors =
            Self { provider, fields: BTreeMap::new(), retry_after: rejection.retry_after.clone() };
        for error in &rejection.errors {
            errors.add(error.field.as_deref().unwrap_or(ALL), &error.code, &error.message);
        }
        if errors.fields.is_empty() {
            errors.add(ALL, UNKNOWN, &rejection.message);
        }
        errors
    }

    /// A payer's bank or the provider's own checks that said no. A wrong verification number of the card has a field of
    /// its own.
    #[must_use]
    pub fn of_decline(provider: Provider, decline: &Decline) -> Self {
        Self::declined(provider, &decline.code, &decline.message)
    }

    /// The same of a decline of which the code and the words alone are left.
    #[must_use]
    pub fn declined(provider: Provider, code: &str, message: &str) -> Self {
        let mut errors = Self { provider, fields: BTreeMap::new(), retry_after: None };
        errors.add(if is_about_cvv(code) { CVV } else { ALL }, code, message);
        errors
    }

    /// Which provider.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// The first of the provider's codes.
    #[must_use]
    pub fn code(&self) -> &str {
        self.fields.values().flatten().next().map_or(UNKNOWN, |error| error.code.as_str())
    }

    /// `{"PROVIDER": {"FIELD": [{"code": "…", "message": "…"}]}}`.
    #[must_use]
    pub fn json(&self) -> Value {
        let told = |error: &ProviderError| json!({"code": error.code, "message": error.message});
        let fields =
            self.fields.iter().map(|(field, errors)| (field.clone(), errors.iter().map(told).collect()));
        json!({ self.provider.name(): fields.collect::<serde_json::Map<_, Value>>() })
    }

    fn add(&mut self, field: &str, code: &str, message: &str) {
        let code = if code.is_empty() { UNKNOWN } else { code };
        let error = ProviderError { code: code.to_owned(), message: message.to_owned() };
        self.fields.entry(field.to_owned()).or_default().push(error);
    }
}

/// Braintree's gateway says `cvv` or `avs_and_cvv`; a connector may put its own word before it.
fn is_about_cvv(code: &str) -> bool {
    code.rsplit(|character: char| !character.is_ascii_alphanumeric()).next() == Some(CVV)
}

#[cfg(test)]
mod tests {
    use wire::payment::{Advice, FieldError};

    use super::*;

    fn decline(code: &str) -> Decline {
        Decline { code: code.into(), message: "No.".into(), advice: Advice::OtherMethod }
    }

    fn rejection(errors: Vec<FieldError>) -> Rejection {
        Rejection { status: 422, message: "Wrong.".into(), errors, retry_after: None }
    }

    #[test]
    fn the_errors_of_fields_keep_the_providers_codes() {
        let error = |field: Option<&str>, code: &str| FieldError {
            field: field.map(Into::into),
            code: code.into(),
            message: "m".into(),
        };
        let rejection =
            rejection(vec![error(Some("amount"), "81501"), error(None, "91564"), error(Some("amount"), "")]);
        let told = |code: &str| json!({"code": code, "message": "m"});
        assert_eq!(
            ProviderErrors::of_rejection(Provider::Braintree, &rejection).json(),
            json!({"braintree": {"amount": [told("81501"), told("unknown")], "__all__": [told("91564")]}})
        );
    }

    #[test]
    fn a_refusal_without_errors_of_fields_is_unknown() {
        let errors = ProviderErrors::of_rejection(Provider::Braintree, &rejection(Vec::new()));
        let expected = json!({"braintree": {"__all__": [{"code": "unknown", "message": "Wrong."}]}});
        assert_eq!((errors.json(), errors.code()), (expected, "unknown"));
    }

    #[test]
    fn a_decline_is_about_the_whole_request_unless_it_is_about_the_cvv() {
        for (code, field) in [
            ("2000", "__all__"),
            ("gateway_rejected", "__all__"),
            ("cvv", "cvv"),
            ("gateway_rejected_cvv", "cvv"),
            ("gateway_rejected:avs_and_cvv", "cvv"),
            ("avs", "__all__"),
        ] {
            let errors = ProviderErrors::of_decline(Provider::Braintree, &decline(code));
            assert_eq!(errors.json(), json!({"braintree": {field: [{"code": code, "message": "No."}]}}));
            assert_eq!(errors.code(), code);
        }
    }
}
