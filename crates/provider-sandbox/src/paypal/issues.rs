//! The issues that PayPal names in its errors, each with its status.
//!
//! Source: PayPal's error references of Orders v2, Payments v2 and Payment Method Tokens v3.

use actix_web::http::StatusCode;

/// The class of an error: its HTTP status and name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Class {
    Invalid,
    Unauthenticated,
    NotAuthorized,
    NotFound,
    NotAllowed,
    Conflict,
    Unprocessable,
    RateLimited,
    Internal,
}

impl Class {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::NotAuthorized => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID_REQUEST",
            Self::Unauthenticated => "AUTHENTICATION_FAILURE",
            Self::NotAuthorized => "NOT_AUTHORIZED",
            Self::NotFound => "RESOURCE_NOT_FOUND",
            Self::NotAllowed => "METHOD_NOT_SUPPORTED",
            Self::Conflict => "RESOURCE_CONFLICT",
            Self::Unprocessable => "UNPROCESSABLE_ENTITY",
            Self::RateLimited => "RATE_LIMIT_REACHED",
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Invalid => "Request is not well-formed, syntactically incorrect, or violates schema.",
            Self::Unauthenticated => {
                "Authentication failed due to invalid authentication credentials or a missing Authorization header."
            }
            Self::NotAuthorized => "Authorization failed due to insufficient permissions.",
            Self::NotFound => "The specified resource does not exist.",
            Self::NotAllowed => "The server does not implement the requested HTTP method.",
            Self::Conflict => "The server has detected a conflict while processing this request.",
            Self::Unprocessable => {
                "The requested action could not be performed, semantically incorrect, or failed business validation."
            }
            Self::RateLimited => "Too many requests. Blocked due to rate limiting.",
            Self::Internal => "An internal server error has occurred.",
        }
    }
}

/// An issue's class and description.
pub(super) fn find(issue: &str) -> (Class, &'static str) {
    ISSUES
        .iter()
        .find(|(known, ..)| *known == issue)
        .map_or((Class::Unprocessable, "The request was refused."), |&(_, class, text)| (class, text))
}

