//! A listener on the loopback that answers the node's library in bitcoind's stead.
//!
//! The library asks for every transaction of the mempool, for each block again and again, and overlooks its own
//! transactions; many nodes on one bitcoind would keep it busy with nothing else. So here the mempool holds what the node
//! itself sent, blocks come from those read once, fees are asked for once in a while, and the rest is passed on. Errors
//! are answered as results are: at any other status the library waits, connects anew, and asks again.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use base64::prelude::{Engine, BASE64_STANDARD};
use hyper::StatusCode;
use ldk_node::bitcoin::{OutPoint, Txid};
use serde::Deserialize;
use serde_json::{json, Value};
use tokio::task::block_in_place;

use crate::bitcoind::Trouble;
use crate::blocks::parsed;
use crate::chain::Chain;
use crate::http::{self, Question, Reply};

/// What is answered without asking bitcoind, nearly always.
const AT_ONCE: [&str; 3] = ["gettxout", "getmempoolentry", "getrawtransaction"];
/// bitcoind's number for an error that has none of its own.
const OTHER: i64 = -1;
const NOT_FOUND: i64 = -5;

#[derive(Deserialize)]
struct Request {
    method: String,
    params: Vec<Value>,
    #[serde(default)]
    id: Value,
}

/// A result; what is long is not made JSON of again for each who asks.
enum Said {
    Plain(Value),
    Hex(Arc<str>),
}

/// Answer whoever shows these credentials from now on, and return the port.
///
/// It is done by the threads that also ask: where many nodes share few processors, each step to another thread waits for
/// all of them, and what is not looked up yet is checked again for each peer that passes it on.
pub fn serve(chain: Arc<Chain>, user: &str, password: &str) -> Result<u16, String> {
    let expected: Arc<str> = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))).into();
    let answer = move |question: Question| {
        let (chain, expected) = (Arc::clone(&chain), Arc::clone(&expected));
        async move {
            if *question.authorization != *expected {
                return Reply::of(StatusCode::UNAUTHORIZED, &json!({}));
            }
            match serde_json::from_slice::<Request>(&question.body) {
                Ok(request) if AT_ONCE.contains(&request.method.as_str()) => said(&chain, &request),
                Ok(request) => block_in_place(|| said(&chain, &request)),
                Err(error) => Reply::of(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})),
            }
        }
    };
    let listening = http::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).and_then(|listener| {
        let port = listener.local_addr()?.port();
        http::serve(listener, answer)?;
        Ok(port)
    });
    listening.map_err(|error| format!("relay: {error}"))
}

fn said(chain: &Chain, request: &Request) -> Reply {
    let body = match answer(chain, &request.method, &request.params, Instant::now()) {
        Ok(Said::Hex(result)) => format!(r#"{{"result":"{result}","error":null,"id":{}}}"#, request.id),
        Ok(Said::Plain(result)) => json!({"result": result, "error": null, "id": request.id}).to_string(),
        Err(Trouble::Refused(code, message)) => failure(code, &message, &request.id),
        Err(Trouble::Silent(message)) => failure(OTHER, &message, &request.id),
    };
    Reply { status: StatusCode::OK, body: body.into_bytes(), then: None }
}

fn failure(code: i64, message: &str, id: &Value) -> String {
    json!({"result": null, "error": {"code": code, "message": message}, "id": id}).to_string()
}

fn answer(chain: &Chain, method: &str, parameters: &[Value], since: Instant) -> Result<Said, Trouble> {
    let known = match (method, parameters) {
        ("getblockchaininfo", []) => {
            let (hash, height) = chain.tip(since)?;
            Some(json!({"bestblockhash": hash, "blocks": height}))
        },
        ("getblockhash", [height]) => chain.hash(number(height)?, since)?.map(|hash| json!(hash)),
        ("getblock", [hash, verbosity]) if *verbosity == 0 => {
            return Ok(Said::Hex(chain.block(parsed(hash.as_str().unwrap_or_default())?)?));
        },
        ("gettxout", [txid, index, Value::Bool(false)]) => {
            let output = OutPoint { txid: transaction(txid)?, vout: number(index)? };
            chain.confirmations(&output).map(|blocks| match blocks {
                0 => Value::Null,
                blocks => json!({"confirmations": blocks}),
            })
        },
        ("getrawmempool", _) => Some(json!(chain.unsettled()?)),
        ("getmempoolentry", [txid]) => {
            let Some((time, height)) = chain.entry(&transaction(txid)?) else {
                return Err(Trouble::Refused(NOT_FOUND, "Transaction not in mempool".into()));
            };
            Some(json!({"time": time, "height": height}))
        },
        ("getrawtransaction", [txid]) => chain.bytes(&transaction(txid)?).map(Value::from),
        ("sendrawtransaction", [bytes]) => Some(json!(chain.send(bytes.as_str().unwrap_or_default())?)),
        ("estimatesmartfee", _) => Some(chain.fee(&json!(parameters))?),
        ("getmempoolinfo", _) => Some(chain.slowly(method, &json!(parameters))?),
        _ => None,
    };
    Ok(Said::Plain(match known {
        Some(result) => result,
        None => chain.ask(method, &json!(parameters))?,
    }))
}

fn number(value: &Value) -> Result<u32, Trouble> {
    let read = value.as_u64().and_then(|number| u32::try_from(number).ok());
    read.ok_or_else(|| Trouble::Refused(OTHER, format!("`{value}` is no number")))
}

fn transaction(value: &Value) -> Result<Txid, Trouble> {
    let read = value.as_str().and_then(|text| Txid::from_str(text).ok());
    read.ok_or_else(|| Trouble::Refused(OTHER, format!("`{value}` is no transaction")))
}
