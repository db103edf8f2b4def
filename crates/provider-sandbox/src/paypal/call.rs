//! What a call says besides its body: where it came in, under which key, and how much it wants to read.

use actix_web::HttpRequest;
use actix_web::web::Bytes;
use serde::de::DeserializeOwned;

use super::error::Refusal;

/// The longest key, in characters.
const LONGEST_KEY: usize = 108;

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// PayPal's base URL as the caller sees it.
    pub(super) base: String,
    /// `PayPal-Request-Id`.
    pub(super) key: Option<String>,
    /// Whether `Prefer` asks for the whole resource.
    pub(super) representation: bool,
}

impl Call {
    pub(super) fn read(request: &HttpRequest) -> Result<Self, Refusal> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let key = header("PayPal-Request-Id").map(str::trim).filter(|key| !key.is_empty());
        if let Some(key) = key.filter(|key| key.chars().count() > LONGEST_KEY) {
            return Err(Refusal::issue("INVALID_STRING_LENGTH").located("PayPal-Request-Id", key, "header"));
        }
        let prefer = header("Prefer").unwrap_or("return=minimal");
        let representation = match prefer.trim() {
            "return=representation" => true,
            "return=minimal" => false,
            other => {
                return Err(Refusal::issue("INVALID_PARAMETER_SYNTAX").located("Prefer", other, "header"));
            }
        };
        Ok(Self { base: base(request), key: key.map(ToOwned::to_owned), representation })
    }
}

/// PayPal's base URL as the caller sees it.
pub(super) fn base(request: &HttpRequest) -> String {
    format!("http://{}/paypal", request.connection_info().host())
}

/// Reads a JSON body; an empty one is an empty object.
pub(super) fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Refusal> {
    let bytes: &[u8] = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|_| Refusal::issue("MALFORMED_REQUEST_JSON"))
}
