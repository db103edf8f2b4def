//! The kinds of fields that requests and answers have, as JSON Schema.

use serde_json::{Value, json};
use utoipa::openapi::{
    ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema,
    schema::{AdditionalProperties, AnyOfBuilder, SchemaFormat, SchemaType, Type},
};
use wire::Currency;

use crate::uri::Kind;

/// One to eighteen digits: every such number is an id that the database can hold.
const ID: &str = "[1-9][0-9]{0,17}";

/// A value of one type.
pub(super) struct Field {
    types: Vec<Type>,
    choices: Vec<Value>,
    /// Without its anchors.
    pattern: Option<String>,
    blank: bool,
    object: ObjectBuilder,
}

impl Field {
    fn of(kind: Type) -> Self {
        let types = vec![kind];
        Self { types, choices: Vec::new(), pattern: None, blank: false, object: ObjectBuilder::new() }
    }

    fn with(mut self, change: impl FnOnce(ObjectBuilder) -> ObjectBuilder) -> Self {
        self.object = change(self.object);
        self
    }

    fn formatted(self, format: &str) -> Self {
        self.with(|object| object.format(Some(SchemaFormat::Custom(format.into()))))
    }

    fn pattern(mut self, pattern: &str) -> Self {
        self.pattern = Some(pattern.to_owned());
        self
    }

    /// It may also be an empty text, which stands for null.
    pub(super) fn or_blank(mut self) -> Self {
        self.blank = true;
        self.with(|object| object.format(None))
    }

    /// It may also be null.
    pub(super) fn or_null(mut self) -> Self {
        self.types.push(Type::Null);
        if !self.choices.is_empty() {
            self.choices.push(Value::Null);
        }
        self
    }

    /// What it means.
    pub(super) fn about(self, text: &str) -> Self {
        self.with(|object| object.description(Some(text)))
    }

    /// What it is when it is not given.
    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        self.with(|object| object.default(Some(value.into())))
    }

    /// The schema.
    pub(super) fn build(self) -> RefOr<Schema> {
        let mut types = self.types;
        let kind = match (types.pop(), types.is_empty()) {
            (Some(only), true) => SchemaType::Type(only),
            (Some(last), false) => SchemaType::Array(types.into_iter().chain([last]).collect()),
            (None, _) => SchemaType::AnyValue,
        };
        let pattern =
            self.pattern.map(|text| if self.blank { format!("^({text})?$") } else { format!("^{text}$") });
        let object = self.object.schema_type(kind).pattern(pattern);
        let choices = (!self.choices.is_empty()).then_some(self.choices);
        object.enum_values(choices).into()
    }
}

/// A text of at most 255 characters.
pub(super) fn text() -> Field {
    Field::of(Type::String).with(|object| object.max_length(Some(255)))
}

/// A text of any length.
pub(super) fn long_text() -> Field {
    Field::of(Type::String)
}

/// A free text, of at most 65536 characters.
pub(super) fn notes() -> Field {
    Field::of(Type::String).with(|object| object.max_length(Some(65_536)))
}

/// An id that somebody else chose: at most 255 characters, none of them a control character.
pub(super) fn key() -> Field {
    text().pattern("[^\\u0000-\\u001f\\u007f-\\u009f]*")
}

/// The same where it must not be empty.
pub(super) fn required_key() -> Field {
    text().pattern("[^\\u0000-\\u001f\\u007f-\\u009f]+").with(|object| object.min_length(Some(1)))
}

/// A text that must not be empty.
pub(super) fn required_text() -> Field {
    text().with(|object| object.min_length(Some(1)))
}

/// A free text that must not be empty.
pub(super) fn required_notes() -> Field {
    notes().with(|object| object.min_length(Some(1)))
}

/// The `resource_uri` of a resource.
pub(super) fn uri(kind: Kind) -> Field {
    Field::of(Type::String).pattern(&format!("{}{ID}/?", kind.list_path()))
}

/// A resource as a filter names it: by its primary key or its `resource_uri`.
pub(super) fn reference(kind: Kind) -> Field {
    Field::of(Type::String).pattern(&format!("({ID}|{}{ID}/?)", kind.list_path()))
}

/// A primary key.
pub(super) fn pk() -> Field {
    whole(1).formatted("int64")
}

/// A position in a sequence.
pub(super) fn position() -> Field {
    whole(0).formatted("int64")
}

/// A whole number, at least this large.
pub(super) fn whole(minimum: usize) -> Field {
    Field::of(Type::Integer).with(|object| object.minimum(Some(minimum)))
}

/// A whole number between these, both included.
pub(super) fn between(minimum: usize, maximum: usize) -> Field {
    whole(minimum).with(|object| object.maximum(Some(maximum)))
}

/// True or false.
pub(super) fn flag() -> Field {
    Field::of(Type::Boolean)
}

/// True or false in a query.
pub(super) fn query_flag() -> Field {
    words(&["true", "True", "1", "false", "False", "0"])
}

