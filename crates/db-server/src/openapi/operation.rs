//! What one operation takes and answers; what all operations have in common is added here.

mod money;
mod query;

use std::collections::{BTreeMap, btree_map::Entry};

use serde_json::{Value, json};
use utoipa::openapi::{
    ContentBuilder, HttpMethod, PathsBuilder, Required, ResponsesBuilder, SecurityRequirement,
    path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem},
    request_body::RequestBodyBuilder,
};

use super::{
    answer::{self, Answer},
    field::{self, Field, named, words},
};

const JSON: &str = "application/json";

/// One method on one path.
pub(super) struct Operation {
    method: HttpMethod,
    path: &'static str,
    builder: OperationBuilder,
    answers: BTreeMap<&'static str, Answer>,
    role: &'static str,
    notes: &'static str,
}

/// An operation that reads.
pub(super) fn get(path: &'static str, id: &str, summary: &str) -> Operation {
    Operation::new(HttpMethod::Get, path, id, summary)
}

/// An operation that creates, or does something.
pub(super) fn post(path: &'static str, id: &str, summary: &str) -> Operation {
    Operation::new(HttpMethod::Post, path, id, summary)
}

/// An operation that changes the fields that are given.
pub(super) fn patch(path: &'static str, id: &str, summary: &str) -> Operation {
    Operation::new(HttpMethod::Patch, path, id, summary).conditional()
}

/// An operation that sets every field.
pub(super) fn put(path: &'static str, id: &str, summary: &str) -> Operation {
    Operation::new(HttpMethod::Put, path, id, summary).conditional()
}

/// An operation that sets what has no version.
pub(super) fn switch(path: &'static str, id: &str, summary: &str) -> Operation {
    Operation::new(HttpMethod::Put, path, id, summary)
}

/// An operation that is not offered, and says so.
pub(super) fn delete(path: &'static str, id: &str, summary: &str) -> Operation {
    let mut operation = Operation::new(HttpMethod::Delete, path, id, summary);
    operation.answers.remove("404");
    operation
}

/// An operation that deletes.
pub(super) fn remove(path: &'static str, id: &str, summary: &str) -> Operation {
    Operation::new(HttpMethod::Delete, path, id, summary)
}

impl Operation {
    fn new(method: HttpMethod, path: &'static str, id: &str, summary: &str) -> Self {
        let role = if method == HttpMethod::Get { "read" } else { "write" };
        let builder = OperationBuilder::new().operation_id(Some(id)).summary(Some(summary));
        let mut operation = Self { method, path, builder, answers: BTreeMap::new(), role, notes: "" };
        for status in ["401", "403", "429", "500", "503"] {
            operation = operation.may_answer(status);
        }
        for name in names_in(path) {
            operation = operation.names(name);
        }
        operation
    }

    /// A part of the path.
    fn names(self, name: &str) -> Self {
        let (field, example) = match name {
            "id" => (field::pk().about("The primary key."), json!(1)),
            // The reference provider's webhooks have a path of their own, its notices'.
            "provider" => (words(&["stripe", "paypal", "braintree"]), json!("stripe")),
            "resource" => (field::required_text(), json!("sellers")),
            "uuid" => (field::required_text(), json!("seller-1")),
            _ => (field::required_text(), json!("log.level")),
        };
        self.parameter(ParameterIn::Path, name, field, Some(example)).may_answer("404")
    }

    /// Anyone may ask.
    pub(super) fn open(mut self) -> Self {
        for status in ["401", "403", "429"] {
            self.answers.remove(status);
        }
        self.role = "";
        let nobody: [SecurityRequirement; 0] = [];
        self.builder = self.builder.securities(Some(nobody));
        self
    }

    /// The caller needs this role.
    pub(super) fn for_role(mut self, role: &'static str) -> Self {
        self.role = role;
        self
    }

    /// More about it.
    pub(super) fn notes(mut self, text: &'static str) -> Self {
        self.notes = text;
        self
    }

    /// It succeeds with this.
    pub(super) fn answers(mut self, status: &'static str, about: &'static str, schema: &'static str) -> Self {
        self.answers.entry(status).or_default().also(about, &[schema]);
        self
    }

    /// It succeeds with a text.
    pub(super) fn answers_text(mut self, status: &'static str, about: &'static str) -> Self {
        self.answers.entry(status).or_default().text(about);
        self
    }

    /// It succeeds without a body.
    pub(super) fn answers_nothing(mut self, status: &'static str, about: &'static str) -> Self {
        self.answers.entry(status).or_default().also(about, &[]);
        self
    }

