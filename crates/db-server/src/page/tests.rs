use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::store::id::SellerId;

fn finish(query: &str) -> Result<PageRequest, QueryError> {
    let mut query = Query::parse(query);
    query.text("uuid");
    query.boolean("active");
    query.reference::<SellerId>("seller", Kind::Seller);
    query.provider("provider");
    query.finish()
}

#[test]
fn an_unknown_query_parameter_is_refused_by_name() {
    let error = finish("uuid=a&uiud=b").unwrap_err();
    assert_eq!(error.to_string(), "Incorrect query parameters: uiud");
    let error = finish("b=1&a=1&b=2").unwrap_err();
    assert_eq!(error.to_string(), "Incorrect query parameters: a, b");
}

#[test]
fn what_has_no_parameters_refuses_each() {
    assert_eq!(Query::parse("").none(), Ok(()));
    let error = Query::parse("limit=5&page=1").none().unwrap_err();
    assert_eq!(error.to_string(), "Incorrect query parameters: limit, page");
    assert!(matches!(Query::parse("x=4111111111111111").none(), Err(QueryError::Wrong(_))));
}

#[test]
fn a_wrong_value_of_a_filter_is_refused_by_name() {
    for (query, field) in [
        ("active=maybe", "active"),
        ("seller=x", "seller"),
        ("seller=/generic/product/1/", "seller"),
        ("provider=9", "provider"),
        ("provider=bango", "provider"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("page=0", "page"),
        ("page=4294967296", "page"),
        ("page=x", "page"),
        ("uuid=a&uuid=b", "uuid"),
        ("uuid=%00", "uuid"),
    ] {
        let Err(QueryError::Wrong(errors)) = finish(query) else { panic!("{query} is accepted") };
        assert!(errors.has(field), "{query}: {errors:?}");
    }
}

#[test]
fn a_filter_reads_its_value() {
    let mut query = Query::parse("uuid=a%20b&active=True&seller=%2Fgeneric%2Fseller%2F7%2F&provider=2");
    assert_eq!(query.text("uuid").as_deref(), Some("a b"));
    assert_eq!(query.boolean("active"), Some(true));
    assert_eq!(query.reference::<SellerId>("seller", Kind::Seller), Some(SellerId(7)));
    assert_eq!(query.provider("provider"), Some(Provider::Reference));
    assert!(query.finish().is_ok());
}

#[test]
fn a_page_has_twenty_resources_unless_the_client_says_otherwise() {
    let rows = finish("").unwrap().rows();
    assert_eq!((rows.limit, rows.offset), (20, 0));
    let rows = finish("limit=5&page=3").unwrap().rows();
    assert_eq!((rows.limit, rows.offset), (5, 10));
}

#[test]
fn meta_leads_to_the_pages_around() {
    let request = finish("uuid=a%26b&page=2&limit=1").unwrap();
    let list = request.answer("/generic/seller/", vec![json!({})], 3).unwrap();
    assert_eq!(list.meta.next.as_deref(), Some("/generic/seller/?uuid=a%26b&limit=1&page=3"));
    assert_eq!(list.meta.prev.as_deref(), Some("/generic/seller/?uuid=a%26b&limit=1&page=1"));
    assert_eq!((list.meta.page, list.meta.total_count), (2, 3));
}

#[test]
fn the_only_page_has_no_neighbours_and_one_behind_the_last_is_none() {
    let list = finish("").unwrap().answer("/x/", Vec::<u8>::new(), 0).unwrap();
    assert_eq!(list.meta, Meta { next: None, prev: None, page: 1, total_count: 0 });
    assert!(finish("page=2").unwrap().answer("/x/", Vec::<u8>::new(), 20).is_none());
}

proptest! {
    #[test]
    fn the_next_link_asks_for_the_same_filter(uuid in "[^\\x00-\\x1f\\x7f-\\x9f]{1,30}") {
        let encoded = utf8_percent_encode(&uuid, NON_ALPHANUMERIC).to_string();
        let request = finish(&format!("uuid={encoded}")).unwrap();
        let next = request.answer("/x/", vec![json!({})], 100).unwrap().meta.next.unwrap();
        let mut query = Query::parse(next.split_once('?').unwrap().1);
        prop_assert_eq!(query.text("uuid"), Some(uuid));
    }

    #[test]
    fn no_query_makes_the_reader_panic(query in ".{0,60}") {
        let _ = finish(&query);
    }
}
