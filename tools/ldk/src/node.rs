//! The node itself: started, listened to, and what it says of itself and its peers. Answers are JSON; amounts of channels
//! and coins are satoshis, those of payments and policies millisatoshis.

mod channels;
mod payments;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ldk_node::bitcoin::secp256k1::PublicKey;
use ldk_node::lightning::ln::channelmanager::PaymentId;
use ldk_node::lightning::ln::msgs::SocketAddress;
use ldk_node::payment::{ConfirmationStatus, PaymentKind};
use ldk_node::{Event, Node as LdkNode, NodeError};
use serde_json::{json, Value};

use crate::bitcoind::Trouble;
use crate::chain::Chain;
use crate::config::{self, Config, Keys};
use crate::keys::{expand, to_hex};
use crate::memory::Memory;
use crate::orders;
use crate::setup::{builder, source, word};
use channels::split;

/// Seconds a peer may take to agree to a channel, or to its end.
const AGREE_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

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
}

fn key(id: &PaymentId) -> u128 {
    u128::from_be_bytes(id.0[..16].try_into().expect("an id has 32 bytes"))
}

fn pubkey(text: &str) -> Result<PublicKey, Failure> {
    PublicKey::from_str(text).map_err(|_| failed("refused", format!("`{text}` is no public key")))
}

fn mined_in(status: &ConfirmationStatus) -> Option<String> {
    match status {
        ConfirmationStatus::Confirmed { block_hash, .. } => Some(block_hash.to_string()),
        ConfirmationStatus::Unconfirmed => None,
    }
}
