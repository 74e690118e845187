//! From a seed to what is public of a node: its identity, and the addresses of its wallet. Pure.

use std::str::FromStr;

use ldk_node::bitcoin::bip32::{ChildNumber, DerivationPath, Xpriv, Xpub};
use ldk_node::bitcoin::hashes::{sha512, Hash};
use ldk_node::bitcoin::secp256k1::{All, Secp256k1};
use ldk_node::bitcoin::{Address, CompressedPublicKey, Network};
use ldk_node::lightning::sign::{KeysManager, NodeSigner, Recipient};

/// The two chains of addresses of a wallet: those that are given out, and those for change.
pub struct Addresses {
    secp: Secp256k1<All>,
    chains: [Xpub; 2],
}

/// Return the 64 bytes the node's own library asks for.
pub fn expand(seed: &str) -> Result<[u8; 64], String> {
    match hex(seed) {
        Some(bytes) if bytes.len() == 32 => Ok(sha512::Hash::hash(&bytes).to_byte_array()),
        _ => Err("a seed must be 32 bytes in hex".into()),
    }
}

/// Return the bytes written as `text`, or None where it is no hex.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 != 0 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Return 32 bytes as hex.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Return the public key of the node that has this seed.
pub fn identity(seed: &[u8; 64]) -> String {
    let manager = KeysManager::new(&master(seed).private_key.secret_bytes(), 0, 0, true);
    manager.get_node_id(Recipient::Node).expect("a node has an identity").to_string()
}

fn master(seed: &[u8; 64]) -> Xpriv {
    Xpriv::new_master(Network::Regtest, seed).expect("64 bytes are a seed")
}

impl Addresses {
    /// Those of the wallet that has this seed (BIP 84, first account).
    pub fn of(seed: &[u8; 64]) -> Self {
        let secp = Secp256k1::new();
        let account = DerivationPath::from_str("84'/1'/0'").expect("it is a path");
        let key = master(seed).derive_priv(&secp, &account).expect("the path is valid");
        let account = Xpub::from_priv(&secp, &key);
        let chain = |index| account.derive_pub(&secp, &[ChildNumber::Normal { index }]).expect("it is in range");
        let chains = [chain(0), chain(1)];
        Self { secp, chains }
    }

    /// The address at a place of the chain 0 (given out) or 1 (change).
    pub fn at(&self, chain: usize, index: u32) -> Address {
        let child = [ChildNumber::Normal { index }];
        let key = self.chains[chain].derive_pub(&self.secp, &child).expect("it is in range").public_key;
        Address::p2wpkh(&CompressedPublicKey(key), Network::Regtest)
    }
}
