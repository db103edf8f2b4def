//! What operations take in their queries: filters, pages, and lists that go on behind their last object.

use utoipa::openapi::path::ParameterIn;

use super::Operation;
use crate::openapi::field::{self, Field};

impl Operation {
    /// A parameter of the query.
    pub(in crate::openapi) fn asks_in_query(self, name: &str, field: Field) -> Self {
        self.parameter(ParameterIn::Query, name, field, None)
    }

    /// A list with these filters.
    pub(in crate::openapi) fn lists(self, filters: impl IntoIterator<Item = (&'static str, Field)>) -> Self {
        self.lists_by(filters, 20)
    }

    /// A query with these parameters.
    pub(in crate::openapi) fn asks(
        mut self,
        parameters: impl IntoIterator<Item = (&'static str, Field)>,
    ) -> Self {
        for (name, field) in parameters {
            self = self.parameter(ParameterIn::Query, name, field, None);
        }
        self.refuses("400", "A query parameter is unknown.", &["Detail"]).may_answer("422")
    }

    /// A list with these filters, and so many on a page when the client does not say.
    pub(in crate::openapi) fn lists_by(
        mut self,
        filters: impl IntoIterator<Item = (&'static str, Field)>,
        default_limit: u32,
    ) -> Self {
        for (name, field) in filters {
            self = self.parameter(ParameterIn::Query, name, field, None);
        }
        let limit = field::between(1, 500).default(default_limit).about("How many resources a page has.");
        let page = field::between(1, 4_294_967_295).default(1).about("Which page.");
        self.parameter(ParameterIn::Query, "limit", limit, None)
            .parameter(ParameterIn::Query, "page", page, None)
            .notes("Newest first. A query parameter that is not named here is refused with 400.")
            .refuses("400", "A query parameter is wrong, or unknown.", &["FieldErrors", "Detail"])
            .refuses("404", "The page lies behind the last one.", &["Detail"])
            .may_answer("422")
            .versioned("200")
    }

    /// A list with these filters that goes on behind its last object.
    pub(in crate::openapi) fn lists_on(
        mut self,
        filters: impl IntoIterator<Item = (&'static str, Field)>,
    ) -> Self {
        for (name, field) in filters {
            self = self.parameter(ParameterIn::Query, name, field, None);
        }
        let limit = field::between(1, 500).default(20).about("How many resources are shown.");
        let after = field::pk().about("The primary key of the last resource that the client has seen.");
        self.parameter(ParameterIn::Query, "limit", limit, None)
            .parameter(ParameterIn::Query, "after", after, None)
            .refuses("400", "A query parameter is unknown.", &["Detail"])
            .may_answer("422")
    }

    /// A list that has neither filters nor pages.
    pub(in crate::openapi) fn takes_no_query(self) -> Self {
        self.refuses("400", "There is a query parameter; there are none here.", &["Detail"]).may_answer("422")
    }
}
