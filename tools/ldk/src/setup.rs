//! What is made before a node starts: its log, its wallet, and the library with a relay to the chain.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use ldk_node::bitcoin::secp256k1::PublicKey;
use ldk_node::config::{AnchorChannelsConfig, Config as NodeConfig};
use ldk_node::lightning::ln::msgs::SocketAddress;
use ldk_node::logger::{LogLevel, LogRecord, LogWriter};
use ldk_node::Builder;
use tokio::runtime::Handle;

use crate::bitcoind::Bitcoind;
use crate::chain::Chain;
use crate::config::{Config, Keys};
use crate::keys::{expand, to_hex, Addresses};
use crate::memory::Memory;
use crate::relay;

const BOOK: &str = "prepared";

struct Lines;

impl LogWriter for Lines {
    fn log<'a>(&self, record: LogRecord<'a>) {
        if record.level >= *LEVEL.get().unwrap_or(&LogLevel::Info) {
            println!("{} {}: {}", record.level, record.module_path, record.args);
        }
    }
}

static LEVEL: OnceLock<LogLevel> = OnceLock::new();

/// Log from this level on.
pub fn log_from(name: &str) -> Result<(), String> {
    let level = match name {
        "gossip" => LogLevel::Gossip,
        "trace" => LogLevel::Trace,
        "debug" => LogLevel::Debug,
        "info" => LogLevel::Info,
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
        other => return Err(format!("log_level: `{other}` is none")),
    };
    let _ = LEVEL.set(level);
    Ok(())
}

/// The library as a configuration wants it, without a chain yet.
pub fn builder(config: &Config, seed: &[u8; 64], trusted: &BTreeSet<String>) -> Result<Builder, String> {
    let listen = SocketAddress::from_str(&config.listen.to_string()).map_err(|error| format!("listen: {error:?}"))?;
    let announce = match &config.announce {
        Some(address) => Some(vec![SocketAddress::from_str(address).map_err(|error| format!("announce: {error:?}"))?]),
        None => None,
    };
    let plain = NodeConfig {
        announcement_addresses: announce,
        trusted_peers_0conf: trusted.iter().filter_map(|peer| PublicKey::from_str(peer).ok()).collect(),
        anchor_channels_config: Some(AnchorChannelsConfig {
            per_channel_reserve_sats: config.anchor_reserve,
            ..AnchorChannelsConfig::default()
        }),
        ..NodeConfig::default()
    };
    let mut builder = Builder::from_config(plain);
    builder
        .set_network(ldk_node::bitcoin::Network::Regtest)
        .set_storage_dir_path(config.data.join("node").to_string_lossy().into_owned())
        .set_entropy_seed_bytes(*seed)
        .set_gossip_source_p2p()
        .set_custom_logger(Arc::new(Lines));
    builder.set_listening_addresses(vec![listen]).map_err(|error| format!("listen: {error}"))?;
    builder.set_node_alias(config.alias.clone()).map_err(|error| format!("alias: {error}"))?;
    Ok(builder)
}

/// Write the wallet of a node that never ran, and return whether that had to be done; the process must start again then:
/// the library keeps its store open. A wallet that is first written with a chain at hand believes that nothing up to
/// its tip concerns it, and ours is paid before it ever ran; so the chain ends with its birthday meanwhile.
pub fn prepare(config: &Config, keys: &Keys) -> Result<bool, String> {
    let book = config.data.join(BOOK);
    if book.exists() {
        return Ok(false);
    }
    let seed = expand(&keys.seed)?;
    let mut builder = builder(config, &seed, &BTreeSet::new())?;
    match &keys.birthday {
        Some(block) => {
            let (chain, _) = source(config, keys, &seed, &mut builder)?;
            chain.end_with(block.hash, block.height);
        },
        None => {
            // never asked: the node is not started
            builder.set_chain_source_esplora("http://127.0.0.1:1".into(), None);
        },
    }
    let node = builder.build().map_err(|error| error.to_string())?;
    let addresses = Addresses::of(&seed);
    let ours: Vec<_> = (0..keys.addresses).map(|index| addresses.at(0, index)).collect();
    while let Some(last) = ours.last() {
        let address = node.onchain_payment().new_address().map_err(|error| error.to_string())?;
        if address == *last || !ours.contains(&address) {
            break;
        }
    }
    std::fs::write(&book, b"").map_err(|error| format!("{}: {error}", book.display()))?;
    Ok(true)
}

/// Let the library find the chain at a relay that runs, as the library does, in the runtime that was entered, and return what that answers from.
pub fn source(
    config: &Config,
    keys: &Keys,
    seed: &[u8; 64],
    builder: &mut Builder,
) -> Result<(Arc<Chain>, Arc<Memory>), String> {
    let memory = Arc::new(Memory::open(&config.data));
    let (addresses, bitcoind) = (Addresses::of(seed), Bitcoind::new(&config.bitcoind)?);
    let keeper = config.keeper.as_ref().map(Bitcoind::new).transpose()?;
    let chain = Arc::new(Chain::new(bitcoind, keeper, addresses, keys.addresses, Arc::clone(&memory)));
    let (user, password) = (config.bitcoind.user.clone(), word()?);
    let port = relay::serve(Arc::clone(&chain), &user, &password)?;
    builder.set_runtime(Handle::current());
    builder.set_chain_source_bitcoind_rpc(Ipv4Addr::LOCALHOST.to_string(), port, user, password);
    Ok((chain, memory))
}

/// A word nobody knows but this process.
pub fn word() -> Result<String, String> {
    let mut bytes = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map(|()| to_hex(&bytes)).map_err(|error| format!("/dev/urandom: {error}"))
}
