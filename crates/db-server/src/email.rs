//! E-mail addresses: kept as they were given, looked up without regard to case.

use std::fmt;

/// An address. It is personal, so that `Debug` does not show it.
#[derive(Clone, Eq, PartialEq)]
pub struct Email(String);

impl Email {
    /// Takes something before and something behind the last `@`, without spaces and control characters; whether
    /// anybody reads mail there is another matter. Spaces around it are cut off.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let odd =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';');
        let sound =
            !local.is_empty() && !domain.is_empty() && !domain.starts_with('.') && !domain.ends_with('.');
        (sound && !text.contains(odd)).then(|| Self(text.to_owned()))
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which it is looked up: the same for every spelling in upper and lower case.
    #[must_use]
    pub fn look_up_form(&self) -> String {
        look_up_form(&self.0)
    }
}

/// The same of an address that is stored already.
#[must_use]
pub fn look_up_form(address: &str) -> String {
    address.to_lowercase()
}

impl fmt::Debug for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Email(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_given_and_looked_up_in_lower_case() {
        let email = Email::parse(" Jo.Doe+X@Example.TEST ").unwrap();
        assert_eq!(email.as_str(), "Jo.Doe+X@Example.TEST");
        assert_eq!(email.look_up_form(), "jo.doe+x@example.test");
        assert!(!format!("{email:?}").contains("Doe"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "@", "a@", "@b", "ab", "a b@c", "a@b c", "a@.b", "a@b.", "a@b\n\u{0}x", "A <a@b>", "a@b,c@d"]
        {
            assert_eq!(Email::parse(text), None, "{text:?}");
        }
    }
}
