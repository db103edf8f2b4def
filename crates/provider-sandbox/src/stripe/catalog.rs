//! `/v1/products` and `/v1/prices`: what a subscription is for, and what it costs.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Months, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::books::{Books, Call, Origin, new_id};
use super::currency;
use super::error::Failure;
use super::form::Params;
use super::shelf::Object;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Product {
    id: String,
    object: &'static str,
    active: bool,
    created: i64,
    default_price: Option<String>,
    description: Option<String>,
    images: Vec<String>,
    livemode: bool,
    marketing_features: Vec<Value>,
    metadata: BTreeMap<String, String>,
    name: String,
    package_dimensions: Option<Value>,
    shippable: Option<bool>,
    statement_descriptor: Option<String>,
    tax_code: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    unit_label: Option<String>,
    updated: i64,
    url: Option<String>,
}

impl Object for Product {
    const NAME: &'static str = "product";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

/// How often something is charged.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Recurring {
    interval: &'static str,
    interval_count: u32,
    meter: Option<String>,
    trial_period_days: Option<u32>,
    usage_type: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Price {
    id: String,
    object: &'static str,
    pub(super) active: bool,
    billing_scheme: &'static str,
    created: i64,
    pub(super) currency: String,
    custom_unit_amount: Option<Value>,
    livemode: bool,
    lookup_key: Option<String>,
    metadata: BTreeMap<String, String>,
    nickname: Option<String>,
    pub(super) product: String,
    pub(super) recurring: Option<Recurring>,
    tax_behavior: &'static str,
    tiers_mode: Option<String>,
    transform_quantity: Option<Value>,
    #[serde(rename = "type")]
    kind: &'static str,
    pub(super) unit_amount: i64,
    unit_amount_decimal: String,
}

impl Object for Price {
    const NAME: &'static str = "price";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Price {
    /// When a period that begins now ends.
    pub(super) fn period_end(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        let Some(Recurring { interval, interval_count: count, .. }) = self.recurring else { return from };
        let end = match interval {
            "day" => from.checked_add_days(Days::new(count.into())),
            "week" => from.checked_add_days(Days::new(u64::from(count) * 7)),
            "month" => from.checked_add_months(Months::new(count)),
            _ => from.checked_add_months(Months::new(count.saturating_mul(12))),
        };
        end.unwrap_or(from)
    }

    /// The older form of the same, which subscription items still show.
    pub(super) fn plan(&self) -> Value {
        let recurring = self.recurring.as_ref();
        json!({
            "id": self.id, "object": "plan", "active": self.active, "amount": self.unit_amount,
            "amount_decimal": self.unit_amount_decimal, "billing_scheme": self.billing_scheme,
            "created": self.created, "currency": self.currency,
            "interval": recurring.map(|recurring| recurring.interval),
            "interval_count": recurring.map(|recurring| recurring.interval_count), "livemode": false,
            "metadata": {}, "meter": null, "nickname": self.nickname, "product": self.product, "tiers_mode": null,
            "transform_usage": null, "trial_period_days": null, "usage_type": "licensed"
        })
    }
}

pub(super) fn create_product(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let params = &mut call.params;
    let id = params.text("id")?.unwrap_or_else(|| new_id("prod"));
    if books.products.find(&id).is_some() {
        return Err(Failure::invalid("Product already exists.", "id").code("resource_already_exists"));
    }
    let mut product = new_product(&call.origin, id, params.required("name")?);
    product.description = params.text("description")?;
    product.active = params.boolean("active")?.unwrap_or(true);
    params.metadata(&mut product.metadata)?;
    call.finish()?;
    let shown = books.products.add(product);
    books.happened(&call.origin, "product.created", shown.clone());
    Ok(shown)
}

fn new_product(origin: &Origin, id: String, name: String) -> Product {
    Product {
        id,
        object: "product",
        active: true,
        created: origin.seconds(),
        default_price: None,
        description: None,
        images: Vec::new(),
        livemode: false,
        marketing_features: Vec::new(),
        metadata: BTreeMap::new(),
        name,
        package_dimensions: None,
        shippable: None,
        statement_descriptor: None,
        tax_code: None,
        kind: "service",
        unit_label: None,
        updated: origin.seconds(),
        url: None,
    }
}

pub(super) fn retrieve_product(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.products.in_path(&call.id).map(Object::show)
}

pub(super) fn list_products(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let active = call.params.boolean("active")?;
    let wanted = |product: &Product| active.is_none_or(|active| product.active == active);
    let page = books.products.list("/v1/products", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}

pub(super) fn create_price(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut inline = None;
    if let Some(mut data) = call.params.table("product_data")? {
        inline = Some(new_product(&call.origin, new_id("prod"), data.required("name")?));
        data.finish()?;
    }
    let product = match &inline {
        Some(product) => product.id.clone(),
        None => call.params.required("product")?,
    };
    let mut price = read_price(&call.origin, &mut call.params, product)?;
    price.nickname = call.params.text("nickname")?;
    price.lookup_key = call.params.text("lookup_key")?;
    call.params.metadata(&mut price.metadata)?;
    call.finish()?;
    match inline {
        Some(product) => drop(books.products.add(product)),
        None => drop(books.products.in_param(&price.product, "product")?),
    }
    let shown = books.prices.add(price);
    books.happened(&call.origin, "price.created", shown.clone());
    Ok(shown)
}

/// `currency`, `unit_amount` and `recurring`, as `POST /v1/prices` and `items[0][price_data]` have them.
pub(super) fn read_price(origin: &Origin, params: &mut Params, product: String) -> Result<Price, Failure> {
    let currency = currency::parse(&params.required("currency")?)?;
    let amount = params.integer("unit_amount")?.ok_or_else(|| Failure::missing("unit_amount"))?;
    if amount < 0 {
        let message = "This value must be greater than or equal to 0.";
        return Err(Failure::invalid(message, "unit_amount").code("parameter_invalid_integer"));
    }
    currency::check_unit(amount, &currency)?;
    let recurring = params.table("recurring")?.map(read_recurring).transpose()?;
    Ok(Price {
        id: new_id("price"),
        object: "price",
        active: true,
        billing_scheme: "per_unit",
        created: origin.seconds(),
        currency,
        custom_unit_amount: None,
        livemode: false,
        lookup_key: None,
        metadata: BTreeMap::new(),
        nickname: None,
        product,
        kind: if recurring.is_some() { "recurring" } else { "one_time" },
        recurring,
        tax_behavior: "unspecified",
        tiers_mode: None,
        transform_quantity: None,
        unit_amount: amount,
        unit_amount_decimal: amount.to_string(),
    })
}

fn read_recurring(mut table: Params) -> Result<Recurring, Failure> {
    let interval = table.one_of("interval", &["day", "month", "week", "year"])?;
    let count = table.positive("interval_count")?.unwrap_or(1);
    table.finish()?;
    Ok(Recurring {
        interval: interval.ok_or_else(|| Failure::missing("recurring[interval]"))?,
        interval_count: u32::try_from(count).unwrap_or(1),
        meter: None,
        trial_period_days: None,
        usage_type: "licensed",
    })
}

pub(super) fn retrieve_price(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.prices.in_path(&call.id).map(Object::show)
}

pub(super) fn list_prices(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let product = call.params.text("product")?;
    let active = call.params.boolean("active")?;
    let wanted = |price: &Price| {
        product.as_ref().is_none_or(|product| price.product == *product)
            && active.is_none_or(|active| price.active == active)
    };
    let page = books.prices.list("/v1/prices", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}