/// One of these numbers.
pub(super) fn choice(codes: &[i16]) -> Field {
    Field { choices: codes.iter().map(|code| json!(code)).collect(), ..Field::of(Type::Integer) }
}

/// One of these words.
pub(super) fn words(words: &[&str]) -> Field {
    Field { choices: words.iter().map(|word| json!(word)).collect(), ..Field::of(Type::String) }
}

/// An amount as a decimal string.
pub(super) fn decimal() -> Field {
    Field::of(Type::String).pattern("0*[0-9]{1,9}(\\.[0-9]{1,4})?")
}

/// A sum as a decimal string, which may be below zero.
pub(super) fn signed_decimal() -> Field {
    Field::of(Type::String).pattern("-?[0-9]{1,19}(\\.[0-9]{1,4})?")
}

/// A code of ISO 4217.
pub(super) fn currency() -> Field {
    let choices = Currency::all().map(|currency| json!(currency.code())).collect();
    Field { choices, ..Field::of(Type::String) }
}

/// A point in time, ISO 8601 in UTC.
pub(super) fn time() -> Field {
    Field::of(Type::String).formatted("date-time")
}

/// An e-mail address. Spaces around it are cut off.
pub(super) fn email() -> Field {
    text().formatted("email").pattern("\\s*[^@\\s]+(@[^@\\s]+)+\\s*")
}

/// A PIN.
pub(super) fn pin() -> Field {
    Field::of(Type::String).pattern("[0-9]{4}")
}

/// A date.
pub(super) fn date() -> Field {
    Field::of(Type::String).formatted("date").pattern("[0-9]{4}-[0-9]{2}-[0-9]{2}")
}

/// An absolute URL of at most 255 characters.
pub(super) fn url() -> Field {
    text().formatted("uri").about("`http` or `https`.")
}

/// The same where it must not be empty.
pub(super) fn required_url() -> Field {
    url().with(|object| object.min_length(Some(1)))
}

/// Nothing.
pub(super) fn null() -> RefOr<Schema> {
    Field::of(Type::Null).build()
}

/// A value of any type.
pub(super) fn anything() -> Field {
    Field { types: Vec::new(), ..Field::of(Type::Null) }
}

/// A list of these.
pub(super) fn list_of(item: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    ArrayBuilder::new().items(item.into()).into()
}

/// The schema of this name in the document.
pub(super) fn named(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

/// At least one of several schemas.
pub(super) fn either(schemas: impl IntoIterator<Item = RefOr<Schema>>) -> RefOr<Schema> {
    let either = schemas.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item);
    either.into()
}

/// The fields of an object, in order.
pub(super) struct Record(ObjectBuilder);

impl Record {
    /// An object without any other fields than those that follow.
    pub(super) fn new(about: &str) -> Self {
        let object = ObjectBuilder::new().description(Some(about));
        Self(object.additional_properties(Some(AdditionalProperties::FreeForm(false))))
    }

    /// An object that may have further fields.
    pub(super) fn open(about: &str) -> Self {
        let object = ObjectBuilder::new().description(Some(about));
        Self(object.additional_properties(Some(AdditionalProperties::FreeForm(true))))
    }

    /// A field that is there.
    pub(super) fn has(self, name: &str, field: Field) -> Self {
        self.holds(name, field.build())
    }

    /// A field that is there, of another schema.
    pub(super) fn holds(self, name: &str, schema: RefOr<Schema>) -> Self {
        Self(self.0.property(name, schema).required(name))
    }

    /// A field that may be absent.
    pub(super) fn may(self, name: &str, field: Field) -> Self {
        Self(self.0.property(name, field.build()))
    }

    /// A field that may be absent, of another schema.
    pub(super) fn may_hold(self, name: &str, schema: RefOr<Schema>) -> Self {
        Self(self.0.property(name, schema))
    }

    /// What every resource has.
    pub(super) fn resource(self, kind: Kind) -> Self {
        self.has("resource_pk", pk())
            .has("resource_uri", uri(kind))
            .has("created", time())
            .has("modified", time())
            .has("counter", whole(0).formatted("int64").about("Grows by one at each save."))
    }

    /// Fields of an answer that a request may hold as well, so that an answer can be sent back.
    pub(super) fn ignores(self, names: &[&str]) -> Self {
        let base = ["resource_pk", "resource_uri", "created", "modified", "counter"];
        let field = || anything().about("Read only: whatever is sent here is passed over.");
        base.iter().chain(names).fold(self, |record, name| record.may(name, field()))
    }

    /// The schema.
    pub(super) fn build(self) -> RefOr<Schema> {
        self.0.into()
    }
}

/// An object whose every field is of one schema.
pub(super) fn map_of(about: &str, value: RefOr<Schema>) -> RefOr<Schema> {
    let values = AdditionalProperties::RefOr(value);
    ObjectBuilder::new()
        .description(Some(about))
        .additional_properties(Some(values))
        .min_properties(Some(1))
        .into()
}
