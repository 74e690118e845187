//! bitcoind's JSON-RPC, asked one question after another over one connection. Where its queue is full it is asked again.

use std::thread;
use std::time::{Duration, Instant};

use jsonrpc::error::RpcError;
use jsonrpc::simple_http::{Error as HttpError, SimpleHttpTransport};
use jsonrpc::{Client, Error};
use serde::de::DeserializeOwned;
use serde_json::value::{to_raw_value, RawValue};
use serde_json::{json, Value};

use crate::config;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const BUSY: u16 = 503;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Why there is no result.
#[derive(Debug)]
pub enum Trouble {
    /// It answered with an error: its number, and what it said.
    Refused(i64, String),
    /// There is no answer; there may be one later.
    Silent(String),
}

/// A bitcoind.
pub struct Bitcoind {
    client: Client,
}

impl Bitcoind {
    /// Reach it as a configuration says; nothing is asked yet.
    pub fn new(config: &config::Bitcoind) -> Result<Self, String> {
        let transport = SimpleHttpTransport::builder()
            .url(&config.address)
            .map_err(|error| format!("bitcoind.address: {error}"))?
            .auth(&config.user, Some(&config.password))
            .timeout(ANSWER_WITHIN)
            .build();
        Ok(Self { client: Client::with_transport(transport) })
    }

    /// Return the result of a call.
    pub fn ask<T: DeserializeOwned>(&self, method: &str, parameters: &Value) -> Result<T, Trouble> {
        let raw = to_raw_value(parameters).expect("it is plain data");
        patiently(|| self.client.call(method, Some(&raw))).map_err(|error| trouble(method, error))
    }

    /// For each of these parameters, return whether a call of the method had a result; all of them in one request.
    pub fn have_results(&self, method: &str, each: &[Value]) -> Result<Vec<bool>, Trouble> {
        if each.is_empty() {
            return Ok(Vec::new());
        }
        let raw: Vec<Box<RawValue>> =
            each.iter().map(|one| to_raw_value(&json!([one])).expect("it is plain data")).collect();
        let requests: Vec<_> = raw.iter().map(|one| self.client.build_request(method, Some(one))).collect();
        let answers = patiently(|| self.client.send_batch(&requests)).map_err(|error| trouble(method, error))?;
        Ok(answers.into_iter().map(|one| one.is_some_and(|answer| answer.check_error().is_ok())).collect())
    }
}

fn patiently<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let (until, mut pause) = (Instant::now() + ANSWER_WITHIN, FIRST_PAUSE);
    loop {
        match attempt() {
            Err(Error::Transport(cause)) if is_busy(cause.as_ref()) && Instant::now() < until => thread::sleep(pause),
            done => return done,
        }
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

fn is_busy(cause: &(dyn std::error::Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(HttpError::HttpErrorCode(BUSY)))
}

fn trouble(method: &str, error: Error) -> Trouble {
    match error {
        Error::Rpc(RpcError { code, message, .. }) => Trouble::Refused(code.into(), message),
        other => Trouble::Silent(format!("bitcoind: {method}: {other}")),
    }
}
