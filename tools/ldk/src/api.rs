//! Commands over HTTP: a POST with a JSON object for each, answered by one. Whoever asks must say the token.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use signal_hook::consts::SIGHUP;
use signal_hook::low_level::raise;
use tiny_http::{Header, Request, Response, Server};

use crate::node::{Answer, Failure, Node};

const LARGEST: u64 = 1 << 20;

/// Answer commands from now on, each in a thread of its own: some wait for others.
pub fn serve(node: Arc<Node>, address: SocketAddr, token: String) -> Result<(), String> {
    let server = Server::http(address).map_err(|error| format!("api: {error}"))?;
    let expected = format!("Bearer {token}");
    thread::spawn(move || {
        for request in server.incoming_requests() {
            let (node, expected) = (Arc::clone(&node), expected.clone());
            thread::spawn(move || answer(&node, request, &expected));
        }
    });
    Ok(())
}

fn answer(node: &Node, mut request: Request, expected: &str) {
    let is_allowed = request
        .headers()
        .iter()
        .any(|one| one.field.equiv("Authorization") && one.value.as_str() == expected);
    let path = request.url().to_string();
    let mut body = Vec::new();
    let (status, value) = if !is_allowed {
        (401, failure("unauthorized", "the token is not the node's", ""))
    } else if request.as_reader().take(LARGEST).read_to_end(&mut body).is_err() {
        return;
    } else {
        match carry_out(node, &path, &body) {
            Ok(value) => (200, value),
            Err(Failure { code: "unknown", message, .. }) => (404, failure("unknown", &message, "")),
            Err(other) => (400, failure(other.code, &other.message, &other.reason)),
        }
    };
    let kind = Header::from_bytes("Content-Type", "application/json").expect("it is a header");
    let _ = request.respond(Response::from_data(value.to_string()).with_status_code(status).with_header(kind));
    if value["again"] == true {
        let _ = raise(SIGHUP); // the answer is out
    }
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
