//! What the daemon is told by its configuration file. Secrets stand in that file or in files it names, never on the
//! command line.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ldk_node::bitcoin::BlockHash;
use serde::Deserialize;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Everything the node keeps is here; `keys.json` and `token` must be there before the first start.
    pub data: PathBuf,
    /// The name it announces, at most 32 bytes.
    pub alias: String,
    /// One of gossip, trace, debug, info, warn, error.
    pub log_level: String,
    /// Where peers connect.
    pub listen: SocketAddr,
    /// The address that is announced to them, where it is another one.
    pub announce: Option<String>,
    /// Where it takes commands.
    pub api: SocketAddr,
    /// Satoshis kept back for each channel, to be able to bump fees.
    pub anchor_reserve: u64,
    pub bitcoind: Bitcoind,
    /// Who says what fees are, where bitcoind is not asked: `estimatesmartfee`, as bitcoind answers it.
    pub keeper: Option<Bitcoind>,
}

/// How to reach the chain, or who answers as it does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bitcoind {
    pub address: String,
    pub user: String,
    pub password: String,
}

/// What decides who the node is; written ahead, so that its addresses can be paid before it ever ran.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// 32 bytes in hex.
    pub seed: String,
    /// How many addresses its wallet knows from the start.
    pub addresses: u32,
    /// The newest block that surely has nothing for its wallet; without, it looks at the whole chain.
    #[serde(default)]
    pub birthday: Option<Birthday>,
}

/// A block.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Birthday {
    pub height: u32,
    pub hash: BlockHash,
}

/// Read the configuration file.
pub fn read(path: &Path) -> Result<Config, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {}", path.display(), error.message()))
}

/// Read `keys.json` of a data folder; what is wrong with it is said without its content.
pub fn read_keys(data: &Path) -> Result<Keys, String> {
    let path = data.join("keys.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|_| format!("{}: is not what it must be", path.display()))
}

/// Read the word that whoever may command the node must say.
pub fn read_token(data: &Path) -> Result<String, String> {
    let path = data.join("token");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    match text.trim() {
        "" => Err(format!("{}: is empty", path.display())),
        token => Ok(token.into()),
    }
}

const TRUSTED: &str = "trusted";

/// Read whose channels are used before they are confirmed: a public key a line; nobody where nothing was written.
pub fn read_trusted(data: &Path) -> Result<BTreeSet<String>, String> {
    let path = data.join(TRUSTED);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().map(String::from).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Write whose channels shall be used before they are confirmed from the next start on.
pub fn write_trusted(data: &Path, peers: &BTreeSet<String>) -> Result<(), String> {
    let (path, beside) = (data.join(TRUSTED), data.join("trusted.new"));
    let text: String = peers.iter().map(|peer| format!("{peer}\n")).collect();
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| format!("{}: {error}", path.display()))
}
