//! `/terms/SELLER_ID`: what a seller agrees to, and when it did.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::{Value, json};

use super::describe;
use super::error::Refusal;
use super::fields::Fields;
use super::sellers::Seller;
use super::state::Reference;

pub(super) async fn read(
    reference: Data<Reference>,
    seller_id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let books = reference.books();
    let seller = books.sellers.get(&*seller_id).ok_or_else(|| Refusal::no_resource(&seller_id))?;
    Ok(HttpResponse::Ok().json(show(&seller_id, seller)?))
}

pub(super) async fn agree(
    reference: Data<Reference>,
    seller_id: Path<String>,
    mut fields: Fields,
) -> Result<HttpResponse, Refusal> {
    let mut books = reference.books();
    let seller = books.sellers.get_mut(&*seller_id).ok_or_else(|| Refusal::no_resource(&seller_id))?;
    let agreement = fields.date("agreement");
    if agreement.is_none() {
        fields.problem("agreement", "This field is required.");
    }
    fields.finish()?;
    seller.agreement = agreement.flatten();
    Ok(HttpResponse::Ok().json(show(&seller_id, seller)?))
}

fn show(seller_id: &str, seller: &Seller) -> Result<Value, Refusal> {
    let text = format!("Terms for seller: {}", seller.name);
    describe("terms", seller_id, &json!({"text": text, "agreement": seller.agreement}))
}
