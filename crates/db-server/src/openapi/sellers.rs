//! `/generic/seller/`.

use serde_json::json;

use super::{
    Part,
    errors::page_of,
    field::{Record, flag, key, query_flag, required_key, text},
    operation::{get, patch, post, put},
};
use crate::uri::Kind;

const LIST: &str = "/generic/seller/";
const ONE: &str = "/generic/seller/{id}/";

pub(super) fn part() -> Part {
    let example = json!({"uuid": "seller-1"});
    Part {
        tag: "sellers",
        about: "Who sells.",
        schemas: schemas(),
        operations: vec![
            get(LIST, "list_sellers", "The sellers")
                .lists([("uuid", text()), ("active", query_flag())])
                .answers("200", "A page of sellers.", "SellerPage"),
            post(LIST, "create_seller", "Creates a seller")
                .takes("NewSeller", example.clone())
                .answers("201", "The seller.", "Seller")
                .versioned("201"),
            get(ONE, "get_seller", "One seller").answers("200", "The seller.", "Seller").versioned("200"),
            patch(ONE, "change_seller", "Changes fields of a seller")
                .may_take("SellerChange", json!({"active": false}))
                .answers("200", "The seller.", "Seller")
                .versioned("200"),
            put(ONE, "set_seller", "Sets every field of a seller")
                .takes("NewSeller", example)
                .answers("200", "The seller.", "Seller")
                .versioned("200"),
        ],
    }
}

fn schemas() -> Vec<(&'static str, utoipa::openapi::RefOr<utoipa::openapi::Schema>)> {
    let uuid = "The client's own id of the seller; unique.";
    let bango = Record::open("The package at Bango; empty without one.").build();
    let seller = Record::new("A seller.")
        .resource(Kind::Seller)
        .has("uuid", key().about(uuid))
        .has("active", flag())
        .holds("bango", bango);
    let new = Record::new("A seller to be.")
        .has("uuid", required_key().about(uuid))
        .may("active", flag().default(true))
        .ignores(&["bango"]);
    let change = Record::new("Fields of a seller to change.")
        .may("uuid", required_key().about(uuid))
        .may("active", flag())
        .ignores(&["bango"]);
    vec![
        ("Seller", seller.build()),
        ("NewSeller", new.build()),
        ("SellerChange", change.build()),
        ("SellerPage", page_of("Seller")),
    ]
}
