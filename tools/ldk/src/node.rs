//! The node itself: built, started, and what each command does with it. Answers are JSON; amounts of channels and
//! coins are satoshis, those of payments and policies millisatoshis.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ldk_node::bitcoin::hashes::{sha256, Hash};
use ldk_node::bitcoin::secp256k1::PublicKey;
use ldk_node::bitcoin::OutPoint;
use ldk_node::config::{AnchorChannelsConfig, ChannelConfig, Config as NodeConfig};
use ldk_node::lightning::ln::channelmanager::PaymentId;
use ldk_node::lightning::ln::msgs::SocketAddress;
use ldk_node::lightning::routing::gossip::ChannelUpdateInfo;
use ldk_node::lightning::routing::router::RouteParametersConfig;
use ldk_node::lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescription, Description};
use ldk_node::lightning_types::payment::{PaymentHash, PaymentPreimage};
use ldk_node::logger::{LogLevel, LogRecord, LogWriter};
use ldk_node::payment::{ConfirmationStatus, PaymentKind, PaymentStatus};
use ldk_node::{Builder, ChannelDetails, Event, Node as LdkNode, NodeError};
use serde_json::{json, Value};

use crate::bitcoind::{Bitcoind, Trouble};
use crate::chain::Chain;
use crate::config::{self, Config, Keys};
use crate::endings::endings;
use crate::keys::{expand, hex, to_hex, Addresses};
use crate::memory::{Intent, Memory};
use crate::{orders, relay};

/// Seconds a peer may take to agree to a channel, or to its end.
const AGREE_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const INVOICE_EXPIRY: u32 = 24 * 3600;
/// Blocks a payment may take beyond its last hop where it must be the only one: less than any hop asks for.
const NO_OTHER_HOP: u32 = 5;
const ANNOUNCE: u32 = 6;
/// Millisatoshis in the two outputs by which the fee of a commitment can be bumped; the opener pays for them.
const ANCHORS: u64 = 2 * 330_000;
const BOOK: &str = "prepared";

/// Why a command was not carried out: a word for programs, and a sentence.
pub struct Failure {
    pub code: &'static str,
    pub message: String,
    pub reason: String,
}

pub type Answer = Result<Value, Failure>;

fn failed(code: &'static str, message: impl Into<String>) -> Failure {
    Failure { code, message: message.into(), reason: String::new() }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        failed("refused", message)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(_, message) => failed("refused", format!("bitcoind: {message}")),
            Trouble::Silent(message) => failed("not-yet", message),
        }
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let code = match error {
            NodeError::ConnectionFailed
            | NodeError::FeerateEstimationUpdateFailed
            | NodeError::FeerateEstimationUpdateTimeout
            | NodeError::NotRunning
            | NodeError::TxSyncFailed
            | NodeError::TxSyncTimeout => "not-yet",
            _ => "refused",
        };
        failed(code, error.to_string())
    }
}

/// How a payment or an opening ended.
enum Outcome {
    Paid { fee: u64 },
    Failed { reason: String },
    Opened { point: String },
}

/// A running node with all the daemon knows of it.
pub struct Node {
    ldk: Arc<LdkNode>,
    alias: String,
    data: PathBuf,
    /// Whose channels it uses before they are confirmed; the library learns it only when it starts.
    trusted: BTreeSet<String>,
    chain: Arc<Chain>,
    memory: Arc<Memory>,
    outcomes: Mutex<HashMap<u128, Outcome>>,
    changed: Condvar,
    /// Openings go one after another: the wallet must know what one has spent before it pays for the next.
    opening: Mutex<()>,
    /// Seconds since 1970.
    started: u64,
    /// The name of this run of the program.
    session: String,
}

struct Lines;

impl LogWriter for Lines {
    fn log<'a>(&self, record: LogRecord<'a>) {
        if record.level >= *LEVEL.get().unwrap_or(&LogLevel::Info) {
            println!("{} {}: {}", record.level, record.module_path, record.args);
        }
    }
}

static LEVEL: std::sync::OnceLock<LogLevel> = std::sync::OnceLock::new();

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

