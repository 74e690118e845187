//! What the daemon remembers beside the node's own store: names of channels, their first split, payments it holds,
//! transactions it sent.
//!
//! One small JSON file, replaced as a whole. What a channel shall be called is noted before it is opened, so that a
//! kill in between leaves no channel without its name; a transaction is noted before it is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ldk_node::bitcoin::Txid;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Content {
    channels: BTreeMap<String, Remembered>,
    intents: Vec<Intent>,
    held: BTreeSet<String>,
    canceled: BTreeSet<String>,
    sent: BTreeMap<Txid, Sent>,
}

/// A transaction of the node that some block may still have to take.
#[derive(Clone, Serialize, Deserialize)]
pub struct Sent {
    /// Its bytes in hex.
    pub bytes: String,
    /// The height of the tip when it was sent.
    pub height: u32,
}

/// What is remembered of a channel.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Remembered {
    /// What it is called.
    pub memo: String,
    /// Millisatoshis this end had at first; None until it is known.
    pub first: Option<u64>,
    /// Where it is; None until it is known.
    #[serde(default)]
    pub place: Option<Place>,
}

/// Where a channel is and whose.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub point: String,
    pub peer: String,
    pub capacity: u64,
    pub outbound: bool,
    pub private: bool,
}

/// A channel that is about to be opened.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub peer: String,
    pub capacity: u64,
    pub memo: String,
}

/// The file and what is in it.
pub struct Memory {
    path: PathBuf,
    content: Mutex<Content>,
}

impl Memory {
    /// Read what an earlier run left.
    pub fn open(data: &Path) -> Self {
        let path = data.join("memory.json");
        let content = fs::read(&path).ok().and_then(|raw| serde_json::from_slice(&raw).ok()).unwrap_or_default();
        Self { path, content: Mutex::new(content) }
    }

    /// Note what is about to be opened.
    pub fn intend(&self, intent: &Intent) -> Result<(), String> {
        self.change(|content| content.intents.push(intent.clone()))
    }

    /// The opening failed: forget it.
    pub fn give_up(&self, intent: &Intent) -> Result<(), String> {
        self.change(|content| content.intents.retain(|one| one != intent))
    }

    /// The channel is there: give it the name that was meant for it.
    pub fn fulfil(&self, intent: &Intent, channel: &str) -> Result<(), String> {
        self.change(|content| {
            content.intents.retain(|one| one != intent);
            content.channels.entry(channel.into()).or_default().memo = intent.memo.clone();
        })
    }

    /// Return what is known of a channel of ours, where an earlier run was killed before it could note it.
    pub fn channel(&self, channel: &str, outbound: bool, peer: &str, capacity: u64) -> Remembered {
        let lost = {
            let content = self.content.lock().unwrap();
            match content.channels.get(channel) {
                Some(known) if !known.memo.is_empty() || !outbound => return known.clone(),
                _ if !outbound => return Remembered::default(),
                known => {
                    let meant = |one: &&Intent| one.peer == peer && one.capacity == capacity;
                    match content.intents.iter().find(meant) {
                        Some(intent) => intent.clone(),
                        None => return known.cloned().unwrap_or_default(),
                    }
                },
            }
        };
        let _ = self.fulfil(&lost, channel);
        self.content.lock().unwrap().channels.get(channel).cloned().unwrap_or_default()
    }

    /// Note the split a channel began with.
    pub fn began(&self, channel: &str, first: u64) -> Result<(), String> {
        self.change(|content| {
            content.channels.entry(channel.into()).or_default().first.get_or_insert(first);
        })
    }

    /// Note where a channel is.
    pub fn lies(&self, channel: &str, place: Place) -> Result<(), String> {
        self.change(|content| content.channels.entry(channel.into()).or_default().place = Some(place))
    }

    /// Return what is known of all channels there ever were.
    pub fn channels(&self) -> Vec<Remembered> {
        self.content.lock().unwrap().channels.values().cloned().collect()
    }

    /// Note that the payment of a hold invoice has come, or that it is held no more.
    pub fn holds(&self, hash: &str, held: bool) -> Result<(), String> {
        self.change(|content| {
            if held {
                content.held.insert(hash.into());
            } else {
                content.held.remove(hash);
            }
        })
    }

    /// Note that nobody can pay a hold invoice from now on.
    pub fn cancel(&self, hash: &str) -> Result<(), String> {
        self.change(|content| {
            content.held.remove(hash);
            content.canceled.insert(hash.into());
        })
    }

    /// Whether the payment of a hold invoice is here and waits.
    pub fn is_held(&self, hash: &str) -> bool {
        self.content.lock().unwrap().held.contains(hash)
    }

    /// Whether nobody can pay it any more.
    pub fn is_canceled(&self, hash: &str) -> bool {
        self.content.lock().unwrap().canceled.contains(hash)
    }

    /// Note a transaction that is about to be sent.
    pub fn send(&self, txid: Txid, sent: Sent) -> Result<(), String> {
        self.change(|content| {
            content.sent.entry(txid).or_insert(sent);
        })
    }

    /// Forget transactions: they were refused, or have been in the chain for long.
    pub fn forget(&self, txids: &[Txid]) -> Result<(), String> {
        self.change(|content| content.sent.retain(|txid, _| !txids.contains(txid)))
    }

    /// The transactions that are noted.
    pub fn sent(&self) -> BTreeMap<Txid, Sent> {
        self.content.lock().unwrap().sent.clone()
    }

    fn change(&self, how: impl FnOnce(&mut Content)) -> Result<(), String> {
        let mut content = self.content.lock().unwrap();
        how(&mut content);
        let raw = serde_json::to_vec_pretty(&*content).expect("it is plain data");
        let fresh = self.path.with_extension("new");
        fs::write(&fresh, raw).and_then(|()| fs::rename(&fresh, &self.path)).map_err(|error| error.to_string())
    }
}
