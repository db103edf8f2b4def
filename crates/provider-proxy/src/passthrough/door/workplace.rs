//! What one worker thread needs for each target: its connections, beside what all workers share of it.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use chassis::base_url::BaseUrl;
use relay::{Resolve, Upstream, UpstreamSettings};

use crate::{
    caller::CallerVerifier,
    metrics::TargetMetrics,
    passthrough::{
        admission::Admission,
        credential::{CredentialError, TokenListener},
        egress::PinnedResolver,
        scan::Scanner,
        target::Target,
    },
    reload::Snapshot,
    services::Services,
};

/// All targets of one reading of the settings, as one worker has them. Requests that have begun keep theirs when the
/// settings are read again.
pub(super) struct Workplace {
    snapshot: Arc<Snapshot>,
    callers: CallerVerifier,
    places: BTreeMap<Box<str>, Rc<Place>>,
}

/// One target, as one worker has it.
pub(super) struct Place {
    pub(super) target: Arc<Target>,
    pub(super) upstream: Upstream,
    pub(super) token_endpoint: Option<Upstream>,
    pub(super) asked_for_token: Box<TokenListener>,
    pub(super) admission: Arc<Admission>,
    pub(super) metrics: Arc<TargetMetrics>,
}

impl Workplace {
    pub(super) fn new(snapshot: Arc<Snapshot>, services: &Services, resolver: &Rc<dyn Resolve>) -> Self {
        let targets = snapshot.settings.targets.iter();
        let places = targets
            .map(|target| (target.name.clone(), Rc::new(Place::new(Arc::clone(target), services, resolver))))
            .collect();
        let settings = &snapshot.settings;
        let callers = CallerVerifier::new(settings.identity.as_ref(), settings.callers.as_ref());
        Self { callers, places, snapshot }
    }

    /// Whether the door is open at all.
    pub(super) fn is_open(&self) -> bool {
        self.snapshot.settings.passthrough
    }

    /// Who is let in.
    pub(super) const fn callers(&self) -> &CallerVerifier {
        &self.callers
    }

    /// What finds the secrets of all targets.
    pub(super) fn scanner(&self) -> &Arc<Scanner> {
        &self.snapshot.scanner
    }

    pub(super) fn place(&self, name: &str) -> Option<&Rc<Place>> {
        self.places.get(name)
    }
}

impl Place {
    fn new(target: Arc<Target>, services: &Services, resolver: &Rc<dyn Resolve>) -> Self {
        let resolver: Rc<dyn Resolve> = Rc::new(PinnedResolver::new(Rc::clone(resolver), target.private));
        let upstream = |url: &BaseUrl| {
            Upstream::new(UpstreamSettings {
                connect_timeout: target.connect_timeout,
                idle_timeout: target.idle_timeout,
                total_timeout: target.timeout,
                tls: target.tls.clone(),
                resolver: Rc::clone(&resolver),
                ..UpstreamSettings::new(url.clone())
            })
        };
        let token_endpoint = target.credential.token_endpoint();
        Self {
            upstream: upstream(&target.url),
            token_endpoint: token_endpoint.map(upstream),
            asked_for_token: Box::new(count_tokens(&target.name, services)),
            admission: services.bulkheads.admission(&target.name, &target.admission),
            metrics: services.metrics.target(&target.name),
            target,
        }
    }
}

/// Tells the metrics and the readiness how a target's token endpoint does.
fn count_tokens(target: &str, services: &Services) -> impl Fn(Option<&CredentialError>) + use<> {
    let (metrics, readiness) = (services.metrics.clone(), services.readiness.clone());
    let (target, topic) = (target.to_owned(), format!("targets.{target}.credential"));
    move |error| {
        metrics.credential_refreshed(&target, error.is_none());
        match error {
            None => readiness.works(&topic),
            Some(error) => readiness.failed(&topic, error.to_string()),
        }
    }
}
