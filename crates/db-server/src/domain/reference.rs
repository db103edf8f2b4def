//! Sellers and products at the reference provider: the provider's object, and our link to it.

mod product;
mod seller;

use serde::Serialize;
use serde_json::Value;
use wire::{Operation, reference::RemoteResource};

pub use self::{
    product::{
        NewReferenceProduct, ProductUpdate, create_product, get_product, list_products, update_product,
    },
    seller::{
        NewReferenceSeller, SellerUpdate, create_seller, get_seller, get_terms, list_sellers, update_seller,
        update_terms,
    },
};

use crate::{
    error::ApiError,
    proxy_client::{ProxyClient, ProxyError},
};

/// Our link and the provider's object.
pub struct Linked<R, O> {
    /// The link.
    pub row: R,
    /// The object.
    pub remote: O,
}

/// Creates an object at the provider; or, when an earlier attempt has created it and its answer or our link was
/// lost, finds that one. The uuid is the client's own, so that an identical request means the same object.
async fn create_or_find<C, G>(
    proxy: &ProxyClient,
    fields: &C::Request,
    uuid: &str,
) -> Result<RemoteResource, ApiError>
where
    C: Operation<Answer = RemoteResource>,
    C::Request: Serialize,
    G: Operation<Request = wire::reference::Named, Answer = RemoteResource>,
{
    let refusal = match proxy.call::<C>(fields).await {
        Err(ProxyError::Refused(answer)) if answer.status == 409 => ProxyError::Refused(answer),
        other => return Ok(other?),
    };
    let named = wire::reference::Named { reference_id: uuid.to_owned() };
    let wanted = serde_json::to_value(fields).map_err(ProxyError::Request)?;
    match proxy.call::<G>(&named).await {
        Ok(found) if is_what_was_asked(&found, &wanted) => {
            log::info!("the provider has the object already, as it was asked for; linking it");
            Ok(found)
        }
        // The refusal says more than what a look around found.
        Ok(_) | Err(ProxyError::Refused(_)) => Err(refusal.into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether an object at the provider has every field as a request states it.
fn is_what_was_asked(found: &RemoteResource, wanted: &Value) -> bool {
    wanted
        .as_object()
        .is_some_and(|fields| fields.iter().all(|(name, value)| found.fields.get(name) == Some(value)))
}

/// Says that the provider has acted and we could not write it down.
fn not_linked(kind: &str, remote: &RemoteResource) {
    log::error!(
        "the provider has created the {kind} {} but it could not be linked; repeating the request links it",
        remote.resource_pk.escape_debug()
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::reference::SellerFields;

    use super::*;

    fn remote(fields: Value) -> RemoteResource {
        let mut object = json!({"resource_pk": "u1", "resource_uri": "/sellers/u1"});
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn an_object_is_what_was_asked_only_with_every_field() {
        let fields = SellerFields {
            uuid: Some("u1".into()),
            name: Some("Bob".into()),
            email: Some("bob@example.com".into()),
            ..SellerFields::default()
        };
        let wanted = serde_json::to_value(fields).unwrap();
        let same = json!({"uuid": "u1", "name": "Bob", "email": "bob@example.com", "status": "ACTIVE"});
        assert!(is_what_was_asked(&remote(same.clone()), &wanted));
        for (field, value) in [("name", json!("Eve")), ("email", Value::Null), ("uuid", json!("u2"))] {
            let mut other = same.clone();
            other[field] = value;
            assert!(!is_what_was_asked(&remote(other), &wanted), "{field}");
        }
    }
}
