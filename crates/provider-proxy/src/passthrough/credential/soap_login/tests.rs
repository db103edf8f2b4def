//! The login goes into the right two elements, or the request goes nowhere.

use proptest::prelude::*;

use super::super::tests::{Surroundings, body_of, read, request, sent};
use super::*;

const SETTINGS: &str = "kind = 'soap_login'\nusername = 'us&er'\npassword = '''dummy<pass>\"'''";

const SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const BILLING: &str = "com.bango.webservices.billingconfiguration";

fn envelope(request: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<s:Envelope xmlns:s='{SOAP11}' xmlns:b=\"{BILLING}\"><s:Header/><s:Body>\
         <b:CreateBillingConfiguration><b:request>{request}</b:request></b:CreateBillingConfiguration></s:Body></s:Envelope>\n"
    )
}

async fn fill_as(content_type: &str, document: &str) -> Result<String, CredentialError> {
    let surroundings = Surroundings::at("https://target.test", 0);
    let headers = [("content-type", content_type)];
    let outgoing = request("POST", "/", &headers, document.as_bytes());
    sent(&read(SETTINGS), &surroundings, outgoing).await.map(|sent| body_of(&sent).to_owned())
}

async fn fill(document: &str) -> Result<String, CredentialError> {
    fill_as("text/xml; charset=utf-8", document).await
}

const USER: &str = "us&amp;er";
const PASSWORD: &str = "dummy&lt;pass&gt;&quot;";

#[actix_web::test]
async fn both_elements_are_filled_and_every_other_byte_stays() {
    let rest = "<b:pageTitle a='1'  >&lt;Tit\u{e9}&#233;&#xE9;l &amp; <![CDATA[<x>&]]></b:pageTitle ><!-- c -->\r\n\t<b:username2/>";
    for (written, filled) in [
        (
            "<b:username></b:username><b:password></b:password>",
            format!("<b:username>{USER}</b:username><b:password>{PASSWORD}</b:password>"),
        ),
        (
            "<b:username/><b:password />",
            format!("<b:username>{USER}</b:username><b:password >{PASSWORD}</b:password>"),
        ),
        (
            "<b:password>x</b:password ><b:username>a&amp;b</b:username>",
            format!("<b:password>{PASSWORD}</b:password ><b:username>{USER}</b:username>"),
        ),
        (
            "<username xmlns='com.bango.webservices.directbilling'/><password xmlns='com.bango.webservices.directbilling'>\n</password>",
            format!(
                "<username xmlns='com.bango.webservices.directbilling'>{USER}</username><password xmlns='com.bango.webservices.directbilling'>{PASSWORD}</password>"
            ),
        ),
        (
            "<username>mine</username><b:username/><b:password/>",
            format!(
                "<username>mine</username><b:username>{USER}</b:username><b:password>{PASSWORD}</b:password>"
            ),
        ),
    ] {
        let document = envelope(&format!("{rest}{written}{rest}"));
        let expected = envelope(&format!("{rest}{filled}{rest}"));
        assert_eq!(fill(&document).await.unwrap(), expected);
    }
}

#[actix_web::test]
async fn soap_12_a_default_namespace_and_a_byte_order_mark_are_understood() {
    let document = "\u{feff}<?xml version='1.0'?><Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'><Body>\
        <GetPackage xmlns='com.bango.webservices.mozillaexporter'><request><username/><password/></request></GetPackage></Body></Envelope>";
    let filled = fill_as("application/soap+xml; charset=\"UTF-8\"; action=\"a\"", document).await.unwrap();
    assert_eq!(
        filled,
        document
            .replace("<username/>", "<username>us&amp;er</username>")
            .replace("<password/>", &format!("<password>{PASSWORD}</password>"))
    );
}

#[actix_web::test]
async fn an_absent_or_doubled_or_disguised_login_is_refused() {
    let good = "<b:username/><b:password/>";
    for (inner, reason) in [
        (String::new(), "missing"),
        ("<b:username/>".into(), "missing"),
        ("<b:password/>".into(), "missing"),
        ("<b:Username/><b:password/>".into(), "missing"),
        ("<username/><password/>".into(), "missing"),
        ("<x:username xmlns:x='other'/><x:password xmlns:x='other'/>".into(), "missing"),
        (format!("{good}<b:username/>"), "twice"),
        (format!("{good}<b:password>x</b:password>"), "twice"),
        (format!("{good}<c:password xmlns:c='com.bango.webservices.directbilling'/>"), "twice"),
        ("<b:x><b:username/></b:x><b:password/>".into(), "not where"),
        ("<b:username><b:password/></b:username>".into(), "more than text"),
        ("<b:username><![CDATA[x]]></b:username><b:password/>".into(), "more than text"),
        ("<b:username><!-- x --></b:username><b:password/>".into(), "more than text"),
        ("<b:username>&x;</b:username><b:password/>".into(), "entity"),
        ("<b:username xsi:nil='true' xmlns:xsi='i'/><b:password/>".into(), "attribute"),
        (format!("{good}<!-- <b:username/> -->"), "speaks of"),
        (format!("{good}<![CDATA[<b:PassWord/>]]>"), "speaks of"),
        (format!("{good}&custom;"), "entity"),
        (format!("{good}<b:a b='&custom;'/>"), "entity"),
        (format!("{good}<b:a b='&amp'/>"), "well-formed"),
        (format!("{good}<b:a xmlns:c='com.bango&#46;webservices.directbilling'/>"), "namespace"),
        (format!("{good}<c:a/>"), "prefix"),
        (format!("{good}<?pi x?>"), "processing instruction"),
        (format!("{good}<b:a>"), "well-formed"),
        (format!("{good}</b:request>"), "well-formed"),
        (format!("{good}<b:a b='1' b='2'/>"), "well-formed"),
        (format!("{good}& "), "well-formed"),
        (format!("{good}<b:a b='<'/>"), "namespace"),
        (format!("{good}<!-- a -- b -->"), "well-formed"),
    ] {
        let refused = fill(&envelope(&inner)).await.expect_err(&inner);
        assert!(refused.to_string().contains(reason), "{inner}: {refused}");
        assert_eq!(refused.kind(), wire::passthrough::Kind::InvalidRequest);
    }
}