fn builder(config: &Config, seed: &[u8; 64], trusted: &BTreeSet<String>) -> Result<Builder, String> {
    let listen = SocketAddress::from_str(&config.listen.to_string()).map_err(|error| format!("listen: {error:?}"))?;
    let announce = match &config.announce {
        Some(address) => Some(vec![SocketAddress::from_str(address).map_err(|error| format!("announce: {error:?}"))?]),
        None => None,
    };
    let mut plain = NodeConfig::default();
    plain.announcement_addresses = announce;
    plain.trusted_peers_0conf = trusted.iter().filter_map(|peer| PublicKey::from_str(peer).ok()).collect();
    plain.anchor_channels_config = Some(AnchorChannelsConfig {
        per_channel_reserve_sats: config.anchor_reserve,
        ..AnchorChannelsConfig::default()
    });
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
            builder.set_chain_source_esplora("http://127.0.0.1:1".into(), None); // never asked: the node is not started
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

/// Let the library find the chain at a relay, and return what that answers from.
fn source(
    config: &Config,
    keys: &Keys,
    seed: &[u8; 64],
    builder: &mut Builder,
) -> Result<(Arc<Chain>, Arc<Memory>), String> {
    let memory = Arc::new(Memory::open(&config.data));
    let (addresses, bitcoind) = (Addresses::of(seed), Bitcoind::new(&config.bitcoind)?);
    let chain = Arc::new(Chain::new(bitcoind, addresses, keys.addresses, Arc::clone(&memory)));
    let (user, password) = (config.bitcoind.user.clone(), word()?);
    let port = relay::serve(Arc::clone(&chain), &user, &password)?;
    builder.set_chain_source_bitcoind_rpc(Ipv4Addr::LOCALHOST.to_string(), port, user, password);
    Ok((chain, memory))
}

impl Node {
    /// Build and start the node of a configuration.
    pub fn start(config: &Config, keys: &Keys) -> Result<Arc<Self>, String> {
        let seed = expand(&keys.seed)?;
        let trusted = config::read_trusted(&config.data)?;
        let mut builder = builder(config, &seed, &trusted)?;
        let (chain, memory) = source(config, keys, &seed, &mut builder)?;
        let ldk = Arc::new(builder.build().map_err(|error| error.to_string())?);
        let node = Arc::new(Self {
            ldk,
            alias: config.alias.clone(),
            data: config.data.clone(),
            trusted,
            chain,
            memory,
            outcomes: Mutex::default(),
            changed: Condvar::new(),
            opening: Mutex::default(),
            session: word()?,
            started: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        });
        node.chain.send_again();
        node.ldk.start().map_err(|error| error.to_string())?;
        let listener = Arc::clone(&node);
        thread::spawn(move || listener.listen());
        Ok(node)
    }

    /// End it; everything is written by then.
    pub fn stop(&self) {
        let _ = self.ldk.stop();
    }

    fn listen(&self) {
        loop {
            let event = self.ldk.wait_next_event();
            if let Err(message) = self.heard(event) {
                println!("WARN memory: {message}");
            }
            let _ = self.ldk.event_handled();
        }
    }

    fn heard(&self, event: Event) -> Result<(), String> {
        match event {
            Event::PaymentSuccessful { payment_id: Some(id), fee_paid_msat, .. } => {
                self.ended(key(&id), Outcome::Paid { fee: fee_paid_msat.unwrap_or(0) });
            },
            Event::PaymentFailed { payment_id: Some(id), reason, .. } => {
                let reason = reason.map_or("Unknown".into(), |reason| format!("{reason:?}"));
                self.ended(key(&id), Outcome::Failed { reason });
            },
            Event::PaymentReceived { payment_hash, .. } => self.memory.holds(&to_hex(&payment_hash.0), false)?,
            Event::PaymentClaimable { payment_hash, .. } => {
                let hash = to_hex(&payment_hash.0);
                if self.memory.is_canceled(&hash) {
                    let _ = self.ldk.bolt11_payment().fail_for_hash(payment_hash);
                } else {
                    self.memory.holds(&hash, true)?;
                }
            },
            Event::ChannelPending { user_channel_id, funding_txo, .. } => {
                let id = user_channel_id.0.to_string();
                let channels = self.ldk.list_channels();
                if let Some(channel) = channels.iter().find(|one| one.user_channel_id == user_channel_id) {
                    self.memory.began(&id, split(channel).0)?;
                }
                let point = format!("{}:{}", funding_txo.txid, funding_txo.vout);
                self.ended(user_channel_id.0, Outcome::Opened { point });
            },
            Event::ChannelClosed { user_channel_id, reason, .. } => {
                let reason = reason.map_or("Unknown".into(), |reason| reason.to_string());
                self.ended(user_channel_id.0, Outcome::Failed { reason });
            },
            _ => {},
        }
        Ok(())
    }

    fn ended(&self, id: u128, outcome: Outcome) {
        self.outcomes.lock().unwrap().insert(id, outcome);
        self.changed.notify_all();
    }

    fn outcome(&self, id: u128, within: Duration) -> Option<Outcome> {
        let until = Instant::now() + within;
        let mut outcomes = self.outcomes.lock().unwrap();
        loop {
            if let Some(outcome) = outcomes.remove(&id) {
                return Some(outcome);
            }
            let left = until.checked_duration_since(Instant::now())?;
            outcomes = self.changed.wait_timeout(outcomes, left).unwrap().0;
        }
    }

    /// Come to the newest block and return whether it is there; a look at the chain that fails is made again for a while.
    fn follow(&self) -> Result<bool, Failure> {
        let until = Instant::now() + AGREE_WITHIN;
        loop {
            match self.come() {
                Err(Failure { code: "not-yet", .. }) if Instant::now() < until => thread::sleep(LOOK_AGAIN),
                done => return done,
            }
        }
    }

    fn come(&self) -> Result<bool, Failure> {
        let (tip, _) = self.chain.tip(Instant::now())?;
        if self.ldk.status().latest_onchain_wallet_sync_timestamp.is_none_or(|last| last < self.started) {
            return Ok(false); // its wallet has not come to the tip, which the rest of it may have begun with
        }
        if self.ldk.status().current_best_block.block_hash != tip {
            self.ldk.sync_wallets()?;
        }
        Ok(self.ldk.status().current_best_block.block_hash == tip)
    }

    /// Return once its wallet knows everything the node has sent. Where it is told while another look at the chain is
    /// under way, only the next one is sure to end with that.
    fn recall(&self) -> Result<(), Failure> {
        let done = || {
            let is_told = self.chain.is_told();
            Ok(self.ldk.sync_wallets().is_ok() && is_told)
        };
        self.wait(done, "the wallet to know what it has spent")
    }

    /// What it says of itself, once it has come to the newest block.
    pub fn info(&self) -> Answer {
        let synced = self.follow()?;
        let height = self.ldk.status().current_best_block.height;
        let pubkey = self.ldk.node_id().to_string();
        Ok(json!({"pubkey": pubkey, "alias": self.alias, "height": height, "synced": synced}))
    }

    pub fn address(&self) -> Answer {
        Ok(json!({"address": self.ldk.onchain_payment().new_address()?.to_string()}))
    }

    /// The coins of its wallet: of every transaction the wallet knows, what bitcoind says is unspent.
    pub fn coins(&self) -> Answer {
        self.follow()?;
        let on_chain = self.ldk.list_payments_with_filter(|one| matches!(one.kind, PaymentKind::Onchain { .. }));
        let transactions: Vec<_> = on_chain
            .iter()
            .filter_map(|payment| match &payment.kind {
                PaymentKind::Onchain { txid, status } => Some((txid.to_string(), mined_in(status))),
                _ => None,
            })
            .collect();
        Ok(json!({"coins": self.chain.coins(&transactions)?}))
    }

    pub fn balances(&self) -> Answer {
        self.follow()?;
        let all = self.ldk.list_balances();
        Ok(json!({
            "on_chain": all.total_onchain_balance_sats,
            "spendable": all.spendable_onchain_balance_sats,
            "reserved": all.total_anchor_channels_reserve_sats,
            "in_channels": all.total_lightning_balance_sats,
        }))
    }

    pub fn peers(&self) -> Answer {
        let connected = self.ldk.list_peers().into_iter().filter(|peer| peer.is_connected);
        Ok(json!({"peers": connected.map(|peer| peer.node_id.to_string()).collect::<Vec<_>>()}))
    }

    pub fn connect(&self, order: orders::Connect) -> Answer {
        let address = SocketAddress::from_str(&order.address)
            .map_err(|_| failed("refused", format!("`{}` is no address", order.address)))?;
        self.ldk.connect(pubkey(&order.pubkey)?, address, true)?;
        Ok(json!({}))
    }

    pub fn disconnect(&self, order: orders::Peer) -> Answer {
        self.ldk.disconnect(pubkey(&order.pubkey)?)?;
        Ok(json!({}))
    }

    /// Use channels of these peers, and of nobody else, before they are confirmed. Where that is new, the whole program
    /// starts again, because the library takes it only then; whoever asks again hears when that is done.
    pub fn trust(&self, order: orders::Trust) -> Answer {
        let again = order.peers != self.trusted;
        if again {
            for peer in &order.peers {
                pubkey(peer)?;
            }
            config::write_trusted(&self.data, &order.peers)?;
        }
        Ok(json!({"again": again}))
    }

    /// Start the whole program again, where this is the session: the library asks for all its first peers know of the
    /// network, and only then. Whoever asks again hears of another session when that is done.
    pub fn relearn(&self, order: orders::Relearn) -> Answer {
        Ok(json!({"session": self.session, "again": order.session == self.session}))
    }

    pub fn open(&self, order: orders::Open) -> Answer {
        let _one = self.opening.lock().unwrap();
        self.follow()?;
        self.recall()?;
        let peer = pubkey(&order.peer)?;
        let connected = self.ldk.list_peers().into_iter().find(|one| one.node_id == peer && one.is_connected);
        let Some(connected) = connected else { return Err(failed("not-yet", "the peer is not connected")) };
        let intent = Intent { peer: order.peer.clone(), capacity: order.capacity, memo: order.memo.clone() };
        self.memory.intend(&intent)?;
        let config = channel_config(order.base_fee, order.fee_rate);
        let push = Some(order.push * 1_000);
        let opened = if order.private {
            self.ldk.open_channel(peer, connected.address, order.capacity, push, Some(config))
        } else {
            self.ldk.open_announced_channel(peer, connected.address, order.capacity, push, Some(config))
        };
        let id = match opened {
            Ok(id) => id,
            Err(error) => {
                self.memory.give_up(&intent)?;
                return Err(error.into());
            },
        };
        match self.outcome(id.0, AGREE_WITHIN) {
            Some(Outcome::Opened { point }) => {
                self.memory.fulfil(&intent, &id.0.to_string())?;
                let funding = output(&point)?.txid;
                let is_sent = || self.chain.is_sent(&funding).map_err(|reason| failed("refused", reason));
                if let Err(failure) = self.wait(is_sent, "the funding to be in the mempool") {
                    let _ = self.ldk.force_close_channel(&id, peer, None); // nothing will ever pay for it
                    return Err(failure);
                }
                Ok(json!({"point": point}))
            },
            Some(Outcome::Failed { reason }) => {
                self.memory.give_up(&intent)?;
                Err(failed("refused", format!("the channel was not opened: {reason}")))
            },
            _ => Err(failed("not-yet", "the peer does not answer")),
        }
    }

    fn wait(&self, mut done: impl FnMut() -> Result<bool, Failure>, what: &str) -> Result<(), Failure> {
        let until = Instant::now() + AGREE_WITHIN;
        while !done()? {
            if Instant::now() > until {
                return Err(failed("not-yet", format!("waited in vain for {what}")));
            }
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    pub fn close(&self, order: orders::Close) -> Answer {
        let channel = self.channel(&order.point)?;
        let (id, peer) = (channel.user_channel_id, channel.counterparty_node_id);
        if order.force {
            self.ldk.force_close_channel(&id, peer, None)?;
        } else {
            self.ldk.close_channel(&id, peer)?;
        }
        let funding = output(&order.point)?;
        let mut closing = String::new();
        let spent = || {
            closing = self.chain.spender(&funding)?;
            Ok(!closing.is_empty())
        };
        self.wait(spent, "the closing to be in the mempool")?;
        Ok(json!({"txid": closing}))
    }

    pub fn channels(&self) -> Answer {
        self.follow()?;
        let seen = self.ldk.list_channels();
        Ok(json!({"channels": seen.iter().filter_map(|one| self.described(one)).collect::<Vec<_>>()}))
    }

    /// Its channels that are being closed and of which something is still to come.
    pub fn endings(&self) -> Answer {
        self.follow()?;
        let open: std::collections::HashSet<_> = self.ldk.list_channels().iter().map(|one| one.channel_id).collect();
        let (balances, tip) = (self.ldk.list_balances(), self.ldk.status().current_best_block.height);
        let known = self.memory.channels();
        let closing = |point: &str| self.chain.closing(point);
        let found = endings(&balances.lightning_balances, &open, &known, tip.into(), closing)?;
        Ok(json!({"endings": found}))
    }

    fn described(&self, channel: &ChannelDetails) -> Option<Value> {
        let funding = channel.funding_txo?;
        let peer = channel.counterparty_node_id.to_string();
        let (local, remote) = split(channel);
        let id = channel.user_channel_id.0.to_string();
        let known = self.memory.channel(&id, channel.is_outbound, &peer, channel.channel_value_sats);
        let first = known.first.unwrap_or(local);
        let place = crate::memory::Place {
            point: format!("{}:{}", funding.txid, funding.vout),
            peer: peer.clone(),
            capacity: channel.channel_value_sats,
            outbound: channel.is_outbound,
            private: !channel.is_announced,
        };
        if known.place.as_ref() != Some(&place) {
            let _ = self.memory.lies(&id, place);
        }
        let pending = !channel.is_channel_ready;
        let required = channel.confirmations_required.unwrap_or(ANNOUNCE);
        let aliases: Vec<u64> = channel.inbound_scid_alias.into_iter().chain(channel.outbound_scid_alias).collect();
        Some(json!({
            "point": format!("{}:{}", funding.txid, funding.vout),
            "peer": peer,
            "capacity": channel.channel_value_sats,
            "local": local / 1_000,
            "remote": remote / 1_000,
            "local_reserve": channel.unspendable_punishment_reserve.unwrap_or(0),
            "remote_reserve": channel.counterparty_unspendable_punishment_reserve,
            "initiator": channel.is_outbound,
            "private": !channel.is_announced,
            "pending": pending,
            "confirmations_missing":
                if pending { required.saturating_sub(channel.confirmations.unwrap_or(0)) } else { 0 },
            "active": channel.is_usable,
            "scid": if pending { 0 } else { short(channel).unwrap_or(0) },
            "zero_conf": required == 0,
            "unconfirmed": channel.confirmations.unwrap_or(0) == 0,
            "type": if channel.is_outbound { "anchors" } else { "" },
            "aliases": aliases,
            "memo": known.memo,
            "sent": first.saturating_sub(local) / 1_000,
            "received": local.saturating_sub(first) / 1_000,
        }))
    }

    fn channel(&self, point: &str) -> Result<ChannelDetails, Failure> {
        let is_it = |one: &ChannelDetails| one.funding_txo.is_some_and(|at| format!("{}:{}", at.txid, at.vout) == point);
        self.ldk
            .list_channels()
            .into_iter()
            .find(is_it)
            .ok_or_else(|| failed("refused", format!("there is no channel `{point}`")))
    }

    /// Its view of the network: what is announced, and beside it what is not, from its own channels. What is announced
    /// has a digest, and is left out where whoever asks has that already: most nodes know the same.
    pub fn edges(&self, order: orders::Edges) -> Answer {
        let graph = self.ldk.network_graph();
        let mut scids = graph.list_channels();
        scids.sort_unstable();
        let points = self.chain.points(&scids)?;
        let mut announced = Vec::new();
        for scid in &scids {
            let (Some(point), Some(channel)) = (points.get(scid), graph.channel(*scid)) else { continue };
            announced.push(json!({
                "point": point,
                "ends": [channel.node_one.to_string(), channel.node_two.to_string()],
                "policies": [policy(channel.one_to_two.as_ref()), policy(channel.two_to_one.as_ref())],
            }));
        }
        let me = self.ldk.node_id().to_string();
        let mut own = Vec::new();
        for channel in self.ldk.list_channels() {
            let (Some(scid), Some(at)) = (short(&channel), channel.funding_txo) else { continue };
            if !channel.is_channel_ready || scids.binary_search(&scid).is_ok() {
                continue;
            }
            own.push(json!({
                "point": format!("{}:{}", at.txid, at.vout),
                "ends": [me, channel.counterparty_node_id.to_string()],
                "policies": [own_policy(&channel), their_policy(&channel)],
            }));
        }
        let announced = Value::from(announced);
        let digest = sha256::Hash::hash(announced.to_string().as_bytes()).to_string();
        let announced = if order.known.contains(&digest) { Value::Null } else { announced };
        Ok(json!({"digest": digest, "announced": announced, "own": own}))
    }

    /// Set the policy of its end of a channel and tell everybody, also where it is that already.
    pub fn policy(&self, order: orders::SetPolicy) -> Answer {
        let channel = self.channel(&order.point)?;
        let mut config = channel.config.clone();
        config.forwarding_fee_base_msat = order.base_fee;
        config.forwarding_fee_proportional_millionths = order.fee_rate;
        config.cltv_expiry_delta = order.time_lock_delta;
        let (id, peer) = (&channel.user_channel_id, channel.counterparty_node_id);
        if config == channel.config {
            // the library says nothing anew that is as before; but somebody may have missed it
            let mut other = config.clone();
            other.forwarding_fee_base_msat ^= 1;
            self.ldk.update_channel_config(id, peer, other)?;
        }
        self.ldk.update_channel_config(id, peer, config)?;
        Ok(json!({}))
    }

    pub fn invoice(&self, order: orders::NewInvoice) -> Answer {
        let text = Description::new(order.memo).map_err(|_| failed("refused", "the memo is too long"))?;
        let text = Bolt11InvoiceDescription::Direct(text);
        let made = match order.payment_hash {
            Some(given) => {
                self.ldk.bolt11_payment().receive_for_hash(order.amount, &text, INVOICE_EXPIRY, hash(&given)?)?
            },
            None => self.ldk.bolt11_payment().receive(order.amount, &text, INVOICE_EXPIRY)?,
        };
        Ok(json!({"request": made.to_string(), "payment_hash": made.payment_hash().to_string()}))
    }

    /// How far an invoice has come: open, accepted, settled or canceled.
    pub fn state(&self, order: orders::Hash) -> Answer {
        let id = PaymentId(hash(&order.payment_hash)?.0);
        let payment = self.ldk.payment(&id).ok_or_else(|| failed("refused", "there is no such invoice"))?;
        let state = match payment.status {
            PaymentStatus::Succeeded => "settled",
            _ if self.memory.is_canceled(&order.payment_hash) => "canceled",
            PaymentStatus::Failed => "canceled",
            PaymentStatus::Pending if self.memory.is_held(&order.payment_hash) => "accepted",
            PaymentStatus::Pending => "open",
        };
        Ok(json!({"state": state}))
    }

    pub fn settle(&self, order: orders::Preimage) -> Answer {
        let raw = hex(&order.preimage).and_then(|raw| <[u8; 32]>::try_from(raw).ok());
        let preimage = PaymentPreimage(raw.ok_or_else(|| failed("refused", "a preimage must be 32 bytes in hex"))?);
        let hash = PaymentHash::from(preimage);
        if !self.memory.is_held(&to_hex(&hash.0)) {
            return Err(failed("not-yet", "no payment is held for it"));
        }
        let amount = self.ldk.payment(&PaymentId(hash.0)).and_then(|one| one.amount_msat).unwrap_or(0);
        self.ldk.bolt11_payment().claim_for_hash(hash, amount, preimage)?;
        let settled = || Ok(self.ldk.payment(&PaymentId(hash.0)).map(|one| one.status) == Some(PaymentStatus::Succeeded));
        self.wait(settled, "the payment to be taken")?;
        Ok(json!({}))
    }

    pub fn cancel(&self, order: orders::Hash) -> Answer {
        let hash = hash(&order.payment_hash)?;
        self.memory.cancel(&order.payment_hash)?;
        self.ldk.bolt11_payment().fail_for_hash(hash)?;
        Ok(json!({}))
    }

    pub fn decode(&self, order: orders::Request) -> Answer {
        let invoice = parsed(&order.request)?;
        Ok(json!({
            "payee": invoice.recover_payee_pub_key().to_string(),
            "amount": invoice.amount_milli_satoshis().unwrap_or(0),
            "payment_hash": invoice.payment_hash().to_string(),
        }))
    }

    /// Whether a payment can be made to go over a channel: only where it is the one channel with its peer.
    pub fn steers(&self, order: orders::Scid) -> Answer {
        let ready: Vec<_> = self.ldk.list_channels().into_iter().filter(|one| one.is_channel_ready).collect();
        let peer = ready.iter().find(|one| short(one) == Some(order.scid)).map(|one| one.counterparty_node_id);
        let beside = ready.iter().filter(|one| Some(one.counterparty_node_id) == peer).count();
        Ok(json!({"steers": beside == 1, "peer": peer.map(|one| one.to_string())}))
    }

    pub fn pay(&self, order: orders::Pay) -> Answer {
        let invoice = parsed(&order.request)?;
        let mut route = RouteParametersConfig::default()
            .with_max_total_routing_fee_msat(order.fee_limit)
            .with_max_path_count(order.parts);
        if order.direct {
            route.max_total_cltv_expiry_delta = invoice.min_final_cltv_expiry_delta() as u32 + NO_OTHER_HOP;
        }
        let amount = invoice.amount_milli_satoshis().unwrap_or(0);
        let hash = invoice.payment_hash().to_string();
        let id = self.ldk.bolt11_payment().send(&invoice, Some(route)).map_err(unpaid)?;
        self.paid(&id, hash, amount, order.within)
    }

    pub fn keysend(&self, order: orders::Keysend) -> Answer {
        let route = RouteParametersConfig::default().with_max_total_routing_fee_msat(order.fee_limit);
        let payee = pubkey(&order.pubkey)?;
        let id = self.ldk.spontaneous_payment().send(order.amount, payee, Some(route)).map_err(unpaid)?;
        self.paid(&id, to_hex(&id.0), order.amount, order.within)
    }

    fn paid(&self, id: &PaymentId, hash: String, amount: u64, within: f64) -> Answer {
        match self.outcome(key(id), Duration::from_secs_f64(within.clamp(0.0, 3_600.0))) {
            Some(Outcome::Paid { fee }) => Ok(json!({"payment_hash": hash, "amount": amount, "fee": fee})),
            Some(Outcome::Failed { reason }) => Err(broken(reason)),
            _ => Err(broken("Timeout".into())),
        }
    }
}

fn broken(reason: String) -> Failure {
    Failure { code: "payment-failed", message: format!("the payment failed: {reason}"), reason }
}

fn unpaid(error: NodeError) -> Failure {
    match error {
        NodeError::PaymentSendingFailed => broken("RouteNotFound".into()),
        other => other.into(),
    }
}

fn key(id: &PaymentId) -> u128 {
    u128::from_be_bytes(id.0[..16].try_into().expect("an id has 32 bytes"))
}

fn output(point: &str) -> Result<OutPoint, Failure> {
    point.parse().map_err(|_| failed("refused", format!("`{point}` is no output")))
}

/// A word nobody knows but this process.
fn word() -> Result<String, String> {
    let mut bytes = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map(|()| to_hex(&bytes)).map_err(|error| format!("/dev/urandom: {error}"))
}

fn pubkey(text: &str) -> Result<PublicKey, Failure> {
    PublicKey::from_str(text).map_err(|_| failed("refused", format!("`{text}` is no public key")))
}

fn hash(text: &str) -> Result<PaymentHash, Failure> {
    let raw = hex(text).and_then(|raw| <[u8; 32]>::try_from(raw).ok());
    raw.map(PaymentHash).ok_or_else(|| failed("refused", "a payment hash must be 32 bytes in hex"))
}

fn parsed(request: &str) -> Result<Bolt11Invoice, Failure> {
    Bolt11Invoice::from_str(request).map_err(|error| failed("refused", format!("it is no invoice: {error}")))
}

fn mined_in(status: &ConfirmationStatus) -> Option<String> {
    match status {
        ConfirmationStatus::Confirmed { block_hash, .. } => Some(block_hash.to_string()),
        ConfirmationStatus::Unconfirmed => None,
    }
}

/// What the two ends hold, in millisatoshis. The library tells what can be sent: less by the reserve, and at the opener
/// by the anchors too. So the other end tells it better, unless that holds less than its reserve.
fn split(channel: &ChannelDetails) -> (u64, u64) {
    let all = channel.channel_value_sats * 1_000;
    let anchors = if channel.is_outbound { ANCHORS } else { 0 };
    let local = channel.outbound_capacity_msat + channel.unspendable_punishment_reserve.unwrap_or(0) * 1_000 + anchors;
    let remote = channel.inbound_capacity_msat + channel.counterparty_unspendable_punishment_reserve * 1_000;
    let by_the_other = if channel.is_outbound {
        channel.inbound_capacity_msat > 0
    } else {
        channel.outbound_capacity_msat == 0
    };
    if by_the_other {
        (all.saturating_sub(remote), remote)
    } else {
        (local, all.saturating_sub(local))
    }
}

/// The short id of a channel: the one it has on the chain, before that the one we gave it: two peers may give the same.
fn short(channel: &ChannelDetails) -> Option<u64> {
    channel.short_channel_id.or(channel.outbound_scid_alias)
}

fn channel_config(base_fee: Option<u32>, fee_rate: Option<u32>) -> ChannelConfig {
    let mut config = ChannelConfig::default();
    config.forwarding_fee_base_msat = base_fee.unwrap_or(config.forwarding_fee_base_msat);
    config.forwarding_fee_proportional_millionths = fee_rate.unwrap_or(config.forwarding_fee_proportional_millionths);
    config
}

fn policy(update: Option<&ChannelUpdateInfo>) -> Value {
    update.map_or(Value::Null, |one| {
        json!({
            "base_fee": one.fees.base_msat,
            "fee_rate": one.fees.proportional_millionths,
            "time_lock_delta": one.cltv_expiry_delta,
            "min_htlc": one.htlc_minimum_msat,
            "max_htlc": one.htlc_maximum_msat,
        })
    })
}

fn own_policy(channel: &ChannelDetails) -> Value {
    json!({
        "base_fee": channel.config.forwarding_fee_base_msat,
        "fee_rate": channel.config.forwarding_fee_proportional_millionths,
        "time_lock_delta": channel.config.cltv_expiry_delta,
        "min_htlc": channel.counterparty_outbound_htlc_minimum_msat.unwrap_or(0),
        "max_htlc": channel.counterparty_outbound_htlc_maximum_msat.unwrap_or(channel.channel_value_sats * 1_000),
    })
}

fn their_policy(channel: &ChannelDetails) -> Value {
    let told = (
        channel.counterparty_forwarding_info_fee_base_msat,
        channel.counterparty_forwarding_info_fee_proportional_millionths,
        channel.counterparty_forwarding_info_cltv_expiry_delta,
    );
    let (Some(base), Some(rate), Some(delta)) = told else { return Value::Null };
    json!({
        "base_fee": base,
        "fee_rate": rate,
        "time_lock_delta": delta,
        "min_htlc": channel.inbound_htlc_minimum_msat,
        "max_htlc": channel.inbound_htlc_maximum_msat.unwrap_or(channel.channel_value_sats * 1_000),
    })
}
