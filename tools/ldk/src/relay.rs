//! A listener on the loopback that answers the node's library in bitcoind's stead.
//!
//! The library asks for every transaction of the mempool, for each block again and again, and overlooks its own
//! transactions; many nodes on one bitcoind would keep it busy with nothing else. So here the mempool holds what the node
//! itself sent, blocks come from those read once, fees are asked for once a block, and the rest is passed on. Errors are answered as results are: at any
//! other status the library waits, connects anew, and asks again.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use base64::prelude::{Engine, BASE64_STANDARD};
use ldk_node::bitcoin::{OutPoint, Txid};
use serde::Deserialize;
use serde_json::{json, Value};
use socket2::{Domain, Socket, Type};

use crate::bitcoind::Trouble;
use crate::blocks::parsed;
use crate::chain::Chain;

const LARGEST: usize = 8 << 20;
const BACKLOG: i32 = 1_024;
const LONGEST_LINE: u64 = 8 << 10;
/// A thread for each connection needs little.
const STACK: usize = 256 << 10;
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

/// Answer whoever shows these credentials from now on, each connection in a thread of its own, and return the port.
pub fn serve(chain: Arc<Chain>, user: &str, password: &str) -> Result<u16, String> {
    let listener = listen().map_err(|error| format!("relay: {error}"))?;
    let port = listener.local_addr().map_err(|error| format!("relay: {error}"))?.port();
    let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (chain, expected) = (Arc::clone(&chain), expected.clone());
            let _ = thread::Builder::new().stack_size(STACK).spawn(move || converse(&chain, connection, &expected));
        }
    });
    Ok(port)
}

/// Many of the library's questions come at once, each by a connection of its own, and one that is not taken in time is
/// tried again only after a second.
fn listen() -> Result<TcpListener, Error> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn converse(chain: &Chain, connection: TcpStream, expected: &str) -> Result<(), Error> {
    connection.set_nodelay(true)?;
    let mut writer = connection.try_clone()?;
    let mut reader = BufReader::new(connection);
    while let Some((authorization, body)) = read(&mut reader)? {
        if authorization != expected {
            return writer.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        let request: Request = serde_json::from_slice(&body)?;
        let said = match answer(chain, &request.method, &request.params, Instant::now()) {
            Ok(Said::Hex(result)) => format!(r#"{{"result":"{result}","error":null,"id":{}}}"#, request.id),
            Ok(Said::Plain(result)) => json!({"result": result, "error": null, "id": request.id}).to_string(),
            Err(Trouble::Refused(code, message)) => failure(code, &message, &request.id),
            Err(Trouble::Silent(message)) => failure(OTHER, &message, &request.id),
        };
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", said.len());
        writer.write_all(&[head.as_bytes(), said.as_bytes()].concat())?;
    }
    Ok(())
}

fn failure(code: i64, message: &str, id: &Value) -> String {
    json!({"result": null, "error": {"code": code, "message": message}, "id": id}).to_string()
}

/// Return what a request says of its sender, and its body; None at the end of the connection.
fn read(reader: &mut BufReader<TcpStream>) -> Result<Option<(String, Vec<u8>)>, Error> {
    let (mut authorization, mut length) = (String::new(), 0);
    let mut is_first = true;
    loop {
        let mut line = String::new();
        if reader.by_ref().take(LONGEST_LINE).read_line(&mut line)? == 0 {
            return if is_first { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
        is_first = false;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => authorization = value.into(),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().map_err(|_| ErrorKind::InvalidData)?;
            },
            None if line.trim_end().is_empty() => break,
            _ => {},
        }
    }
    if length > LARGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((authorization, body)))
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
        ("estimatesmartfee" | "getmempoolinfo", _) => Some(chain.fees(method, &json!(parameters))?),
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
