//! Why a decision of the domain goes against the client, or could not be made.

use thiserror::Error;

use crate::{
    crypt::CryptError,
    field_errors::{ALL, Code, FieldError, FieldErrors},
    pin::PinError,
    store::StoreError,
    uri::DANGLING,
};

/// Why an operation on a resource did not happen. It can travel between threads, so that a database transaction can
/// be left with it.
#[derive(Debug, Error)]
pub enum DomainError {
    /// The request's fields are wrong.
    #[error("{0}")]
    Fields(FieldErrors),
    /// There is no such resource.
    #[error("no such resource")]
    NotFound,
    /// The resource has changed since the client saw it.
    #[error("the resource has another version")]
    Stale,
    /// The resource's state forbids it. The message is for the client.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// The same request, under the same `Idempotency-Key`, is being carried out.
    #[error("a request with this key is under way")]
    UnderWay,
    /// The `Idempotency-Key` was used for another request.
    #[error("the key was used for another request")]
    OtherRequest,
    /// What a provider says contradicts what we hold. The message is for the client and holds no value.
    #[error("integrity: {0}")]
    Integrity(&'static str),
    /// The database failed.
    #[error("the database: {0}")]
    Store(#[source] StoreError),
    /// A secret cannot be encrypted or decrypted.
    #[error("encryption at rest: {0}")]
    Crypt(#[from] CryptError),
    /// A PIN cannot be hashed or compared.
    #[error("a PIN: {0}")]
    Pin(#[from] PinError),
}

impl From<FieldErrors> for DomainError {
    fn from(errors: FieldErrors) -> Self {
        Self::Fields(errors)
    }
}

/// Turns what the client has caused into the client's error; the rest stays the database's.
impl From<StoreError> for DomainError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Stale { .. } => Self::Stale,
            error => match error.constraint().and_then(field_of) {
                Some((field, error)) => Self::Fields(FieldErrors::of(field, error)),
                None => Self::Store(error),
            },
        }
    }
}

const TOO_LONG: &str = "Ensure this value has at most 255 characters.";
const CHOICE: &str = "Not one of the available choices.";

/// The constraints of the schema that a request can break: constraint, field, message.
#[rustfmt::skip]
const CONSTRAINTS: [(&str, &str, &str); 45] = [
    ("sellers_uuid_key", "uuid", "Seller with this Uuid already exists."),
    ("sellers_uuid_length_check", "uuid", TOO_LONG),
    ("buyers_uuid_key", "uuid", "Buyer with this Uuid already exists."),
    ("buyers_uuid_length_check", "uuid", TOO_LONG),
    ("buyers_locale_length_check", "locale", TOO_LONG),
    ("products_public_id_key", "public_id", "Product with this Public id already exists."),
    ("products_seller_id_external_id_key", "external_id", "EXTERNAL_PRODUCT_ID_IS_NOT_UNIQUE"),
    ("products_seller_id_fkey", "seller", DANGLING),
    ("products_external_id_length_check", "external_id", TOO_LONG),
    ("products_public_id_length_check", "public_id", TOO_LONG),
    ("transactions_uuid_key", "uuid", "Transaction with this Uuid already exists."),
    ("transactions_uid_pay_provider_key", "uid_pay", "Transaction with this Uid pay and Provider already exists."),
    ("transactions_uid_support_provider_key", "uid_support", "Transaction with this Uid support and Provider already exists."),
    ("transactions_seller_id_fkey", "seller", DANGLING),
    ("transactions_product_id_fkey", "seller_product", DANGLING),
    ("transactions_buyer_id_fkey", "buyer", DANGLING),
    ("transactions_related_id_fkey", "related", DANGLING),
    ("transactions_amount_minor_check", "amount", "Ensure that there are no more than 9 digits in total."),
    ("transactions_amount_currency_check", "currency", "An amount and its currency go together."),
    ("transactions_currency_check", "currency", "Not a currency of ISO 4217."),
    ("transactions_provider_check", "provider", CHOICE),
    ("transactions_type_check", "type", CHOICE),
    ("transactions_status_check", "status", CHOICE),
    ("transactions_uuid_length_check", "uuid", TOO_LONG),
    ("transactions_region_length_check", "region", TOO_LONG),
    ("transactions_carrier_length_check", "carrier", TOO_LONG),
    ("transactions_source_length_check", "source", TOO_LONG),
    ("transactions_status_reason_length_check", "status_reason", TOO_LONG),
    ("transactions_uid_pay_length_check", "uid_pay", TOO_LONG),
    ("transactions_uid_support_length_check", "uid_support", TOO_LONG),
    ("transactions_pay_url_length_check", "pay_url", TOO_LONG),
    ("reference_sellers_seller_id_key", "seller", "Seller reference with this Seller already exists."),
    ("reference_sellers_seller_id_fkey", "seller", DANGLING),
    ("reference_sellers_reference_id_key", "uuid", "Another seller is set up with this Uuid already."),
    ("reference_sellers_reference_id_length_check", "uuid", TOO_LONG),
    ("reference_products_product_id_key", "seller_product", "Product reference with this Seller product already exists."),
    ("reference_products_product_id_fkey", "seller_product", DANGLING),
    ("reference_products_reference_seller_id_fkey", "seller_reference", DANGLING),
    ("reference_products_reference_id_key", "uuid", "Another product is set up with this Uuid already."),
    ("reference_products_reference_id_length_check", "uuid", TOO_LONG),
    ("payment_methods_deleted_check", "active", "The provider has forgotten this payment method."),
    ("payments_refunded_minor_check", "amount", "More than is left to be refunded."),
    ("subscriptions_payment_method_id_plan_key", "active", "There is such a subscription to this payment method already."),
    ("webhook_endpoints_name_key", "name", "Webhook endpoint with this Name already exists."),
    ("webhook_endpoints_name_check", "name", "Enter letters, digits, _ and -, at most 64."),
];

fn field_of(constraint: &str) -> Option<(&'static str, FieldError)> {
    let &(name, field, message) = CONSTRAINTS.iter().find(|(name, ..)| *name == constraint)?;
    Some((field, FieldError::new(code_of(name, message), message)))
}

/// The kind of error that a constraint stands for, by the end of its name.
fn code_of(constraint: &str, message: &str) -> Code {
    match constraint.rsplit('_').next() {
        Some("key") => Code::NotUnique,
        Some("fkey") => Code::DoesNotExist,
        _ if message == TOO_LONG => Code::MaxLength,
        _ if message == CHOICE => Code::InvalidChoice,
        _ => Code::Invalid,
    }
}

/// An error about the whole request.
#[must_use]
pub fn whole(message: impl Into<String>) -> DomainError {
    DomainError::Fields(FieldErrors::of(ALL, FieldError::invalid(message)))
}

/// An error about one field.
#[must_use]
pub fn field(name: &str, message: impl Into<String>) -> DomainError {
    DomainError::Fields(FieldErrors::of(name, FieldError::invalid(message)))
}

/// An error of one kind about one field.
#[must_use]
pub fn field_with(name: &str, code: Code, message: impl Into<String>) -> DomainError {
    DomainError::Fields(FieldErrors::of(name, FieldError::new(code, message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constraint_is_listed_once() {
        let mut names: Vec<_> = CONSTRAINTS.iter().map(|(name, ..)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), CONSTRAINTS.len());
    }

    #[test]
    fn a_row_that_is_gone_or_has_changed_is_the_clients_error() {
        assert!(matches!(DomainError::from(StoreError::NotFound), DomainError::NotFound));
        assert!(matches!(DomainError::from(StoreError::Stale { counter: 1 }), DomainError::Stale));
    }

    #[test]
    fn a_constraint_names_the_field_that_broke_it() {
        for (constraint, code) in [
            ("sellers_uuid_key", Code::NotUnique),
            ("products_seller_id_fkey", Code::DoesNotExist),
            ("buyers_uuid_length_check", Code::MaxLength),
            ("transactions_type_check", Code::InvalidChoice),
            ("transactions_currency_check", Code::Invalid),
        ] {
            assert_eq!(field_of(constraint).unwrap().1.code, code, "{constraint}");
        }
        assert_eq!(field_of("sellers_uuid_key").unwrap().0, "uuid");
        assert_eq!(field_of("sellers_pkey"), None);
    }
}
