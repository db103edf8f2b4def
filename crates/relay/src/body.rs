//! The body of an answer, as it comes.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;

use crate::{Frame, RelayError};

/// The body of an answer. It is read from the upstream only as fast as it is polled; dropped before its end, it closes
/// the connection.
pub struct IncomingBody(());

impl Stream for IncomingBody {
    type Item = Result<Frame, RelayError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}
