//! The newest blocks of the chain, each read once: what their transactions are called and what they spend.
//!
//! Contiguous up to the tip; what a reorganisation takes away is forgotten, what it brings is read. Of the newest blocks
//! the bytes are kept as well, for whoever asks for the same ones.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use ldk_node::bitcoin::consensus::encode::deserialize_hex;
use ldk_node::bitcoin::{Block as WholeBlock, BlockHash, OutPoint, Txid};
use serde::Deserialize;
use serde_json::json;

use crate::bitcoind::{Bitcoind, Trouble};

/// The bytes that are kept: of so many blocks, and so many characters of hex in all.
const KEPT: usize = 8;
const LARGEST: usize = 8 << 20;

#[derive(Deserialize)]
struct Tip {
    #[serde(rename = "bestblockhash")]
    hash: String,
    blocks: u32,
}

/// What is known of a block: its transactions, each with how many outputs it has, and what they spend.
struct Block {
    hash: BlockHash,
    previous: BlockHash,
    transactions: Vec<(Txid, u32)>,
    spent: HashSet<OutPoint>,
}

/// The blocks that were read, by height.
#[derive(Default)]
pub struct Blocks {
    known: BTreeMap<u32, Block>,
    bytes: VecDeque<(BlockHash, Arc<str>)>,
    /// When the question was begun whose answer `known` ends with.
    asked: Option<Instant>,
}

impl Blocks {
    /// Come to the tip, where it was last asked for before `since`, and return it.
    pub fn follow(&mut self, bitcoind: &Bitcoind, since: Instant) -> Result<(BlockHash, u32), Trouble> {
        if let (Some((height, block)), Some(asked)) = (self.known.last_key_value(), self.asked) {
            if asked >= since {
                return Ok((block.hash, *height));
            }
        }
        let now = Instant::now();
        let tip: Tip = bitcoind.ask("getblockchaininfo", &json!([]))?;
        let mut fresh = BTreeMap::new();
        let (mut hash, mut height) = (parsed(&tip.hash)?, tip.blocks);
        let lowest = self.known.keys().next().copied().unwrap_or(tip.blocks);
        while self.known.get(&height).map(|block| block.hash) != Some(hash) {
            let block = self.read(bitcoind, hash)?;
            hash = block.previous;
            fresh.insert(height, block);
            if height <= lowest {
                self.known.clear(); // even the lowest has been replaced
                break;
            }
            height -= 1;
        }
        self.known.retain(|known, _| *known <= height);
        self.known.append(&mut fresh);
        self.asked = Some(now);
        Ok((parsed(&tip.hash)?, tip.blocks))
    }

    /// Read what is between a height and the lowest block that is known.
    pub fn reach(&mut self, bitcoind: &Bitcoind, lowest: u32) -> Result<(), Trouble> {
        while let Some((&height, block)) = self.known.first_key_value() {
            if height <= lowest {
                break;
            }
            let block = self.read(bitcoind, block.previous)?;
            self.known.insert(height - 1, block);
        }
        Ok(())
    }

    /// The bytes of a block in hex.
    pub fn bytes(&mut self, bitcoind: &Bitcoind, hash: BlockHash) -> Result<Arc<str>, Trouble> {
        if let Some((_, bytes)) = self.bytes.iter().find(|(known, _)| *known == hash) {
            return Ok(Arc::clone(bytes));
        }
        let bytes: Arc<str> = bitcoind.ask::<String>("getblock", &json!([hash.to_string(), 0]))?.into();
        self.bytes.push_back((hash, Arc::clone(&bytes)));
        while self.bytes.len() > KEPT || self.bytes.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > LARGEST {
            self.bytes.pop_front();
        }
        Ok(bytes)
    }

    /// The height of the newest block that was read.
    pub fn height(&self) -> Option<u32> {
        self.known.last_key_value().map(|(height, _)| *height)
    }

    /// The hash of the newest block that was read.
    pub fn tip(&self) -> Option<BlockHash> {
        self.known.last_key_value().map(|(_, block)| block.hash)
    }

    /// The hash of the block at a height, where it is known.
    pub fn hash(&self, height: u32) -> Option<BlockHash> {
        self.known.get(&height).map(|block| block.hash)
    }

    /// The transaction at a place of a block, where it is known.
    pub fn transaction(&self, height: u32, place: usize) -> Option<Txid> {
        self.known.get(&height)?.transactions.get(place).map(|(txid, _)| *txid)
    }

    /// The height of the block a transaction is in and how many outputs it has, where it is known.
    pub fn find(&self, txid: &Txid) -> Option<(u32, u32)> {
        let places = self.known.iter().rev();
        places
            .flat_map(|(height, block)| block.transactions.iter().map(move |one| (*height, one)))
            .find_map(|(height, (known, outputs))| (known == txid).then_some((height, *outputs)))
    }

    /// Whether a block from a height on spends an output.
    pub fn spends(&self, output: &OutPoint, from: u32) -> bool {
        self.known.range(from..).any(|(_, block)| block.spent.contains(output))
    }

    fn read(&mut self, bitcoind: &Bitcoind, hash: BlockHash) -> Result<Block, Trouble> {
        let whole: WholeBlock = deserialize_hex(&self.bytes(bitcoind, hash)?)
            .map_err(|error| Trouble::Silent(format!("bitcoind: getblock: {error}")))?;
        let outputs = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Block {
            hash,
            previous: whole.header.prev_blockhash,
            transactions: whole.txdata.iter().map(|one| (one.compute_txid(), outputs(one.output.len()))).collect(),
            spent: whole.txdata.iter().flat_map(|one| &one.input).map(|input| input.previous_output).collect(),
        })
    }
}

/// A hash as bitcoind writes it.
pub fn parsed(hash: &str) -> Result<BlockHash, Trouble> {
    BlockHash::from_str(hash).map_err(|error| Trouble::Silent(format!("bitcoind: `{hash}`: {error}")))
}
