//! `/generic/product/`.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    errors::page_of,
    field::{Field, Record, choice, key, map_of, query_flag, reference, required_key, text, uri},
    operation::{get, patch, post, put},
};
use crate::uri::Kind;

const LIST: &str = "/generic/product/";
const ONE: &str = "/generic/product/{id}/";

pub(super) fn part() -> Part {
    let example = json!({
        "seller": "/generic/seller/1/", "external_id": "sword", "public_id": "shop:sword", "secret": "dummy-secret",
    });
    let filters = [
        ("external_id", text()),
        ("public_id", text()),
        ("seller", reference(Kind::Seller)),
        ("seller__uuid", text()),
        ("seller__active", query_flag()),
    ];
    Part {
        tag: "products",
        about: "What is sold.",
        schemas: schemas(),
        operations: vec![
            get(LIST, "list_products", "The products").lists(filters).answers(
                "200",
                "A page of products.",
                "ProductPage",
            ),
            post(LIST, "create_product", "Creates a product")
                .takes("NewProduct", example.clone())
                .answers("201", "The product.", "Product")
                .versioned("201"),
            get(ONE, "get_product", "One product").answers("200", "The product.", "Product").versioned("200"),
            patch(ONE, "change_product", "Changes fields of a product")
                .may_take("ProductChange", json!({"access": 2}))
                .answers("200", "The product.", "Product")
                .versioned("200"),
            put(ONE, "set_product", "Sets every field of a product")
                .takes("NewProduct", example)
                .answers("200", "The product.", "Product")
                .versioned("200"),
        ],
    }
}

fn access() -> Field {
    choice(&[1, 2]).about("1 purchase, 2 simulate only.")
}

fn secret() -> Field {
    text().or_null().about("Encrypted at rest.")
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let seller_uuids = map_of(
        "The seller's id at each provider; null where the product is not set up.",
        key().or_null().build(),
    );
    let product = Record::new("A product.")
        .resource(Kind::Product)
        .has("seller", uri(Kind::Seller))
        .has("external_id", key())
        .has("public_id", key())
        .has("secret", secret())
        .has("access", access())
        .holds("seller_uuids", seller_uuids);
    let new = Record::new("A product to be.")
        .has("seller", uri(Kind::Seller))
        .has("external_id", required_key().about("Unique for its seller."))
        .has("public_id", required_key().about("Unique."))
        .may("secret", secret())
        .may("access", access().default(1))
        .ignores(&["seller_uuids"]);
    let change = Record::new("Fields of a product to change.")
        .may("seller", uri(Kind::Seller))
        .may("external_id", required_key().about("Unique for its seller."))
        .may("public_id", required_key().about("Unique."))
        .may("secret", secret())
        .may("access", access())
        .ignores(&["seller_uuids"]);
    vec![
        ("Product", product.build()),
        ("NewProduct", new.build()),
        ("ProductChange", change.build()),
        ("ProductPage", page_of("Product")),
    ]
}
