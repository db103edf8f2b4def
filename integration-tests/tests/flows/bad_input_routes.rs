//! Every route that takes a body.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::shop::Shop;

/// A route that takes a body, and one that is good for it.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The body.
    pub good: Value,
}

/// Every route with a body. None of the good ones is sent.
pub fn routes(shop: &Shop) -> Vec<Route> {
    let buyer = json!({
        "uuid": "b2", "email": "a@example.test", "locale": "de", "active": true, "authenticated": true,
        "pin": "1234", "new_pin": "1234", "needs_pin_reset": true, "pin_confirmed": true,
        "pin_was_locked_out": false,
    });
    let guess = json!({"uuid": "b1", "pin": "1234"});
    let seller = json!({"uuid": "s2", "active": true});
    let product = json!({"seller": shop.seller, "external_id": "e2", "public_id": "p2", "secret": "dummy", "access": 1});
    let transaction = json!({
        "uuid": "t2", "amount": "0.99", "currency": "EUR", "buyer": "/generic/buyer/1/", "seller": shop.seller,
        "seller_product": shop.product, "provider": 2, "region": "r", "carrier": "c", "source": "s", "type": 0,
        "status": 6, "status_reason": "x", "uid_pay": "u", "uid_support": "u", "notes": "n",
        "pay_url": "https://a.example.test/", "related": "/generic/transaction/1/",
    });
    let change = json!({
        "notes": "n", "pay_url": "https://a.example.test/", "status": 6, "status_reason": "x", "uid_pay": "u",
        "provider": 2,
    });
    let reference = json!({
        "seller": shop.seller, "uuid": "r2", "name": "n", "email": "a@example.test", "status": "ACTIVE",
        "agreement": "2014-01-31",
    });
    let sold = json!({
        "seller_product": shop.product, "seller_reference": shop.reference_seller, "uuid": "p2", "name": "n",
    });
    let start = json!({
        "product_id": shop.product_id, "region": "1", "carrier": "c", "price": "0.99", "currency": "EUR",
        "pay_method": "CARD", "callback_success_url": "https://a.example.test/",
        "callback_error_url": "https://a.example.test/", "success_url": "https://a.example.test/",
        "error_url": "https://a.example.test/", "ext_transaction_id": "x",
    });
    let (card, subscription) = ("/braintree/mozilla/paymethod/1/", "/braintree/mozilla/subscription/1/");
    let sale = json!({"amount": "0.99", "product_id": "p2", "nonce": "fake-valid-nonce"});
    let subscribe = json!({"paymethod": card, "plan": "p2", "amount": "0.99"});
    let paymethod = json!({"provider": "stripe", "buyer": "/generic/buyer/1/", "nonce": "n"});
    let neutral_subscription = json!({
        "paymethod": "/paymethods/1/", "plan": "p", "amount": "0.99", "currency": "EUR", "provider": "stripe",
        "buyer": "/generic/buyer/1/",
    });
    let payment = json!({
        "provider": "stripe", "amount": "0.99", "currency": "EUR", "seller_product": shop.product,
        "buyer": "/generic/buyer/1/", "nonce": "n", "capture": true, "description": "d",
        "return_url": "https://a.example.test/",
    });
    let checkout = json!({
        "provider": "paypal", "amount": "0.99", "currency": "EUR", "seller_product": shop.product,
        "checkout": {"return_url": "https://a.example.test/", "cancel_url": "https://a.example.test/"},
    });
    let of_product = json!({"paymethod": "/paymethods/1/", "seller_product": shop.product});
    let route = |method: &Method, path: &str, good: &Value| Route {
        method: method.clone(),
        path: path.to_owned(),
        good: good.clone(),
    };
    let (post, patch, put) = (Method::POST, Method::PATCH, Method::PUT);
    vec![
        route(&post, "/generic/buyer/", &buyer),
        route(&patch, "/generic/buyer/1/", &buyer),
        route(&put, "/generic/buyer/1/", &buyer),
        route(&post, "/generic/buyer/1/close/", &json!({})),
        route(&post, "/generic/confirm_pin/", &guess),
        route(&post, "/generic/verify_pin/", &guess),
        route(&post, "/generic/reset_confirm_pin/", &guess),
        route(&post, "/generic/seller/", &seller),
        route(&patch, "/generic/seller/1/", &seller),
        route(&put, "/generic/seller/1/", &seller),
        route(&post, "/generic/product/", &product),
        route(&patch, "/generic/product/1/", &product),
        route(&put, "/generic/product/1/", &product),
        route(&post, "/generic/transaction/", &transaction),
        route(&patch, "/generic/transaction/1/", &change),
        route(&post, "/paymethods/", &paymethod),
        route(&post, "/subscriptions/", &neutral_subscription),
        route(&post, "/subscriptions/", &of_product),
        route(&patch, "/subscriptions/1/", &json!({"paymethod": "/paymethods/1/"})),
        route(&post, "/subscriptions/1/cancel/", &json!({})),
        route(
            &post,
            "/webhook-endpoints/",
            &json!({"name": "shop", "types": ["payment.captured"], "after": 0}),
        ),
        route(&patch, "/webhook-endpoints/1/", &json!({"enabled": true, "types": ["payment.captured"]})),
        route(&post, "/webhook-endpoints/1/replay/", &json!({"after": 0})),
        route(&post, "/payments/", &payment),
        route(&post, "/payments/", &checkout),
        // How many decimals an amount has, only the payment tells, and there is none.
        route(&post, "/payments/1/capture/", &json!({"last": true})),
        route(&post, "/payments/1/cancel/", &json!({})),
        route(&post, "/payments/1/complete/", &json!({})),
        route(&post, "/payments/1/refunds/", &json!({"capture": "c"})),
        route(&post, "/provider/reference/sellers/", &reference),
        route(&put, "/provider/reference/sellers/1/", &reference),
        route(&post, "/provider/reference/products/", &sold),
        route(&put, "/provider/reference/products/1/", &sold),
        route(&put, "/provider/reference/terms/1/", &json!({"agreement": "2014-01-31"})),
        route(&post, "/provider/reference/transactions/", &start),
        route(&post, "/provider/reference/notices/", &json!({"qs": "a=b"})),
        route(&post, "/braintree/token/generate/", &json!({})),
        route(&post, "/braintree/customer/", &json!({"uuid": "b1"})),
        route(&patch, "/braintree/mozilla/buyer/1/", &json!({"active": true})),
        route(&post, "/braintree/paymethod/", &json!({"buyer_uuid": "b1", "nonce": "fake-valid-nonce"})),
        route(&post, "/braintree/paymethod/delete/", &json!({"paymethod": card})),
        route(&patch, card, &json!({"active": true})),
        route(&post, "/braintree/sale/", &sale),
        route(&post, "/braintree/subscription/", &subscribe),
        route(&post, "/braintree/subscription/cancel/", &json!({"subscription": subscription})),
        route(
            &post,
            "/braintree/subscription/paymethod/change/",
            &json!({"subscription": subscription, "paymethod": card}),
        ),
        route(&patch, subscription, &json!({"active": true})),
    ]
}