    /// An example of the answer.
    pub(super) fn for_example(mut self, status: &'static str, body: Value) -> Self {
        self.answers.entry(status).or_default().for_example(body);
        self
    }

    /// It may be refused as any operation is.
    fn may_answer(mut self, status: &'static str) -> Self {
        if let Some(answer) = answer::common(status) {
            match self.answers.entry(status) {
                Entry::Vacant(entry) => drop(entry.insert(answer)),
                Entry::Occupied(mut entry) => entry.get_mut().or(&answer),
            }
        }
        self
    }

    /// It may be refused with this; what the status meant before, it can still mean.
    pub(super) fn refuses(
        mut self,
        status: &'static str,
        about: &'static str,
        schemas: &[&'static str],
    ) -> Self {
        self.answers.entry(status).or_default().also(about, schemas);
        self
    }

    fn with_header(mut self, status: &'static str, name: &'static str, about: &'static str) -> Self {
        self.answers.entry(status).or_default().with_header(name, about);
        self
    }

    /// The answer has a version, and `GET` can ask whether it is still that.
    pub(super) fn versioned(self, status: &'static str) -> Self {
        const ABOUT: &str =
            "The version: primary key, counter, and where more than the row is shown a digest.";
        let versioned = self.with_header(status, "ETag", ABOUT);
        if versioned.method != HttpMethod::Get {
            return versioned;
        }
        let known = field::long_text().about("A version that the client has: 304 when it is still that.");
        versioned
            .parameter(ParameterIn::Header, "If-None-Match", known, None)
            .answers_nothing("304", "The version in `If-None-Match` is the present one.")
            .with_header("304", "ETag", ABOUT)
    }

    fn conditional(self) -> Self {
        let expected = field::long_text().about("The version to change: 412 when the row has changed since.");
        self.parameter(ParameterIn::Header, "If-Match", expected, None).may_answer("412")
    }

    /// A body of this schema.
    pub(super) fn takes(self, schema: &str, example: Value) -> Self {
        self.takes_as(JSON, schema, Required::True, example).takes_json()
    }

    /// A body of this schema, of which every field and so the body itself may be absent.
    pub(super) fn may_take(self, schema: &str, example: Value) -> Self {
        self.takes_as(JSON, schema, Required::False, example).takes_json()
    }

    /// A body is not needed; one that is there must still be a JSON object.
    pub(super) fn takes_nothing(self) -> Self {
        self.may_answer("400").may_answer("413").takes_json()
    }

    /// Whatever a provider posts, in its own format.
    pub(super) fn takes_raw(self, example: Value) -> Self {
        self.takes_as("*/*", "Webhook", Required::True, example)
    }

    /// The provider's form.
    pub(super) fn takes_form(self, schema: &str, example: Value) -> Self {
        self.takes_as("application/x-www-form-urlencoded", schema, Required::True, example)
    }

    fn takes_json(self) -> Self {
        self.may_answer("415").may_answer("422")
    }

    fn takes_as(mut self, content_type: &str, schema: &str, required: Required, example: Value) -> Self {
        let content = ContentBuilder::new().schema(Some(named(schema))).example(Some(example)).build();
        let body = RequestBodyBuilder::new().content(content_type, content).required(Some(required));
        self.builder = self.builder.request_body(Some(body.build()));
        self.may_answer("400").may_answer("413")
    }

    fn header(mut self, name: &str, required: Required, field: Field, example: Value) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(required)
            .schema(Some(field.build()))
            .example(Some(example))
            .build();
        self.builder = self.builder.parameter(parameter);
        self
    }

    fn parameter(mut self, place: ParameterIn, name: &str, field: Field, example: Option<Value>) -> Self {
        let required = if place == ParameterIn::Path { Required::True } else { Required::False };
        let parameter: Parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .schema(Some(field.build()))
            .example(example)
            .build();
        self.builder = self.builder.parameter(parameter);
        self
    }

    /// Adds it to the document's paths.
    pub(super) fn add(self, paths: PathsBuilder, tag: &str) -> PathsBuilder {
        let role = match self.role {
            "" if self.answers.contains_key("403") => "Needs no role.".to_owned(),
            "" => "Anyone may ask.".to_owned(),
            role => format!("Needs the role `{role}`."),
        };
        let description = format!("{role} {}", self.notes);
        let answers = self.answers.into_iter().map(|(status, answer)| (status, answer.build()));
        let operation = self
            .builder
            .tag(tag)
            .description(Some(description.trim_end()))
            .responses(ResponsesBuilder::new().responses_from_iter(answers).build())
            .build();
        paths.path(self.path, PathItem::new(self.method, operation))
    }
}

/// The names in braces in a path.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}
