//! One token request however many callers, none for a while after a failure, none for an expired token.

use std::{cell::Cell, rc::Rc};

use futures_util::future::join_all;
use secrecy::ExposeSecret;
use tokio::sync::Notify;

use super::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
}

fn granted(token: &str, life: u64) -> Granted {
    Granted { token: token.into(), life: Duration::from_secs(life) }
}

async fn get(
    cache: &TokenCache,
    now: SystemTime,
    answer: Option<Granted>,
) -> Result<Arc<Token>, CredentialError> {
    cache.get(now, || async { answer.ok_or(CredentialError::TokenTimeout) }).await
}

fn text(token: &Arc<Token>) -> &str {
    token.secret().expose_secret()
}

#[actix_web::test]
async fn a_hundred_callers_cause_one_token_request() {
    let (cache, asked, go) = (Rc::new(TokenCache::default()), Rc::new(Cell::new(0)), Rc::new(Notify::new()));
    let calls = (0..100).map(|_| {
        let (cache, asked, go) = (Rc::clone(&cache), Rc::clone(&asked), Rc::clone(&go));
        async move {
            let mint = || async {
                asked.set(asked.get() + 1);
                go.notified().await;
                Ok(granted("dummy-token", 3600))
            };
            text(&cache.get(at(0), mint).await.unwrap()).to_owned()
        }
    });
    let answer = async {
        while asked.get() == 0 {
            tokio::task::yield_now().await;
        }
        go.notify_one();
    };
    let (tokens, ()) = tokio::join!(join_all(calls), answer);
    assert_eq!((tokens.len(), asked.get()), (100, 1));
    assert!(tokens.iter().all(|token| token == "dummy-token"));
}

#[actix_web::test]
async fn a_caller_that_leaves_does_not_take_the_others_with_it() {
    let cache = TokenCache::default();
    let never = cache.get(at(0), std::future::pending);
    assert!(tokio::time::timeout(Duration::ZERO, never).await.is_err());
    assert_eq!(text(&get(&cache, at(0), Some(granted("dummy-token", 60))).await.unwrap()), "dummy-token");
}

#[actix_web::test]
async fn a_token_is_used_until_shortly_before_it_expires() {
    let cache = TokenCache::default();
    for (second, expected) in
        [(0, "first"), (539, "first"), (540, "second"), (540 + 539, "second"), (5000, "third")]
    {
        let next = match second {
            0 => "first",
            5000 => "third",
            _ => "second",
        };
        let token = get(&cache, at(second), Some(granted(next, 600))).await.unwrap();
        assert_eq!(text(&token), expected, "{second}");
    }
}

#[actix_web::test]
async fn a_token_that_cannot_be_replaced_is_used_but_never_an_expired_one() {
    let cache = TokenCache::default();
    get(&cache, at(0), Some(granted("first", 600))).await.unwrap();
    assert_eq!(text(&get(&cache, at(560), None).await.unwrap()), "first");
    assert_eq!(text(&get(&cache, at(594), None).await.unwrap()), "first");
    assert!(get(&cache, at(595), None).await.is_err());
    assert!(get(&cache, at(9999), None).await.is_err());
}

#[actix_web::test]
async fn a_token_endpoint_that_failed_is_left_alone_for_longer_and_longer() {
    let cache = TokenCache::default();
    let mut now = 0;
    // The time that has passed in the test itself is added to each pause, so half a second is left to it.
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        assert!(matches!(get(&cache, at(now), None).await, Err(CredentialError::TokenTimeout)), "{now}");
        let paused =
            get(&cache, at(now + pause) - Duration::from_millis(1), Some(granted("unasked", 60))).await;
        assert!(matches!(paused, Err(CredentialError::TokenPaused)), "{now}");
        now += pause + 1;
    }
    assert_eq!(text(&get(&cache, at(now), Some(granted("first", 60))).await.unwrap()), "first");
    assert!(matches!(get(&cache, at(now + 60), None).await, Err(CredentialError::TokenTimeout)));
    // Back to the shortest pause.
    assert!(get(&cache, at(now + 62), Some(granted("second", 60))).await.is_ok());
}

#[actix_web::test]
async fn a_refused_token_is_forgotten_once_however_many_requests_it_failed() {
    let cache = TokenCache::default();
    let first = get(&cache, at(0), Some(granted("first", 600))).await.unwrap();
    assert!(cache.refuse(&first, at(1)));
    let second = get(&cache, at(1), Some(granted("second", 600))).await.unwrap();
    assert_eq!(text(&second), "second");
    // Others were under way with the first: the second serves them too.
    assert!(cache.refuse(&first, at(2)));
    assert_eq!(text(&get(&cache, at(2), Some(granted("third", 600))).await.unwrap()), "second");
    // A target that refuses all tokens costs no more than one in a while.
    assert!(!cache.refuse(&second, at(10)));
    assert_eq!(text(&get(&cache, at(10), Some(granted("third", 600))).await.unwrap()), "second");
    assert!(cache.refuse(&second, at(11)));
    assert_eq!(text(&get(&cache, at(11), Some(granted("third", 600))).await.unwrap()), "third");
}

#[actix_web::test]
async fn a_life_out_of_range_is_an_error_and_no_panic() {
    let granted = Granted { token: "dummy".into(), life: Duration::MAX };
    let refused = get(&TokenCache::default(), at(0), Some(granted)).await;
    assert!(matches!(refused, Err(CredentialError::TokenAnswer { .. })));
}
