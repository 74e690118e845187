//! What the node's library does not tell of the chain, asked of bitcoind itself.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use jsonrpc::simple_http::SimpleHttpTransport;
use jsonrpc::Client;
use ldk_node::bitcoin::ScriptBuf;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::value::to_raw_value;
use serde_json::{json, Value};

use crate::config::Bitcoind;
use crate::keys::Addresses;

/// How far beyond the last used address of a chain others are looked for.
const GAP: u32 = 40;

/// An output of the wallet.
#[derive(Clone)]
struct Own {
    index: u32,
    satoshis: u64,
}

#[derive(Default)]
struct Known {
    /// Our outputs by the transaction they are of.
    outputs: HashMap<String, Vec<Own>>,
    /// Our scripts, and how many of each chain there are.
    scripts: HashMap<ScriptBuf, (usize, u32)>,
    made: [u32; 2],
    /// The blocks that were read, by height.
    blocks: BTreeMap<u64, Block>,
}

#[derive(Deserialize)]
struct Transaction {
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

/// A block as far as it concerns channels: its transactions, and what they spend (txid:index).
struct Block {
    hash: String,
    txids: Vec<String>,
    spent: HashSet<String>,
}

#[derive(Deserialize)]
struct FullBlock {
    tx: Vec<FullTransaction>,
}

#[derive(Deserialize)]
struct FullTransaction {
    txid: String,
    vin: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    txid: String,
    #[serde(default)]
    vout: u32,
}

/// bitcoind, with what was learnt of it.
pub struct Chain {
    client: Client,
    addresses: Addresses,
    known: Mutex<Known>,
}

impl Chain {
    /// Reach the bitcoind of a node with these addresses, so many of them known ahead; nothing is asked yet.
    pub fn new(bitcoind: &Bitcoind, addresses: Addresses, ahead: u32) -> Result<Self, String> {
        let transport = SimpleHttpTransport::builder()
            .url(&bitcoind.address)
            .map_err(|error| format!("bitcoind.address: {error}"))?
            .auth(&bitcoind.user, Some(&bitcoind.password))
            .timeout(Duration::from_secs(30))
            .build();
        let chain = Self { client: Client::with_transport(transport), addresses, known: Mutex::default() };
        chain.extend(&mut chain.known.lock().unwrap(), 0, ahead + GAP);
        chain.extend(&mut chain.known.lock().unwrap(), 1, GAP);
        Ok(chain)
    }

    fn ask<T: DeserializeOwned>(&self, method: &str, parameters: Value) -> Result<T, String> {
        let raw = to_raw_value(&parameters).expect("it is plain data");
        self.client.call(method, Some(&raw)).map_err(|error| format!("bitcoind: {method}: {error}"))
    }

    /// The hash of the newest block.
    pub fn tip(&self) -> Result<String, String> {
        self.ask("getbestblockhash", json!([]))
    }

    /// Whether a transaction waits to be mined.
    pub fn is_waiting(&self, txid: &str) -> bool {
        self.ask::<Value>("getmempoolentry", json!([txid])).is_ok()
    }

    /// The txid of the waiting transaction that spends an output, "" where none does.
    pub fn spender(&self, txid: &str, index: u32) -> Result<String, String> {
        let found: Vec<Value> = self.ask("gettxspendingprevout", json!([[{"txid": txid, "vout": index}]]))?;
        Ok(found.first().and_then(|one| one["spendingtxid"].as_str()).unwrap_or_default().into())
    }

    /// Whether a waiting transaction is a commitment, which closes a channel by force: its lock time says so (BOLT 3).
    fn is_commitment(&self, txid: &str) -> Result<bool, String> {
        let found: Value = self.ask("getrawtransaction", json!([txid, true]))?;
        Ok(found["locktime"].as_u64().unwrap_or(0) >> 24 == 0x20)
    }

    /// The txid of the waiting transaction that closes a channel, and whether by force; "" where none waits.
    pub fn closing(&self, point: &str) -> Result<(String, bool), String> {
        let (txid, index) = point.split_once(':').unwrap_or((point, "0"));
        let closing = self.spender(txid, index.parse().unwrap_or(0))?;
        let forced = !closing.is_empty() && self.is_commitment(&closing)?;
        Ok((closing, forced))
    }

    /// The unspent outputs of the wallet among those of transactions (txid, hash of the block or None).
    pub fn coins(&self, transactions: &[(String, Option<String>)]) -> Result<Vec<Value>, String> {
        let mut coins = Vec::new();
        for (txid, block) in transactions {
            for own in self.outputs(txid, block.as_deref())? {
                let found: Option<Unspent> = self.ask("gettxout", json!([txid, own.index, true]))?;
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

    fn outputs(&self, txid: &str, block: Option<&str>) -> Result<Vec<Own>, String> {
        if let Some(known) = self.known.lock().unwrap().outputs.get(txid) {
            return Ok(known.clone());
        }
        let parameters = match block {
            Some(hash) => json!([txid, true, hash]),
            None => json!([txid, true]),
        };
        let transaction: Transaction = self.ask("getrawtransaction", parameters)?;
        let mut known = self.known.lock().unwrap();
        let mut own = Vec::new();
        for output in &transaction.vout {
            let script = ScriptBuf::from_hex(&output.script.hex).map_err(|error| error.to_string())?;
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
    pub fn points(&self, scids: &HashSet<u64>) -> Result<HashMap<u64, String>, String> {
        let Some(first) = scids.iter().map(|scid| scid >> 40).min() else { return Ok(HashMap::new()) };
        let mut known = self.known.lock().unwrap();
        self.read_from(&mut known.blocks, first)?;
        let mut points = HashMap::new();
        for scid in scids {
            let (height, place, index) = (scid >> 40, (scid >> 16) & 0xff_ffff, scid & 0xffff);
            let txid = known.blocks.get(&height).and_then(|block| block.txids.get(place as usize));
            let Some(point) = txid.map(|txid| format!("{txid}:{index}")) else { continue };
            if !known.blocks.values().any(|block| block.spent.contains(&point)) {
                points.insert(*scid, point);
            }
        }
        Ok(points)
    }

    /// Read the blocks from a height to the tip that are not known, and again those that are not what they were.
    fn read_from(&self, blocks: &mut BTreeMap<u64, Block>, first: u64) -> Result<(), String> {
        let tip: u64 = self.ask("getblockcount", json!([]))?;
        blocks.retain(|height, _| *height <= tip);
        for height in (first..=tip).rev() {
            let hash: String = self.ask("getblockhash", json!([height]))?;
            if blocks.get(&height).is_some_and(|block| block.hash == hash) {
                if blocks.range(first..height).count() as u64 == height - first {
                    break; // below it nothing has changed
                }
                continue;
            }
            let block: FullBlock = self.ask("getblock", json!([hash, 2]))?;
            let spent = block.tx.iter().flat_map(|one| &one.vin).map(|input| format!("{}:{}", input.txid, input.vout));
            let spent = spent.collect();
            blocks.insert(height, Block { hash, txids: block.tx.into_iter().map(|one| one.txid).collect(), spent });
        }
        Ok(())
    }
}
