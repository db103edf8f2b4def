//! What operations that move money, or ask a provider, have in common.

use serde_json::json;
use utoipa::openapi::Required;

use super::Operation;
use crate::openapi::field::{self, Field};

fn key() -> Field {
    field::required_key().about("1 to 255 visible ASCII characters, good for at least 24 hours.")
}

impl Operation {
    /// It moves money, once for each key of the client's.
    pub(in crate::openapi) fn keyed(self) -> Self {
        self.header("Idempotency-Key", Required::True, key(), json!("order-6735")).may_have_a_key()
    }

    /// The same, where a request without a key is one of its own.
    pub(in crate::openapi) fn may_be_keyed(self) -> Self {
        self.header("Idempotency-Key", Required::False, key(), json!("order-6735")).may_have_a_key()
    }

    fn may_have_a_key(self) -> Self {
        self.refuses("400", "The body is not JSON, or there is no key.", &["Detail", "KeyRefusal"])
            .refuses("409", "The state forbids it, or it is being carried out.", &["Detail", "KeyRefusal"])
            .with_header("409", "Retry-After", "After how many seconds to send the same again.")
    }

    /// A provider has its say.
    pub(in crate::openapi) fn asks_the_provider(mut self) -> Self {
        for (_, answer) in self.answers.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])) {
            answer.also_of_the_provider();
        }
        self.refuses("409", "The provider refuses, or the state forbids it.", &["ProviderRefusal", "Detail"])
            .refuses("4XX", "The provider refuses, with its own status.", &["ProviderRefusal"])
            .refuses("5XX", "The provider fails, with its own status.", &["ProviderRefusal"])
            .asks_the_proxy()
            .refuses("502", "The provider or provider-proxy could not be asked.", &["ProviderRefusal"])
            .refuses("504", "No answer in time.", &["ProviderRefusal"])
    }

    /// A provider is asked to change something, in the words of every provider.
    pub(in crate::openapi) fn asks_a_provider_to_change(self) -> Self {
        self.refuses("402", "Declined. Nothing was charged.", &["Declined"])
            .refuses("403", "The caller lacks the role, or provider-proxy's limits.", &["ProxyFailure"])
            .refuses("409", "The state forbids it, or the provider is being asked for it.", &["Detail"])
            .refuses("422", "Fields are wrong, or the provider says what is.", &["ProviderErrors"])
            .refuses("501", "The provider does not offer this.", &["ProxyFailure"])
            .asks_the_proxy()
    }

    /// provider-proxy is asked.
    pub(in crate::openapi) fn asks_the_proxy(self) -> Self {
        self.may_answer("502").may_answer("504")
    }
}
