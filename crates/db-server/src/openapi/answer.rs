//! What an operation answers with one status; the answers that many operations share are named once.

use serde_json::Value;
use utoipa::openapi::{Content, HeaderBuilder, Object, Ref, RefOr, Response, ResponseBuilder, Schema, Type};

use super::field::{either, named};

/// One status of an operation.
#[derive(Default)]
pub(super) struct Answer {
    about: &'static str,
    /// The names of the schemas, of which the body fits one.
    schemas: Vec<&'static str>,
    example: Option<Value>,
    headers: Vec<(&'static str, &'static str)>,
    /// Whether the body is plain text.
    text: bool,
    /// The name under which it stands once in the document, while it is what many share.
    shared: Option<&'static str>,
}

/// An answer that many operations share.
struct Common {
    status: &'static str,
    name: &'static str,
    about: &'static str,
    schemas: &'static [&'static str],
    header: Option<(&'static str, &'static str)>,
}

const RETRY_AFTER: Option<(&str, &str)> = Some(("Retry-After", "After how many seconds to try again."));

#[rustfmt::skip]
const COMMON: [Common; 13] = [
    Common { status: "400", name: "Wrong", about: "Fields or JSON are wrong; the body says which.", schemas: &["FieldErrors", "Detail"], header: None },
    Common { status: "401", name: "NotAuthenticated", about: "The caller is not known. The answer does not say why, except of a token; the log does.", schemas: &["Detail"], header: Some(("WWW-Authenticate", "How to authenticate.")) },
    Common { status: "403", name: "NotPermitted", about: "The caller lacks the role.", schemas: &["Detail"], header: None },
    Common { status: "404", name: "NotFound", about: "There is no such resource.", schemas: &["Detail"], header: None },
    Common { status: "412", name: "Changed", about: "The resource has changed since.", schemas: &["Detail"], header: None },
    Common { status: "413", name: "TooLarge", about: "The body is larger than `server.max_request_body`.", schemas: &["Detail"], header: None },
    Common { status: "415", name: "NotJson", about: "The body is not said to be JSON.", schemas: &["Detail"], header: None },
    Common { status: "422", name: "Refused", about: "Fields are wrong, or hold what they must not, such as a card number.", schemas: &["FormErrors"], header: None },
    Common { status: "429", name: "TooMany", about: "The client has sent too many requests.", schemas: &["Detail"], header: RETRY_AFTER },
    Common { status: "500", name: "Failed", about: "The database is out of reach, or an internal error.", schemas: &["Detail"], header: None },
    Common { status: "502", name: "NotAsked", about: "The provider or provider-proxy could not be asked, or gave no valid answer.", schemas: &["ProxyFailure"], header: None },
    Common { status: "503", name: "Busy", about: "Every connection to the database is at work. Nothing was done.", schemas: &["Detail"], header: RETRY_AFTER },
    Common { status: "504", name: "NoAnswer", about: "No answer in time.", schemas: &["ProxyFailure"], header: None },
];

/// The shared answer with this status.
pub(super) fn common(status: &str) -> Option<Answer> {
    COMMON.iter().find(|common| common.status == status).map(Answer::from)
}

/// Every shared answer by its name.
pub(super) fn shared() -> impl Iterator<Item = (&'static str, Response)> {
    COMMON.iter().map(|common| (common.name, Answer::from(common).response()))
}

impl From<&Common> for Answer {
    fn from(common: &Common) -> Self {
        let Common { name, about, schemas, header, .. } = common;
        Self {
            about,
            schemas: schemas.to_vec(),
            example: None,
            text: false,
            headers: header.iter().copied().collect(),
            shared: Some(name),
        }
    }
}

impl Answer {
    /// It means this, and its body may be of these schemas as well.
    pub(super) fn also(&mut self, about: &'static str, schemas: &[&'static str]) {
        self.shared = None;
        self.about = about;
        for schema in schemas {
            if !self.schemas.contains(schema) {
                self.schemas.push(schema);
            }
        }
    }

    /// It can also be what many operations share with this status.
    pub(super) fn or(&mut self, common: &Self) {
        if self.shared != common.shared {
            self.also(self.about, &common.schemas);
        }
    }

    /// It means this, and its body is plain text.
    pub(super) fn text(&mut self, about: &'static str) {
        self.about = about;
        self.text = true;
    }

    /// The provider may have answered so.
    pub(super) fn also_of_the_provider(&mut self) {
        self.also(self.about, &["ProviderRefusal"]);
    }

    /// It has this header.
    pub(super) fn with_header(&mut self, name: &'static str, about: &'static str) {
        self.shared = None;
        self.headers.push((name, about));
    }

    /// An example of its body.
    pub(super) fn for_example(&mut self, body: Value) {
        self.example = Some(body);
    }

    /// As it stands in an operation.
    pub(super) fn build(self) -> RefOr<Response> {
        match self.shared {
            Some(name) => Ref::from_response_name(name).into(),
            None => RefOr::T(self.response()),
        }
    }

    fn response(self) -> Response {
        let mut response = ResponseBuilder::new().description(self.about);
        for (name, about) in self.headers {
            let header = HeaderBuilder::new().schema(Object::with_type(Type::String));
            response = response.header(name, header.description(Some(about)).build());
        }
        if self.text {
            let text = Content::new(Some(Object::with_type(Type::String)));
            return response.content("text/plain", text).build();
        }
        let mut schemas: Vec<RefOr<Schema>> = self.schemas.iter().map(|schema| named(schema)).collect();
        let schema = match (schemas.pop(), schemas.is_empty()) {
            (None, _) => return response.build(),
            (Some(only), true) => only,
            (Some(last), false) => either(schemas.into_iter().chain([last])),
        };
        let mut content = Content::new(Some(schema));
        content.example = self.example;
        response.content("application/json", content).build()
    }
}
