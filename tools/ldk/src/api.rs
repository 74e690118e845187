//! Commands over HTTP: a POST with a JSON object for each, answered by one. Whoever asks must say the token.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use signal_hook::consts::SIGHUP;
use signal_hook::low_level::raise;
use tokio::task::{spawn_blocking, AbortHandle};

use crate::http::{self, Question, Reply};
use crate::node::{Answer, Failure, Node};

/// Answer commands from now on until the handle ends it, each in a thread of its own: some wait for others.
pub fn serve(node: Arc<Node>, address: SocketAddr, token: &str) -> Result<AbortHandle, String> {
    let expected: Arc<str> = format!("Bearer {token}").into();
    let answer = move |question: Question| {
        let (node, expected) = (Arc::clone(&node), Arc::clone(&expected));
        async move {
            if *question.authorization != *expected {
                let refusal = failure("unauthorized", "the token is not the node's", "");
                return Reply::of(StatusCode::UNAUTHORIZED, &refusal);
            }
            let answered = spawn_blocking(move || answer(&node, &question)).await;
            answered.unwrap_or_else(|error| {
                Reply::of(StatusCode::INTERNAL_SERVER_ERROR, &failure("bug", &error.to_string(), ""))
            })
        }
    };
    let listening = http::listen(address).and_then(|listener| http::serve(listener, answer));
    listening.map_err(|error| format!("api: {error}"))
}

fn answer(node: &Node, question: &Question) -> Reply {
    match carry_out(node, &question.path, &question.body) {
        Ok(value) => {
            let then = (value["again"] == true).then_some(start_again as fn());
            Reply { then, ..Reply::of(StatusCode::OK, &value) }
        },
        Err(Failure { code: "unknown", message, .. }) => {
            Reply::of(StatusCode::NOT_FOUND, &failure("unknown", &message, ""))
        },
        Err(other) => Reply::of(StatusCode::BAD_REQUEST, &failure(other.code, &other.message, &other.reason)),
    }
}

fn start_again() {
    let _ = raise(SIGHUP);
}

fn failure(code: &str, message: &str, reason: &str) -> Value {
    json!({"error": {"code": code, "message": message, "reason": reason}})
}

fn carry_out(node: &Node, path: &str, body: &[u8]) -> Answer {
    match path {
        "/v1/info" => node.info(),
        "/v1/address" => node.address(),
        "/v1/coins" => node.coins(),
        "/v1/balances" => node.balances(),
        "/v1/peers" => node.peers(),
        "/v1/connect" => node.connect(parsed(body)?),
        "/v1/disconnect" => node.disconnect(parsed(body)?),
        "/v1/trust" => node.trust(parsed(body)?),
        "/v1/relearn" => node.relearn(parsed(body)?),
        "/v1/open" => node.open(parsed(body)?),
        "/v1/close" => node.close(parsed(body)?),
        "/v1/channels" => node.channels(),
        "/v1/edges" => node.edges(parsed(body)?),
        "/v1/policy" => node.policy(parsed(body)?),
        "/v1/invoice" => node.invoice(parsed(body)?),
        "/v1/invoice-state" => node.state(parsed(body)?),
        "/v1/settle" => node.settle(parsed(body)?),
        "/v1/cancel" => node.cancel(parsed(body)?),
        "/v1/decode" => node.decode(parsed(body)?),
        "/v1/steers" => node.steers(parsed(body)?),
        "/v1/pay" => node.pay(parsed(body)?),
        "/v1/keysend" => node.keysend(parsed(body)?),
        "/v1/endings" => node.endings(),
        other => Err(Failure { code: "unknown", message: format!("there is no `{other}`"), reason: String::new() }),
    }
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::from(error.to_string()))
}
