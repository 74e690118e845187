//! `ldk-regtest`: an LDK node with an HTTP interface, for regtest only.
//!
//! ```text
//! ldk-regtest CONFIG      run the node of a configuration file, until SIGTERM or SIGINT; SIGHUP starts it again
//! ldk-regtest derive      read [{"name", "seed", "addresses"}] and write [{"name", "pubkey", "addresses"}]
//! ldk-regtest --version
//! ```
//!
//! `derive` starts nothing and asks nobody: identities and addresses follow from seeds alone.

mod api;
mod bitcoind;
mod blocks;
mod chain;
mod config;
mod endings;
mod http;
mod keys;
mod memory;
mod node;
mod orders;
mod relay;
mod setup;

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::runtime::Runtime;

#[derive(Deserialize)]
struct Asked {
    name: String,
    seed: String,
    addresses: u32,
}

#[derive(Serialize)]
struct Derived {
    name: String,
    pubkey: String,
    addresses: Vec<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--version"] => {
            println!("ldk-regtest version {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        },
        ["derive"] => derive(),
        [path] if !path.starts_with('-') => run(Path::new(path)),
        _ => Err("usage: ldk-regtest CONFIG | derive | --version".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("ldk-regtest: {message}");
            ExitCode::FAILURE
        },
    }
}

fn run(path: &Path) -> Result<(), String> {
    let config = config::read(path)?;
    let keys = config::read_keys(&config.data)?;
    let token = config::read_token(&config.data)?;
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(|error| error.to_string())?;
    setup::log_from(&config.log_level)?;
    let runtime = Runtime::new().map_err(|error| format!("runtime: {error}"))?;
    let _entered = runtime.enter();
    if setup::prepare(&config, &keys)? {
        let is_over = signals.pending().any(|signal| signal != SIGHUP);
        return if is_over { Ok(()) } else { Err(again()) };
    }
    let node = node::Node::start(&config, &keys)?;
    let answering = api::serve(Arc::clone(&node), config.api, &token)?;
    let signal = signals.forever().next();
    answering.abort();
    node.stop();
    if signal == Some(SIGHUP) {
        return Err(again());
    }
    std::process::exit(0) // threads that still wait for a payment are not waited for
}

/// Start this program again and return why that failed: the same process with the same arguments, so whoever keeps it by
/// its pid sees no end of it.
fn again() -> String {
    match std::env::current_exe() {
        Ok(own) => Command::new(own).args(std::env::args_os().skip(1)).exec().to_string(),
        Err(error) => error.to_string(),
    }
}

fn derive() -> Result<(), String> {
    let asked: Vec<Asked> = serde_json::from_reader(io::stdin()).map_err(|error| error.to_string())?;
    let mut derived = Vec::new();
    for one in asked {
        let seed = keys::expand(&one.seed)?;
        let wallet = keys::Addresses::of(&seed);
        let addresses = (0..one.addresses).map(|index| wallet.at(0, index).to_string()).collect();
        derived.push(Derived { name: one.name, pubkey: keys::identity(&seed), addresses });
    }
    serde_json::to_writer(io::stdout(), &derived).map_err(|error| error.to_string())
}
