//! WebSocket: bytes both ways, once the upstream has agreed to switch protocols (RFC 6455).

use std::{cell::Cell, net::SocketAddr, rc::Rc};

use actix_web::{HttpResponse, dev::Payload, error::PayloadError, http::StatusCode as ActixStatus};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::mpsc,
    time::Instant,
};

use crate::{
    Incoming, Outgoing, OutgoingBody, RelayError, Upstream,
    connection::{Socket, Watch, later},
    dial::dial,
    hygiene, respond,
    wire::{NoHead, Wire},
};

/// How much of a tunnel's bytes is read at once.
const BUFFER: usize = 16 * 1024;

/// What an upstream makes of the wish to switch to WebSocket.
pub enum Upgrade {
    /// It agrees.
    Switched(Switched),
    /// It answers like to any other request.
    Declined(Incoming),
}

/// A connection that speaks WebSocket from here on.
pub struct Switched {
    /// The headers of the answer that are meant for the caller.
    pub headers: HeaderMap,
    /// The address that was dialled.
    pub address: SocketAddr,
    socket: Socket,
    watch: Rc<Watch>,
    /// What the upstream said right after it had agreed.
    first: Bytes,
}

/// How many bytes went through a tunnel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Transferred {
    /// From the caller to the upstream.
    pub up: u64,
    /// From the upstream to the caller.
    pub down: u64,
}

impl Upstream {
    /// Asks to switch to WebSocket, on a connection of its own. The body of the request is not sent.
    ///
    /// # Errors
    /// [`RelayError`], as with [`Upstream::send`].
    pub async fn upgrade(&self, outgoing: Outgoing) -> Result<Upgrade, RelayError> {
        self.upgrade_noting(outgoing, &Cell::new(None)).await
    }

    /// The same; see [`Upstream::send_noting`].
    ///
    /// # Errors
    /// As with [`Upstream::send`].
    pub async fn upgrade_noting(
        &self,
        outgoing: Outgoing,
        address: &Cell<Option<SocketAddr>>,
    ) -> Result<Upgrade, RelayError> {
        let settings = &self.inner.settings;
        let end = later(Instant::now(), settings.total_timeout);
        let Outgoing { method, path_and_query, mut headers, .. } = outgoing;
        hygiene::keep_end_to_end_of_request(&mut headers);
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        let mut sending = self.inner.sending_with(&method, path_and_query, headers, OutgoingBody::Empty)?;

        let mut wire = dial(settings, end, address).await?;
        wire.watch.begin(Instant::now(), end);
        let answer = match wire.exchange(&mut sending, self.inner.limits()).await {
            Ok(answer) => answer,
            Err(NoHead::Unsent(error) | NoHead::Failed(error)) => return Err(error),
        };
        if answer.status != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Upgrade::Declined(self.inner.incoming(answer, wire, sending, false)?));
        }
        let mut headers = answer.headers;
        hygiene::keep_end_to_end(&mut headers);
        let Wire { socket, watch, input, address, .. } = *wire;
        Ok(Upgrade::Switched(Switched { headers, address, socket, watch, first: input.freeze() }))
    }
}

impl Switched {
    /// The 101 to the caller, whose payload is copied to the upstream while the response's body is copied back. The
    /// tunnel closes when the upstream closes, when the caller is gone, or when no byte has moved for the idle timeout.
    /// `done` is called once, when it has closed.
    pub fn respond(self, payload: Payload, done: impl FnOnce(Transferred) + 'static) -> HttpResponse {
        let Self { headers, socket, watch, first, .. } = self;
        // One piece waits for the caller at most; then the upstream has to.
        let (down, from_upstream) = mpsc::channel(1);
        actix_web::rt::spawn(async move {
            let transferred = Cell::new(Transferred::default());
            watch.keep_on();
            watch.over(copy_both_ways(socket, first, payload, down, &transferred)).await;
            done(transferred.get());
        });
        let body = stream::unfold(from_upstream, |mut from_upstream| async move {
            from_upstream.recv().await.map(|bytes| (Ok::<Bytes, PayloadError>(bytes), from_upstream))
        });
        let mut response =
            HttpResponse::build(ActixStatus::SWITCHING_PROTOCOLS).upgrade("websocket").streaming(body);
        respond::copy(headers, response.headers_mut());
        response
    }
}

async fn copy_both_ways(
    socket: Socket,
    first: Bytes,
    payload: Payload,
    down: mpsc::Sender<Bytes>,
    transferred: &Cell<Transferred>,
) {
    let (from_upstream, to_upstream) = tokio::io::split(socket);
    let gone = down.clone();
    let upwards = async {
        copy_up(payload, to_upstream, transferred).await;
        // The caller has said its last word; the upstream may go on.
        std::future::pending::<()>().await
    };
    tokio::select! {
        () = copy_down(from_upstream, first, down, transferred) => {}
        () = gone.closed() => {}
        () = upwards => {}
    }
}

async fn copy_up(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    mut to_upstream: WriteHalf<Socket>,
    transferred: &Cell<Transferred>,
) {
    while let Some(Ok(bytes)) = payload.next().await {
        if to_upstream.write_all(&bytes).await.is_err() || to_upstream.flush().await.is_err() {
            return;
        }
        let mut so_far = transferred.get();
        so_far.up += bytes.len() as u64;
        transferred.set(so_far);
    }
    // An upstream that does not take notice is given up when no byte has moved for long enough.
    drop(to_upstream.shutdown().await);
}

async fn copy_down(
    mut from_upstream: ReadHalf<Socket>,
    first: Bytes,
    down: mpsc::Sender<Bytes>,
    transferred: &Cell<Transferred>,
) {
    let mut bytes = first;
    loop {
        let length = bytes.len() as u64;
        if length > 0 && down.send(bytes).await.is_err() {
            return;
        }
        let mut so_far = transferred.get();
        so_far.down += length;
        transferred.set(so_far);
        let mut buffer = BytesMut::with_capacity(BUFFER);
        match from_upstream.read_buf(&mut buffer).await {
            Ok(1..) => bytes = buffer.freeze(),
            Ok(0) | Err(_) => return,
        }
    }
}
