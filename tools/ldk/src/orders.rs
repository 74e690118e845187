//! What commands say, as JSON.

use std::collections::BTreeSet;

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Connect {
    pub pubkey: String,
    pub address: String,
}

#[derive(Deserialize)]
pub struct Peer {
    pub pubkey: String,
}

#[derive(Deserialize)]
pub struct Trust {
    /// Public keys.
    pub peers: BTreeSet<String>,
}

#[derive(Deserialize)]
pub struct Relearn {
    pub session: String,
}

#[derive(Deserialize)]
pub struct Open {
    pub peer: String,
    pub capacity: u64,
    pub push: u64,
    pub memo: String,
    pub private: bool,
    pub base_fee: Option<u32>,
    pub fee_rate: Option<u32>,
}

#[derive(Deserialize)]
pub struct Close {
    pub point: String,
    pub force: bool,
}

#[derive(Deserialize)]
pub struct Edges {
    /// Digests of what whoever asks has already.
    pub known: BTreeSet<String>,
}

#[derive(Deserialize)]
pub struct SetPolicy {
    pub point: String,
    pub base_fee: u32,
    pub fee_rate: u32,
    pub time_lock_delta: u16,
}

#[derive(Deserialize)]
pub struct NewInvoice {
    pub amount: u64,
    pub memo: String,
    /// Of a hold invoice.
    pub payment_hash: Option<String>,
}

#[derive(Deserialize)]
pub struct Hash {
    pub payment_hash: String,
}

#[derive(Deserialize)]
pub struct Preimage {
    pub preimage: String,
}

#[derive(Deserialize)]
pub struct Request {
    pub request: String,
}

#[derive(Deserialize)]
pub struct Scid {
    pub scid: u64,
}

#[derive(Deserialize)]
pub struct Pay {
    pub request: String,
    pub fee_limit: u64,
    pub within: f64,
    pub parts: u8,
    /// The payee is a peer, and nobody may stand in between.
    pub direct: bool,
}

#[derive(Deserialize)]
pub struct Keysend {
    pub pubkey: String,
    pub amount: u64,
    pub fee_limit: u64,
    pub within: f64,
}
