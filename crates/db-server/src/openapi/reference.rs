//! `/provider/reference/`: sellers, products and terms.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    errors::page_of,
    field::{Record, date, key, long_text, pk, reference, required_key, required_text, text, uri, words},
    operation::{Operation, delete, get, post, put},
};
use crate::uri::Kind;

const SELLERS: &str = "/provider/reference/sellers/";
const SELLER: &str = "/provider/reference/sellers/{id}/";
const PRODUCTS: &str = "/provider/reference/products/";
const PRODUCT: &str = "/provider/reference/products/{id}/";
const TERMS: &str = "/provider/reference/terms/{id}/";

const STATUS: [&str; 3] = ["ACTIVE", "INACTIVE", "DISABLED"];

pub(super) fn part() -> Part {
    let operations = sellers().into_iter().chain(products()).chain(terms()).collect();
    Part {
        tag: "reference",
        about: "Sellers and products at the reference provider, and its terms.",
        schemas: schemas(),
        operations,
    }
}

fn sellers() -> Vec<Operation> {
    let example = json!({
        "seller": "/generic/seller/1/", "uuid": "seller-1", "name": "Jack", "email": "jack@example.test",
        "status": "ACTIVE",
    });
    vec![
        get(SELLERS, "list_reference_sellers", "The sellers that are set up")
            .lists([("seller__uuid", text())])
            .answers("200", "A page of sellers.", "ReferenceSellerPage"),
        post(SELLERS, "create_reference_seller", "Sets a seller up")
            .takes("NewReferenceSeller", example)
            .answers("201", "The seller, with what the provider holds.", "ReferenceSeller")
            .versioned("201")
            .asks_the_provider(),
        get(SELLER, "get_reference_seller", "One seller, with what the provider holds")
            .answers("200", "The seller.", "ReferenceSeller")
            .versioned("200")
            .asks_the_provider(),
        set(SELLER, "set_reference_seller", "Changes what the provider holds of a seller")
            .may_take("ReferenceSellerChange", json!({"name": "John", "email": "john@example.test"}))
            .answers("200", "The seller.", "ReferenceSeller")
            .versioned("200")
            .asks_the_provider(),
        never(SELLER, "delete_reference_seller"),
    ]
}

fn products() -> Vec<Operation> {
    let example = json!({
        "seller_product": "/generic/product/1/", "seller_reference": "/provider/reference/sellers/1/",
        "uuid": "sword-1", "name": "Sword",
    });
    let filters =
        [("seller_product__seller", reference(Kind::Seller)), ("seller_product__external_id", text())];
    vec![
        get(PRODUCTS, "list_reference_products", "The products that are set up").lists(filters).answers(
            "200",
            "A page of products.",
            "ReferenceProductPage",
        ),
        post(PRODUCTS, "create_reference_product", "Sets a product up")
            .takes("NewReferenceProduct", example)
            .answers("201", "The product, with what the provider holds.", "ReferenceProduct")
            .versioned("201")
            .asks_the_provider(),
        get(PRODUCT, "get_reference_product", "One product, with what the provider holds")
            .answers("200", "The product.", "ReferenceProduct")
            .versioned("200")
            .asks_the_provider(),
        set(PRODUCT, "set_reference_product", "Changes what the provider holds of a product")
            .may_take("ReferenceProductChange", json!({"name": "Long sword"}))
            .answers("200", "The product.", "ReferenceProduct")
            .versioned("200")
            .asks_the_provider(),
        never(PRODUCT, "delete_reference_product"),
    ]
}

fn terms() -> Vec<Operation> {
    vec![
        get(TERMS, "get_reference_terms", "The terms for a seller")
            .notes("The id is that of the seller at the reference provider.")
            .answers("200", "The terms.", "ReferenceTerms")
            .versioned("200")
            .asks_the_provider(),
        set(TERMS, "agree_to_reference_terms", "Records that a seller agrees to the terms")
            .takes("Agreement", json!({"agreement": "2026-01-02"}))
            .answers("200", "The terms.", "ReferenceTerms")
            .versioned("200")
            .asks_the_provider(),
        never(TERMS, "delete_reference_terms"),
    ]
}

