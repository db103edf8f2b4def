//! JSON Web Signature in its compact form (RFC 7515), for the tokens that Solitude signs and verifies.
