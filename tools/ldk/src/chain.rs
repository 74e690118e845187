//! The chain as the node sees it: bitcoind, with what was learnt of it, and the transactions the node itself sent.
//!
//! One lock, one connection: whoever waits for it meanwhile gets an answer that is no older than his question, and is
//! often spared one of his own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ldk_node::bitcoin::consensus::encode::deserialize_hex;
use ldk_node::bitcoin::{BlockHash, OutPoint, ScriptBuf, Transaction, Txid};
use serde::Deserialize;
use serde_json::{json, Value};

use crate::bitcoind::{Bitcoind, Trouble};
use crate::blocks::Blocks;
use crate::keys::Addresses;
use crate::memory::{Memory, Sent};

/// How far beyond the last used address of a chain others are looked for.
const GAP: u32 = 40;
/// Blocks after which nobody undoes what a transaction did, so that it need not be remembered.
const BURIED: u32 = 100;
/// Blocks after which the library's wallet has surely seen them.
const SETTLED: u32 = 6;
/// How long what was said of fees holds, whatever blocks come.
const FEES_FOR: Duration = Duration::from_secs(10);
/// The question for a fee.
const ESTIMATE: &str = "estimatesmartfee";
/// What bitcoind says of a transaction it does not know.
const NOT_FOUND: i64 = -5;

/// An output of the wallet.
#[derive(Clone)]
struct Own {
    index: u32,
    satoshis: u64,
}

#[derive(Deserialize)]
struct FullTransaction {
    vout: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    value: f64,
    n: u32,
    #[serde(rename = "scriptPubKey")]
    script: Script,
}

#[derive(Deserialize)]
struct Script {
    hex: String,
}

#[derive(Deserialize)]
struct Unspent {
    confirmations: u32,
}

/// A transaction of the node's that waits to be mined.
struct Waiting {
    bytes: String,
    height: u32,
    /// Seconds since 1970; never twice the same, because the library overlooks what is not newer than what it has seen.
    time: u64,
    /// The library has its bytes.
    is_known: bool,
}

/// Something that was said of fees.
struct Fee {
    tip: Option<BlockHash>,
    asked: Instant,
    said: Value,
}

impl Fee {
    fn holds(&self, tip: Option<BlockHash>) -> bool {
        self.tip == tip || self.asked.elapsed() < FEES_FOR
    }
}

#[derive(Default)]
struct Known {
    /// Our outputs by the transaction they are of.
    outputs: HashMap<String, Vec<Own>>,
    /// Our scripts, and how many of each chain there are.
    scripts: HashMap<ScriptBuf, (usize, u32)>,
    made: [u32; 2],
    blocks: Blocks,
    ends_with: Option<(BlockHash, u32)>,
    /// By the question.
    fees: HashMap<String, Fee>,
    waiting: HashMap<Txid, Waiting>,
    /// Why transactions of ours were refused.
    refused: HashMap<Txid, String>,
    last_time: u64,
}

/// bitcoind, with what was learnt of it.
pub struct Chain {
    bitcoind: Bitcoind,
    keeper: Option<Bitcoind>,
    addresses: Addresses,
    memory: Arc<Memory>,
    known: Mutex<Known>,
}