fn set(path: &'static str, id: &str, summary: &str) -> Operation {
    put(path, id, summary).notes("A field that is absent stays as it is.")
}

fn never(path: &'static str, id: &str) -> Operation {
    delete(path, id, "Never offered").refuses("403", "It cannot be deleted.", &["Detail"])
}

fn remote(about: &str) -> Record {
    Record::open(about).has("resource_uri", long_text().about("Our own path of it."))
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let link = |about: &str, kind| Record::new(about).has("id", pk()).resource(kind);
    let seller_link = |about: &str| link(about, Kind::ReferenceSeller).has("seller", uri(Kind::Seller));
    let product_link = |about: &str| {
        link(about, Kind::ReferenceProduct)
            .has("seller_product", uri(Kind::Product))
            .has("seller_reference", uri(Kind::ReferenceSeller))
    };
    let keyed = || remote("What the provider holds.").has("id", key()).has("resource_pk", key()).build();
    let text_of_terms = Record::open("What the provider holds.")
        .has("text", long_text())
        .has("agreement", long_text().or_null())
        .build();
    let terms = link("Terms for a seller.", Kind::ReferenceTerms)
        .has("seller", uri(Kind::Seller))
        .holds("reference", text_of_terms);
    vec![
        ("ReferenceSeller", seller_link("A seller that is set up.").holds("reference", keyed()).build()),
        ("ReferenceSellerLink", seller_link("A seller that is set up, as a list shows it.").build()),
        ("ReferenceSellerPage", page_of("ReferenceSellerLink")),
        ("NewReferenceSeller", new_seller()),
        ("ReferenceSellerChange", seller_change()),
        ("ReferenceProduct", product_link("A product that is set up.").holds("reference", keyed()).build()),
        ("ReferenceProductLink", product_link("A product that is set up, as a list shows it.").build()),
        ("ReferenceProductPage", page_of("ReferenceProductLink")),
        ("NewReferenceProduct", new_product()),
        ("ReferenceProductChange", product_change()),
        ("ReferenceTerms", terms.build()),
        (
            "Agreement",
            Record::new("When the seller agreed.")
                .has("agreement", date())
                .ignores(&["id", "seller", "reference"])
                .build(),
        ),
    ]
}

fn new_seller() -> RefOr<Schema> {
    Record::new("A seller to set up.")
        .has("seller", uri(Kind::Seller))
        .has("uuid", required_key().about("The seller's id at the provider."))
        .has("name", required_text())
        .has("email", required_text())
        .may("status", words(&STATUS).or_null())
        .may("agreement", date().or_blank().or_null().about("When the seller agreed to the terms."))
        .ignores(&["id", "reference"])
        .build()
}

fn seller_change() -> RefOr<Schema> {
    Record::new("What to change of a seller.")
        .may("seller", uri(Kind::Seller).or_null().about("Cannot become another."))
        .may("uuid", key().or_null().about("Cannot become another."))
        .may("name", text().or_null())
        .may("email", text().or_null())
        .may("status", words(&STATUS).or_null())
        .may("agreement", date().or_blank().or_null())
        .ignores(&["id", "reference"])
        .build()
}

fn new_product() -> RefOr<Schema> {
    Record::new("A product to set up.")
        .has("seller_product", uri(Kind::Product))
        .has("seller_reference", uri(Kind::ReferenceSeller))
        .has("uuid", required_key().about("The product's id at the provider."))
        .has("name", required_text())
        .ignores(&["id", "reference"])
        .build()
}

fn product_change() -> RefOr<Schema> {
    Record::new("What to change of a product.")
        .may("seller_product", uri(Kind::Product).or_null().about("Cannot become another."))
        .may("seller_reference", uri(Kind::ReferenceSeller).or_null().about("Cannot become another."))
        .may("uuid", key().or_null())
        .may("name", text().or_null())
        .ignores(&["id", "reference"])
        .build()
}