#[actix_web::test]
async fn a_message_that_could_be_read_in_two_ways_is_refused() {
    let good = envelope("<b:username/><b:password/>");
    let bare = good.split_once("?>\n").unwrap().1;
    for document in [
        String::new(),
        "no XML".into(),
        good.replace("<s:Envelope", "<!DOCTYPE e [<!ENTITY x 'y'>]><s:Envelope"),
        good.replace("utf-8", "utf-7"),
        good.replace("utf-8", "utf-16"),
        good.replace("1.0", "1.1"),
        format!(" {good}"),
        format!("{good}{bare}"),
        format!("{good}x"),
        format!("{good}&amp;"),
        good.trim_end().trim_end_matches("</s:Envelope>").into(),
        good.replace(SOAP11, "urn:other"),
        good.replace("s:Body", "s:Other"),
        good.replace("s:Body", "s:Header"),
        good.replace("</s:Envelope>", "</s:envelope>"),
        "<b:username xmlns:b='com.bango.webservices.directbilling'/>".into(),
        format!("{}{}", "<a>".repeat(100), "</a>".repeat(100)),
    ] {
        assert!(matches!(fill(&document).await, Err(CredentialError::Request { .. })), "{document}");
    }
}

#[actix_web::test]
async fn only_soap_in_utf8_that_is_not_compressed_is_looked_at() {
    let good = envelope("<b:username/><b:password/>");
    for content_type in
        ["text/xml", "text/xml; charset=us-ascii", "TEXT/XML;Charset=\"utf-8\"", "application/xml"]
    {
        assert!(fill_as(content_type, &good).await.is_ok(), "{content_type}");
    }
    for content_type in
        ["application/json", "multipart/related; type=text/xml", "text/xml; charset=utf-16", ""]
    {
        assert!(fill_as(content_type, &good).await.is_err(), "{content_type}");
    }
    let surroundings = Surroundings::at("https://target.test", 0);
    for headers in [
        vec![],
        vec![("content-type", "text/xml"), ("content-type", "text/xml")],
        vec![("content-type", "text/xml"), ("content-encoding", "gzip")],
    ] {
        let outgoing = request("POST", "/", &headers, good.as_bytes());
        assert!(sent(&read(SETTINGS), &surroundings, outgoing).await.is_err(), "{headers:?}");
    }
    let outgoing = request("POST", "/", &[("content-type", "text/xml")], b"<a>\xff</a>");
    assert!(sent(&read(SETTINGS), &surroundings, outgoing).await.is_err());
}

proptest! {
    /// The login stands in the message exactly once, whatever surrounds it.
    #[test]
    fn whatever_is_filled_is_filled_once(
        before in "(<b:[a-z]{1,3}( a='[a-z&;]{0,4}')?/>|<!--[a-z<> -]{0,9}-->|[a-z &;\\]]{0,9}|</?b:[a-z]{1,2}>){0,4}",
        login in "<b:username(/>|>[a-z&;<!-]{0,6}</b:username>)<b:(password|passwor)(/>|>[a-z]{0,3}</b:password>)",
        after in "(<b:[a-z]{1,3}/>|<!\\[CDATA\\[[a-z<>]{0,9}\\]\\]>|<b:username/>|[a-z ]{0,9}){0,4}",
    ) {
        let document = envelope(&format!("{before}{login}{after}"));
        if let Ok(gaps) = document::find(&document, &[BILLING.to_owned()]) {
            let filled = gaps.fill(&document, "THEUSER", "THEPASSWORD");
            prop_assert_eq!(filled.matches("THEUSER").count(), 1);
            prop_assert_eq!(filled.matches("THEPASSWORD").count(), 1);
            prop_assert!(filled.contains(">THEUSER</b:username"));
            prop_assert!(filled.contains(">THEPASSWORD</b:password"));
        }
    }
}
