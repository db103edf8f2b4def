//! What the processor says to an amount: Braintree's sandbox decides by it.
//!
//! Source: developer.paypal.com/braintree, "Testing" and "Authorization responses"; `../shared/spec/providers.md`.

/// What the processor or the gateway makes of a sale.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    Approved,
    Declined(u32),
    Failed,
    Rejected(&'static str),
}

/// The verdict on an amount in whole units of its currency.
pub(super) fn verdict(whole: i64) -> Verdict {
    match whole {
        2000..=2999 => Verdict::Declined(u32::try_from(whole).unwrap_or(2000)),
        3000 => Verdict::Failed,
        5001 => Verdict::Rejected("application_incomplete"),
        _ => Verdict::Approved,
    }
}

/// Whether the processor will not settle an amount that it has authorized.
pub(super) fn declines_settlement(whole: i64) -> bool {
    whole == 4001
}

/// The words for a code.
pub(super) fn text(code: u32) -> &'static str {
    match code {
        1000 => "Approved",
        2000 => "Do Not Honor",
        2001 => "Insufficient Funds",
        2002 => "Limit Exceeded",
        2003 => "Cardholder's Activity Limit Exceeded",
        2004 => "Expired Card",
        2005 => "Invalid Credit Card Number",
        2006 => "Invalid Expiration Date",
        2007 => "No Account",
        2008 => "Card Account Length Error",
        2009 => "No Such Issuer",
        2010 => "Card Issuer Declined CVV",
        2011 => "Voice Authorization Required",
        2012 => "Processor Declined - Possible Lost Card",
        2013 => "Processor Declined - Possible Stolen Card",
        2014 => "Processor Declined - Fraud Suspected",
        2015 => "Transaction Not Allowed",
        2016 => "Duplicate Transaction",
        2017 => "Cardholder Stopped Billing",
        2018 => "Cardholder Stopped All Billing",
        2019 => "Invalid Transaction",
        2020 => "Violation",
        2021 => "Security Violation",
        2022 => "Declined - Updated Cardholder Available",
        2023 => "Processor Does Not Support This Feature",
        2024 => "Card Type Not Enabled",
        2038 => "Processor Declined",
        2044 => "Declined - Call Issuer",
        2046 => "Declined",
        2047 => "Call Issuer. Pick Up Card.",
        2057 => "Issuer or Cardholder has put a restriction on the card",
        3000 => "Processor Network Unavailable - Try Again",
        4000 => "Confirmed",
        4001 => "Settlement Declined",
        _ => "Processor Declined",
    }
}

/// `approved`, `soft_declined` (may work later) or `hard_declined` (will not).
pub(super) fn response_type(code: u32) -> &'static str {
    match code {
        1000..2000 => "approved",
        2004..=2009
        | 2012..=2015
        | 2017..=2019
        | 2022
        | 2024
        | 2041
        | 2043
        | 2047
        | 2053
        | 2060
        | 2063
        | 2064 => "hard_declined",
        _ => "soft_declined",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_decides_what_becomes_of_a_sale() {
        for (whole, expected) in [
            (1999, Verdict::Approved),
            (2000, Verdict::Declined(2000)),
            (2999, Verdict::Declined(2999)),
            (3000, Verdict::Failed),
            (3001, Verdict::Approved),
            (4001, Verdict::Approved),
            (5001, Verdict::Rejected("application_incomplete")),
        ] {
            assert_eq!(verdict(whole), expected, "{whole}");
        }
        assert!(declines_settlement(4001) && !declines_settlement(4000));
    }
}
