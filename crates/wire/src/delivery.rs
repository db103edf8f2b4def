//! Webhooks out: `POST /v1/webhooks/deliver` with a [`DeliverWebhook`], answered by a [`crate::Reply`] of [`Delivered`].
//!
//! The caller names an endpoint of the proxy's settings. Its URL and the secrets that sign are the proxy's, so that
//! whoever can ask for this can reach no other address, and sign for no other endpoint.

use serde::{Deserialize, Serialize};

/// The path of the operation on `provider-proxy`.
pub const DELIVER_PATH: &str = "/v1/webhooks/deliver";

/// Asks for one message to be signed, as <https://www.standardwebhooks.com> says, and posted to an endpoint.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverWebhook {
    /// The endpoint's name in the proxy's settings.
    pub endpoint: String,
    /// The header `webhook-id`: the same whenever the message is sent again. Letters, digits, `_` and `-`, at most 64.
    pub id: String,
    /// The header `webhook-timestamp`: when this attempt is made, in seconds since the epoch.
    pub timestamp: i64,
    /// The body, which is JSON.
    pub body: String,
}

/// The endpoint has answered; what else it said is not passed on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Delivered {
    /// Its HTTP status. A redirect is not followed.
    pub status: u16,
}

impl Delivered {
    /// Whether the endpoint has taken the message.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether the endpoint wants no further message (410 Gone).
    #[must_use]
    pub const fn is_gone(self) -> bool {
        self.status == 410
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_delivery_is_written_as_the_contract_says() {
        let asked = DeliverWebhook {
            endpoint: "shop".into(),
            id: "msg_1_7".into(),
            timestamp: 1_614_265_330,
            body: "{}".into(),
        };
        let written = json!({"endpoint": "shop", "id": "msg_1_7", "timestamp": 1_614_265_330, "body": "{}"});
        assert_eq!(serde_json::to_value(&asked).unwrap(), written);
        assert_eq!(serde_json::from_value::<DeliverWebhook>(written.clone()).unwrap(), asked);
        let mut more = written;
        more["url"] = json!("https://elsewhere.test/");
        assert!(serde_json::from_value::<DeliverWebhook>(more).is_err());
    }

    #[test]
    fn only_a_success_takes_the_message() {
        let of = |status| Delivered { status };
        assert!([200, 204, 299].into_iter().all(|status| of(status).is_taken()));
        assert!(![199, 300, 302, 404, 410, 500].into_iter().any(|status| of(status).is_taken()));
        assert!(of(410).is_gone() && !of(404).is_gone());
    }
}
