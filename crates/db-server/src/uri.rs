//! The paths by which resources name one another.

use std::fmt;

use thiserror::Error;

/// A kind of resource that has a path of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A buyer.
    Buyer,
    /// A seller.
    Seller,
    /// A product of a seller.
    Product,
    /// A transaction.
    Transaction,
    /// A seller's account at the reference provider.
    ReferenceSeller,
    /// A product at the reference provider.
    ReferenceProduct,
    /// The terms of the reference provider for a seller.
    ReferenceTerms,
    /// A buyer as Braintree knows it.
    BraintreeBuyer,
    /// A payment method that Braintree keeps.
    BraintreePaymentMethod,
    /// A subscription that Braintree charges.
    BraintreeSubscription,
    /// What Braintree says about a transaction.
    BraintreeTransaction,
    /// A stored means of payment, at whichever provider.
    Paymethod,
    /// A subscription, at whichever provider.
    Subscription,
    /// A payment, at whichever provider.
    Payment,
    /// An endpoint of webhooks out.
    WebhookEndpoint,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Buyer,
        Self::Seller,
        Self::Product,
        Self::Transaction,
        Self::ReferenceSeller,
        Self::ReferenceProduct,
        Self::ReferenceTerms,
        Self::BraintreeBuyer,
        Self::BraintreePaymentMethod,
        Self::BraintreeSubscription,
        Self::BraintreeTransaction,
        Self::Paymethod,
        Self::Subscription,
        Self::Payment,
        Self::WebhookEndpoint,
    ];

    /// The path of the list of these resources.
    #[must_use]
    pub const fn list_path(self) -> &'static str {
        match self {
            Self::Buyer => "/generic/buyer/",
            Self::Seller => "/generic/seller/",
            Self::Product => "/generic/product/",
            Self::Transaction => "/generic/transaction/",
            Self::ReferenceSeller => "/provider/reference/sellers/",
            Self::ReferenceProduct => "/provider/reference/products/",
            Self::ReferenceTerms => "/provider/reference/terms/",
            Self::BraintreeBuyer => "/braintree/mozilla/buyer/",
            Self::BraintreePaymentMethod => "/braintree/mozilla/paymethod/",
            Self::BraintreeSubscription => "/braintree/mozilla/subscription/",
            Self::BraintreeTransaction => "/braintree/mozilla/transaction/",
            Self::Paymethod => "/paymethods/",
            Self::Subscription => "/subscriptions/",
            Self::Payment => "/payments/",
            Self::WebhookEndpoint => "/webhook-endpoints/",
        }
    }

    /// The `resource_uri` of one resource.
    #[must_use]
    pub fn uri(self, id: impl fmt::Display) -> String {
        format!("{}{id}/", self.list_path())
    }

    /// The id in a `resource_uri` of this kind; the last slash may be missing.
    ///
    /// # Errors
    /// [`UriError`] when it is not the path of such a resource.
    pub fn id(self, uri: &str) -> Result<i64, UriError> {
        if let Some(id) = uri.strip_prefix(self.list_path()) {
            return parse_id(id.strip_suffix('/').unwrap_or(id)).ok_or(UriError::NotAUri);
        }
        if Self::ALL.iter().any(|kind| uri.starts_with(kind.list_path())) {
            return Err(UriError::OtherKind);
        }
        Err(UriError::NotAUri)
    }
}

/// Whether a text is the `resource_uri` of one of our resources.
#[must_use]
pub fn is_ours(text: &str) -> bool {
    Kind::ALL.iter().any(|kind| kind.id(text).is_ok())
}

/// Reads a primary key: digits only, no sign, no leading zero.
#[must_use]
pub fn parse_id(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if digits { text.parse().ok() } else { None }
}

/// Why a text names no resource.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum UriError {
    /// Not the path of a resource.
    #[error("Invalid hyperlink - not the resource_uri of such a resource.")]
    NotAUri,
    /// The path of a resource of another kind.
    #[error("Invalid hyperlink - that is a resource of another kind.")]
    OtherKind,
}

/// The message about a well-formed path to a resource that is not there.
pub const DANGLING: &str = "Invalid hyperlink - object does not exist.";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_uri_leads_back_to_its_id() {
        for kind in Kind::ALL {
            assert_eq!(kind.id(&kind.uri(12)), Ok(12));
            assert_eq!(kind.id(kind.uri(12).trim_end_matches('/')), Ok(12));
        }
        assert_eq!(Kind::Seller.uri(12), "/generic/seller/12/");
    }

    #[test]
    fn the_uri_of_another_kind_is_told_apart() {
        for kind in Kind::ALL {
            for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
                assert_eq!(kind.id(&other.uri(1)), Err(UriError::OtherKind));
            }
        }
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        let long = format!("/generic/seller/{}/", "9".repeat(30));
        for text in [
            "",
            "12",
            "/generic/seller/",
            "/generic/seller//",
            "/generic/seller/x/",
            "/generic/seller/-1/",
            "/generic/seller/+1/",
            "/generic/seller/01/",
            "/generic/seller/0/",
            "/generic/seller/1/2/",
            "/generic/seller/1//",
            "/generic/seller/١/",
            "http://host/generic/seller/1/",
            "/generic/seller/1\0/",
            long.as_str(),
        ] {
            assert_eq!(Kind::Seller.id(text), Err(UriError::NotAUri), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_id_reads_back(id in 1..=i64::MAX) {
            prop_assert_eq!(Kind::Product.id(&Kind::Product.uri(id)), Ok(id));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}") {
            let _ = Kind::Seller.id(&text);
            let _ = Kind::Seller.id(&format!("/generic/seller/{text}"));
        }
    }
}
