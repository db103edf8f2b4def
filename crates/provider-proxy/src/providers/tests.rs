//! The tables of capabilities.

use super::*;

#[test]
fn every_provider_says_of_every_operation_whether_it_offers_it() {
    for provider in Provider::ALL {
        let named: Vec<_> = capabilities(provider).iter().map(|row| row.operation).collect();
        assert_eq!(named, OperationName::ALL, "{provider}");
    }
}
