//! Who is calling: the client certificate of the connection and the signed claims of the request.

use std::rc::Rc;

use serde_json::{Map, Value};

/// A caller whose token, and certificate where one is demanded, have been verified.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The claim `sub`.
    pub name: Rc<str>,
    /// The claim `authorities`.
    pub authorities: Rc<[String]>,
    /// All claims of the token, for a target's `rewrite` and for templates.
    pub claims: Rc<Map<String, Value>>,
    /// The entry of `[callers]` whose SAN the client certificate has; none without TLS.
    pub entry: Option<Rc<str>>,
}