impl Chain {
    /// The chain of a node with these addresses, so many of them known ahead; nothing is asked yet. A keeper says what
    /// fees are in bitcoind's stead.
    pub fn new(
        bitcoind: Bitcoind,
        keeper: Option<Bitcoind>,
        addresses: Addresses,
        ahead: u32,
        memory: Arc<Memory>,
    ) -> Self {
        let chain = Self { bitcoind, keeper, addresses, memory, known: Mutex::default() };
        chain.extend(&mut chain.known(), 0, ahead + GAP);
        chain.extend(&mut chain.known(), 1, GAP);
        chain
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// The hash and the height of the newest block at some time after `since`.
    pub fn tip(&self, since: Instant) -> Result<(BlockHash, u32), Trouble> {
        let mut known = self.known();
        match known.ends_with {
            Some(block) => Ok(block),
            None => known.blocks.follow(&self.bitcoind, since),
        }
    }

    /// Take this block for the newest one from now on.
    pub fn end_with(&self, hash: BlockHash, height: u32) {
        self.known().ends_with = Some((hash, height));
    }

    /// Pass a call on as it is.
    pub fn ask(&self, method: &str, parameters: &Value) -> Result<Value, Trouble> {
        self.bitcoind.ask(method, parameters)
    }

    /// What fees are as the keeper says, whose answer counts at once; bitcoind's where there is none.
    pub fn fee(&self, parameters: &Value) -> Result<Value, Trouble> {
        match &self.keeper {
            Some(keeper) => keeper.ask(ESTIMATE, parameters),
            None => self.slowly(ESTIMATE, parameters),
        }
    }

    /// Pass a question for fees on, where there is a new block and the last answer is not of just now: the library asks
    /// for each of its targets at each block, and bitcoind answers slowly.
    pub fn slowly(&self, method: &str, parameters: &Value) -> Result<Value, Trouble> {
        let mut known = self.known();
        let (question, tip) = (format!("{method} {parameters}"), known.blocks.tip());
        if let Some(fee) = known.fees.get(&question).filter(|fee| fee.holds(tip)) {
            return Ok(fee.said.clone());
        }
        let asked = Instant::now();
        let said: Value = self.bitcoind.ask(method, parameters)?;
        known.fees.insert(question, Fee { tip, asked, said: said.clone() });
        Ok(said)
    }

    /// The bytes of a block in hex.
    pub fn block(&self, hash: BlockHash) -> Result<Arc<str>, Trouble> {
        self.known().blocks.bytes(&self.bitcoind, hash)
    }

    /// The hash of the block at a height, at some time after `since`; None where there is none.
    pub fn hash(&self, height: u32, since: Instant) -> Result<Option<BlockHash>, Trouble> {
        let mut known = self.known();
        known.blocks.follow(&self.bitcoind, since)?;
        known.blocks.reach(&self.bitcoind, height)?;
        Ok(known.blocks.hash(height))
    }

    /// How many blocks have confirmed an output that none of them spends; 0 where one does. Up to the newest block that
    /// was read: whoever asks has just read of the output, and asks for hundreds. None: it is in no block that was read.
    pub fn confirmations(&self, output: &OutPoint) -> Option<u32> {
        let known = self.known();
        let (height, outputs) = known.blocks.find(&output.txid)?;
        let is_there = output.vout < outputs && !known.blocks.spends(output, height);
        Some(if is_there { known.blocks.height()? - height + 1 } else { 0 })
    }

    /// Send a transaction of the node's, and remember it until it is buried.
    pub fn send(&self, bytes: &str) -> Result<Txid, Trouble> {
        let transaction: Transaction =
            deserialize_hex(bytes).map_err(|error| Trouble::Refused(-22, format!("TX decode failed: {error}")))?;
        let txid = transaction.compute_txid();
        let mut known = self.known();
        let height = known.blocks.height().unwrap_or(0);
        self.memory.send(txid, Sent { bytes: bytes.into(), height }).map_err(Trouble::Silent)?;
        match self.bitcoind.ask::<Value>("sendrawtransaction", &json!([bytes])) {
            Ok(_) => {
                known.wait(txid, bytes, height);
                known.refused.remove(&txid);
                Ok(txid)
            },
            Err(Trouble::Refused(number, reason)) => {
                self.memory.forget(&[txid]).map_err(Trouble::Silent)?;
                known.refused.insert(txid, reason.clone());
                Err(Trouble::Refused(number, reason))
            },
            Err(silent) => Err(silent),
        }
    }

    /// Send again what was sent before the last end of the node: it may have been killed just before. What bitcoind
    /// does not want any more is forgotten, unless it is in the chain.
    pub fn send_again(&self) {
        for sent in self.memory.sent().into_values() {
            let _ = self.send(&sent.bytes);
        }
    }

    /// Whether a transaction was sent; why it was refused, where it was.
    pub fn is_sent(&self, txid: &Txid) -> Result<bool, String> {
        let known = self.known();
        match known.refused.get(txid) {
            Some(reason) => Err(reason.clone()),
            None => Ok(known.waiting.contains_key(txid) || known.blocks.find(txid).is_some()),
        }
    }

    /// Whether the library has been told of everything that waits.
    pub fn is_told(&self) -> bool {
        self.known().waiting.values().all(|one| one.is_known)
    }

    /// What the node has sent and the library's wallet may not have seen in a block yet: what waits now, and what the
    /// newest blocks took.
    pub fn unsettled(&self) -> Result<Vec<Txid>, Trouble> {
        let mut known = self.known();
        let mut sent = self.memory.sent();
        self.tidy(&known, &sent)?;
        sent.retain(|txid, _| known.confirmed(txid).is_none_or(|blocks| blocks <= SETTLED));
        let unmined: Vec<Txid> = sent.keys().filter(|txid| known.confirmed(txid).is_none()).copied().collect();
        let each: Vec<Value> = unmined.iter().map(|txid| json!(txid)).collect();
        let found = self.bitcoind.have_results("getmempoolentry", &each)?;
        if found.contains(&false) {
            known.blocks.follow(&self.bitcoind, Instant::now())?; // it may have been mined just now
            for (txid, _) in unmined.iter().zip(found).filter(|one| !one.1) {
                if known.confirmed(txid).is_none() {
                    sent.remove(txid); // others spent what it spends
                }
            }
        }
        known.waiting.retain(|txid, _| sent.contains_key(txid));
        for (txid, one) in &sent {
            known.wait(*txid, &one.bytes, one.height); // where it is not: a reorganisation brought it back
        }
        Ok(sent.into_keys().collect())
    }

    /// Forget the transactions nothing undoes any more.
    fn tidy(&self, known: &Known, sent: &BTreeMap<Txid, Sent>) -> Result<(), Trouble> {
        let Some(tip) = known.blocks.height() else { return Ok(()) };
        let is_old = |txid: &Txid, one: &Sent| match known.blocks.find(txid) {
            Some((height, _)) => height + BURIED <= tip,
            None => one.height + BURIED <= tip && !known.waiting.contains_key(txid),
        };
        let old: Vec<Txid> = sent.iter().filter(|(txid, one)| is_old(txid, one)).map(|(txid, _)| *txid).collect();
        if old.is_empty() {
            return Ok(());
        }
        self.memory.forget(&old).map_err(Trouble::Silent)
    }

    /// Since when a transaction of the node's waits, and the height of the tip then.
    pub fn entry(&self, txid: &Txid) -> Option<(u64, u32)> {
        self.known().waiting.get(txid).map(|one| (one.time, one.height))
    }

    /// The bytes of a transaction of the node's that waits; whoever asks is told.
    pub fn bytes(&self, txid: &Txid) -> Option<String> {
        let mut known = self.known();
        let one = known.waiting.get_mut(txid)?;
        one.is_known = true;
        Some(one.bytes.clone())
    }

    /// The txid of the waiting transaction that spends an output, "" where none does.
    pub fn spender(&self, output: &OutPoint) -> Result<String, Trouble> {
        let asked = json!([[{"txid": output.txid, "vout": output.vout}]]);
        let found: Vec<Value> = self.bitcoind.ask("gettxspendingprevout", &asked)?;
        Ok(found.first().and_then(|one| one["spendingtxid"].as_str()).unwrap_or_default().into())
    }

    /// Whether a waiting transaction is a commitment, which closes a channel by force: its lock time says so (BOLT 3).
    fn is_commitment(&self, txid: &str) -> Result<bool, Trouble> {
        let found = self.ask("getrawtransaction", &json!([txid, true]))?;
        Ok(found["locktime"].as_u64().unwrap_or(0) >> 24 == 0x20)
    }

    /// The txid of the waiting transaction that closes a channel, and whether by force; "" where none waits.
    pub fn closing(&self, point: &str) -> Result<(String, bool), Trouble> {
        let Ok(output) = point.parse() else { return Ok((String::new(), false)) };
        let closing = self.spender(&output)?;
        let forced = !closing.is_empty() && self.is_commitment(&closing)?;
        Ok((closing, forced))
    }

    /// The unspent outputs of the wallet among those of transactions (txid, hash of the block or None).
    pub fn coins(&self, transactions: &[(String, Option<String>)]) -> Result<Vec<Value>, Trouble> {
        let mut coins = Vec::new();
        for (txid, block) in transactions {
            for own in self.outputs(txid, block.as_deref())? {
                let found: Option<Unspent> = self.bitcoind.ask("gettxout", &json!([txid, own.index, true]))?;
                if let Some(unspent) = found {
                    coins.push(json!({
                        "outpoint": format!("{txid}:{}", own.index),
                        "amount": own.satoshis,
                        "confirmations": unspent.confirmations,
                    }));
                }
            }
        }
        Ok(coins)
    }

    fn outputs(&self, txid: &str, block: Option<&str>) -> Result<Vec<Own>, Trouble> {
        if let Some(known) = self.known().outputs.get(txid) {
            return Ok(known.clone());
        }
        let parameters = match block {
            Some(hash) => json!([txid, true, hash]),
            None => json!([txid, true]),
        };
        let transaction: FullTransaction = match self.bitcoind.ask("getrawtransaction", &parameters) {
            Err(Trouble::Refused(NOT_FOUND, _)) => return Ok(Vec::new()), // it has left the mempool, or moved
            found => found?,
        };
        let mut known = self.known();
        let mut own = Vec::new();
        for output in &transaction.vout {
            let script = ScriptBuf::from_hex(&output.script.hex).map_err(|error| Trouble::Silent(error.to_string()))?;
            if self.is_ours(&mut known, &script) {
                own.push(Own { index: output.n, satoshis: (output.value * 1e8).round() as u64 });
            }
        }
        known.outputs.insert(txid.into(), own.clone());
        Ok(own)
    }

    fn is_ours(&self, known: &mut Known, script: &ScriptBuf) -> bool {
        let Some((chain, index)) = known.scripts.get(script).copied() else { return false };
        self.extend(known, chain, index + 1 + GAP);
        true
    }

    fn extend(&self, known: &mut Known, chain: usize, least: u32) {
        while known.made[chain] < least {
            let index = known.made[chain];
            known.scripts.insert(self.addresses.at(chain, index).script_pubkey(), (chain, index));
            known.made[chain] += 1;
        }
    }

    /// The funding outputs (txid:index) of short channel ids, without those that are spent: the library's graph keeps
    /// a closed channel for two weeks.
    pub fn points(&self, scids: &[u64]) -> Result<HashMap<u64, String>, Trouble> {
        let height = |scid: &u64| u32::try_from(scid >> 40).expect("a height has 24 bits");
        let Some(first) = scids.iter().map(height).min() else { return Ok(HashMap::new()) };
        let mut known = self.known();
        known.blocks.follow(&self.bitcoind, Instant::now())?;
        known.blocks.reach(&self.bitcoind, first)?;
        let mut points = HashMap::new();
        for scid in scids {
            let (place, vout) = ((scid >> 16) & 0xff_ffff, (scid & 0xffff) as u32);
            let Some(txid) = known.blocks.transaction(height(scid), place as usize) else { continue };
            if !known.blocks.spends(&OutPoint { txid, vout }, height(scid)) {
                points.insert(*scid, format!("{txid}:{vout}"));
            }
        }
        Ok(points)
    }
}

impl Known {
    fn confirmed(&self, txid: &Txid) -> Option<u32> {
        let (height, _) = self.blocks.find(txid)?;
        Some(self.blocks.height()? - height + 1)
    }

    fn wait(&mut self, txid: Txid, bytes: &str, height: u32) {
        if self.waiting.contains_key(&txid) {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.last_time = now.max(self.last_time + 1);
        let one = Waiting { bytes: bytes.into(), height, time: self.last_time, is_known: false };
        self.waiting.insert(txid, one);
    }
}
