//! HTTP/1.1 on a listener: what is asked goes to one function, and its reply back. Knows nothing of what is asked.

use std::error::Error as AnyError;
use std::future::Future;
use std::io::Error;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// Bytes a question may have: a block in hex is shorter.
const LARGEST: usize = 8 << 20;
/// Many questions come at once, each by a connection of its own, and one that is not taken in time is tried again only
/// after a second.
const BACKLOG: i32 = 1_024;
/// Until a connection is taken again, where one could not be.
const PAUSE: Duration = Duration::from_millis(20);

type BoxError = Box<dyn AnyError + Send + Sync>;

/// What somebody asks.
pub struct Question {
    pub path: String,
    /// What is said of who asks.
    pub authorization: String,
    pub body: Bytes,
}

/// What is said to it, in JSON.
pub struct Reply {
    pub status: StatusCode,
    pub body: Vec<u8>,
    /// Carried out once the reply is out, which ends the connection.
    pub then: Option<fn()>,
}

impl Reply {
    pub fn of(status: StatusCode, value: &Value) -> Self {
        Self { status, body: value.to_string().into_bytes(), then: None }
    }
}

/// Listen at an address; port 0 is a free one.
pub fn listen(address: SocketAddr) -> Result<std::net::TcpListener, Error> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Answer from now on, in the runtime that was entered, until the handle ends it.
pub fn serve<A, F>(listener: std::net::TcpListener, answer: A) -> Result<AbortHandle, Error>
where
    A: Fn(Question) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let listener = TcpListener::from_std(listener)?;
    let accepting = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => drop(tokio::spawn(converse(connection, answer.clone()))),
                Err(_) => sleep(PAUSE).await, // there are as many descriptors as may be
            }
        }
    });
    Ok(accepting.abort_handle())
}

async fn converse<A, F>(connection: TcpStream, answer: A)
where
    A: Fn(Question) -> F,
    F: Future<Output = Reply>,
{
    let _ = connection.set_nodelay(true);
    let last = OnceLock::new();
    let service = service_fn(|request| replied(request, &answer, &last));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
    if let Some(then) = last.into_inner() {
        then();
    }
}

async fn replied<A, F>(
    request: Request<Incoming>,
    answer: &A,
    last: &OnceLock<fn()>,
) -> Result<Response<Full<Bytes>>, BoxError>
where
    A: Fn(Question) -> F,
    F: Future<Output = Reply>,
{
    let (head, body) = request.into_parts();
    let said = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (path, authorization) = (head.uri.path().into(), said.unwrap_or_default().into());
    let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
    let reply = answer(Question { path, authorization, body }).await;
    let mut response = Response::builder().status(reply.status).header(CONTENT_TYPE, "application/json");
    if let Some(then) = reply.then {
        response = response.header(CONNECTION, "close");
        let _ = last.set(then);
    }
    Ok(response.body(reply.body.into())?)
}