#[rustfmt::skip]
const ISSUES: &[(&str, Class, &str)] = &[
    ("MALFORMED_REQUEST_JSON", Class::Invalid, "The request JSON is not well formed."),
    ("MISSING_REQUIRED_PARAMETER", Class::Invalid, "A required field / parameter is missing."),
    ("INVALID_PARAMETER_SYNTAX", Class::Invalid, "The value of a field does not conform to the expected format."),
    ("INVALID_PARAMETER_VALUE", Class::Invalid, "The value of a field is invalid."),
    ("INVALID_STRING_LENGTH", Class::Invalid, "The value of a field is either too short or too long."),
    ("INVALID_ARRAY_MAX_ITEMS", Class::Invalid, "The number of items in an array parameter is too large."),
    ("RESULTSET_TOO_LARGE", Class::Invalid, "Result set size is greater than the maximum limit. Change the filter criteria and try again."),
    ("PAYPAL_REQUEST_ID_REQUIRED", Class::Invalid, "A PayPal-Request-Id is required if you are trying to process payment for an Order. Please specify a PayPal-Request-Id or Create the Order without a 'payment_source' specified."),
    ("INVALID_REQUEST", Class::Invalid, "The request is invalid."),
    ("AUTHENTICATION_FAILURE", Class::Unauthenticated, ""),
    ("PERMISSION_DENIED", Class::NotAuthorized, "You do not have permission to access or perform operations on this resource."),
    ("NOT_AUTHORIZED", Class::NotAuthorized, "You do not have permission to access or perform operations on this resource."),
    ("INVALID_RESOURCE_ID", Class::NotFound, "Specified resource ID does not exist. Please check the resource ID and try again."),
    ("RESOURCE_NOT_FOUND", Class::NotFound, "Specified resource ID does not exist. Please check the resource ID and try again."),
    ("TOKEN_NOT_FOUND", Class::NotFound, "Specified token does not exist. Please check the token and try again."),
    ("METHOD_NOT_SUPPORTED", Class::NotAllowed, "This method is not supported here."),
    ("PREVIOUS_REQUEST_IN_PROGRESS", Class::Conflict, "A previous request on this resource is currently in progress. Please wait for some time and try again. It is best to space out the initial and the subsequent request(s) to avoid receiving this error."),
    ("RATE_LIMIT_REACHED", Class::RateLimited, "Too many requests. Blocked due to rate limiting."),
    ("INTERNAL_SERVER_ERROR", Class::Internal, ""),
    ("INTERNAL_SERVICE_ERROR", Class::Internal, ""),
    ("ACTION_DOES_NOT_MATCH_INTENT", Class::Unprocessable, "Order was created with an intent to 'CAPTURE' or 'AUTHORIZE', and the other was attempted."),
    ("AUTHORIZATION_ALREADY_CAPTURED", Class::Unprocessable, "Authorization has already been captured. If final_capture is set to true, additional captures are not possible against the authorization."),
    ("AUTHORIZATION_DENIED", Class::Unprocessable, "A denied authorization cannot be captured."),
    ("AUTHORIZATION_EXPIRED", Class::Unprocessable, "An expired authorization cannot be captured."),
    ("AUTHORIZATION_VOIDED", Class::Unprocessable, "A voided authorization cannot be captured or reauthorized."),
    ("AUTH_CAPTURE_CURRENCY_MISMATCH", Class::Unprocessable, "Currency of capture must be the same as currency of authorization."),
    ("CANNOT_BE_NEGATIVE", Class::Unprocessable, "Must be greater than or equal to zero."),
    ("CANNOT_BE_ZERO_OR_NEGATIVE", Class::Unprocessable, "Must be greater than zero."),
    ("CAPTURE_FULLY_REFUNDED", Class::Unprocessable, "The capture has already been fully refunded. You cannot capture additional refunds against this capture."),
    ("DECIMALS_NOT_SUPPORTED", Class::Unprocessable, "Currency does not support decimals."),
    ("DECIMAL_PRECISION", Class::Unprocessable, "The value of the field should not be more than two decimal places."),
    ("DUPLICATE_INVOICE_ID", Class::Unprocessable, "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account setting requires that Invoice Id be unique for each transaction."),
    ("DUPLICATE_REFERENCE_ID", Class::Unprocessable, "`reference_id` must be unique if multiple `purchase_unit` are provided."),
    ("INSTRUMENT_DECLINED", Class::Unprocessable, "The instrument presented was either declined by the processor or bank, or it can't be used for this payment."),
    ("INVALID_CURRENCY_CODE", Class::Unprocessable, "Currency code is invalid or is not currently supported."),
    ("MAX_CAPTURE_AMOUNT_EXCEEDED", Class::Unprocessable, "Capture amount exceeds allowable limit."),
    ("MAX_NUMBER_OF_PAYMENT_TOKENS_EXCEEDED", Class::Unprocessable, "Max number of payment tokens exceeded."),
    ("ORDER_ALREADY_AUTHORIZED", Class::Unprocessable, "Order already authorized. If 'intent=AUTHORIZE' only one authorization per order is allowed."),
    ("ORDER_ALREADY_CAPTURED", Class::Unprocessable, "Order already captured. If 'intent=CAPTURE' only one capture per order is allowed."),
    ("ORDER_NOT_APPROVED", Class::Unprocessable, "Payer has not yet approved the Order for payment. Please redirect the payer to the 'rel':'approve' url returned as part of the HATEOAS links within the Create Order call or provide a valid payment_source in the request."),
    ("ORDER_EXPIRED", Class::Unprocessable, "Order is expired and hence cannot be captured or authorized."),
    ("PAYER_ACTION_REQUIRED", Class::Unprocessable, "Payer needs to perform the following action before proceeding with payment."),
    ("PENDING_CAPTURE", Class::Unprocessable, "Cannot initiate a refund as the capture is pending."),
    ("PREVIOUSLY_CAPTURED", Class::Unprocessable, "Authorization has been previously captured and hence cannot be voided."),
    ("PREVIOUSLY_VOIDED", Class::Unprocessable, "Authorization has been previously voided and hence cannot be voided again."),
    ("REAUTHORIZATION_TOO_SOON", Class::Unprocessable, "A reauthorize is not allowed for the first 3 days from the date of authorization."),
    ("REFUND_AMOUNT_EXCEEDED", Class::Unprocessable, "The refund amount must be less than or equal to the capture amount that has not yet been refunded."),
    ("REFUND_CAPTURE_CURRENCY_MISMATCH", Class::Unprocessable, "Refund must be in the same currency as the capture."),
    ("REFUND_FAILED_INSUFFICIENT_FUNDS", Class::Unprocessable, "Capture could not be refunded due to insufficient funds."),
    ("REFUND_NOT_ALLOWED", Class::Unprocessable, "A capture that was declined or has failed cannot be refunded."),
    ("SETUP_TOKEN_NOT_APPROVED", Class::Unprocessable, "The setup token is not approved by the payer."),
    ("UNSUPPORTED_PAYMENT_SOURCE", Class::Unprocessable, "The sandbox does not play this payment source."),
    ("VAULT_ID_NOT_FOUND", Class::Unprocessable, "No payment token has this vault_id."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_issue_is_listed_once() {
        for (index, (issue, ..)) in ISSUES.iter().enumerate() {
            assert_eq!(ISSUES.iter().position(|(known, ..)| known == issue), Some(index), "{issue}");
        }
    }
}
