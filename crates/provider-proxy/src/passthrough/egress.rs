//! Which addresses a target's name may lead to: the name is resolved once for a connection, every address is
//! classified, and what has been classified is what is dialled.

mod class;

use std::{net::SocketAddr, rc::Rc};

use futures_util::future::LocalBoxFuture;
use relay::{Resolve, ResolveError};

pub use class::{Class, classify};

/// Resolves as another resolver does, and refuses what a target may not be at.
///
/// When one address of an answer is refused all of it is: a name that is half ours and half somebody else's is not
/// made safe by luck of the draw. What it returns are addresses, so that nothing is left to be resolved a second time.
pub struct PinnedResolver {
    inner: Rc<dyn Resolve>,
    private: bool,
}

impl PinnedResolver {
    /// Guards a resolver; with `private` a target may be in the operator's own network.
    #[must_use]
    pub fn new(inner: Rc<dyn Resolve>, private: bool) -> Self {
        Self { inner, private }
    }
}

impl Resolve for PinnedResolver {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
        Box::pin(async move {
            let addresses = self.inner.resolve(host, port).await?;
            if addresses.is_empty() {
                return Err(ResolveError::NotFound);
            }
            match addresses.iter().find_map(|address| refused(*address, self.private)) {
                None => Ok(addresses),
                // Neither the name nor the address: a refusal is told to the caller's side as well.
                Some(class) => Err(ResolveError::Refused { reason: format!("the name leads to {class}") }),
            }
        })
    }
}

fn refused(address: SocketAddr, private: bool) -> Option<Class> {
    classify(address.ip()).filter(|class| !is_allowed(*class, private))
}

/// Whether a target may be in such a network.
#[must_use]
pub const fn is_allowed(class: Class, private: bool) -> bool {
    private && class.may_be_private()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Answers each question with the next list.
    struct Scripted(RefCell<Vec<&'static str>>);

    impl Resolve for Scripted {
        fn resolve<'a>(
            &'a self,
            _: &'a str,
            port: u16,
        ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
            let next = self.0.borrow_mut().remove(0);
            let addresses = next.split_whitespace().map(|ip| SocketAddr::new(ip.parse().unwrap(), port));
            let addresses = addresses.collect();
            Box::pin(async { Ok(addresses) })
        }
    }

    async fn resolved(answer: &'static str, private: bool) -> Result<Vec<SocketAddr>, ResolveError> {
        let resolver = PinnedResolver::new(Rc::new(Scripted(RefCell::new(vec![answer]))), private);
        resolver.resolve("target.test", 443).await
    }

    #[actix_web::test]
    async fn a_public_address_passes_and_one_bad_one_spoils_the_answer() {
        assert_eq!(resolved("8.8.8.8 1.1.1.1", false).await.unwrap().len(), 2);
        for answer in ["127.0.0.1", "8.8.8.8 10.0.0.1", "::1 8.8.8.8", "169.254.169.254", "::ffff:127.0.0.1"]
        {
            let refused = resolved(answer, false).await;
            assert!(matches!(refused, Err(ResolveError::Refused { .. })), "{answer}: {refused:?}");
        }
        assert!(matches!(resolved("", false).await, Err(ResolveError::NotFound)));
    }

    #[actix_web::test]
    async fn a_private_target_may_be_in_the_operators_network_and_not_at_a_metadata_service() {
        assert_eq!(resolved("127.0.0.1 10.0.0.1 ::1 8.8.8.8", true).await.unwrap().len(), 4);
        for answer in ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "10.0.0.1 ::"] {
            assert!(matches!(resolved(answer, true).await, Err(ResolveError::Refused { .. })), "{answer}");
        }
    }

    #[actix_web::test]
    async fn a_refusal_names_the_kind_of_network_and_no_address() {
        let error = resolved("10.1.2.3", false).await.unwrap_err().to_string();
        assert_eq!(error, "the name leads to a private address");
    }
}
