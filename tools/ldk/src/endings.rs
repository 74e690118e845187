//! Channels that are being closed: what is still to come of each, from the library's list of balances.
//!
//! The library names a channel there by an id made of its funding output, and no longer lists the channel itself: so
//! where each one is was noted while it was open (`memory`).

use std::collections::{BTreeMap, HashSet};

use ldk_node::lightning::chain::channelmonitor::BalanceSource;
use ldk_node::lightning::ln::types::ChannelId;
use ldk_node::LightningBalance;
use serde_json::{json, Value};

use crate::keys::hex;
use crate::memory::Remembered;

/// What is still to come of one channel, in satoshis, and the block that lets it be spent.
#[derive(Default)]
struct Claim {
    satoshis: u64,
    height: u64,
    forced: bool,
    in_block: bool,
}

/// Describe the channels among `remembered` that are not `open` and of which something is still to come; `closing`
/// returns by a funding output what waits to spend it, and whether that is by force.
pub fn endings<Trouble>(
    balances: &[LightningBalance],
    open: &HashSet<ChannelId>,
    remembered: &[Remembered],
    tip: u64,
    closing: impl Fn(&str) -> Result<(String, bool), Trouble>,
) -> Result<Vec<Value>, Trouble> {
    let mut claims: BTreeMap<[u8; 32], Claim> = BTreeMap::new();
    for balance in balances {
        let (id, satoshis, height, forced, in_block) = parts(balance);
        if open.contains(&id) {
            continue;
        }
        let claim = claims.entry(id.0).or_default();
        claim.satoshis += satoshis;
        claim.height = claim.height.max(height);
        claim.forced |= forced;
        claim.in_block |= in_block;
    }
    let mut found = Vec::new();
    for one in remembered {
        let Some(place) = &one.place else { continue };
        let Some(claim) = id_of(&place.point).and_then(|id| claims.get(&id.0)) else { continue };
        let (txid, forced) = closing(&place.point)?;
        found.push(json!({
            "point": place.point,
            "peer": place.peer,
            "capacity": place.capacity,
            "local": claim.satoshis,
            "remote": place.capacity.saturating_sub(claim.satoshis),
            "initiator": place.outbound,
            "private": place.private,
            "forced": claim.forced || forced,
            "waits": !claim.in_block,
            "txid": txid,
            "blocks_left": claim.height.saturating_sub(tip),
            "memo": one.memo,
        }));
    }
    Ok(found)
}

/// The channel, the amount, the height from which it can be spent (0 where that is not known), whether it is by force,
/// and whether what closes the channel is in a block.
fn parts(balance: &LightningBalance) -> (ChannelId, u64, u64, bool, bool) {
    use LightningBalance::*;
    match balance {
        ClaimableOnChannelClose { channel_id, amount_satoshis, .. } => (*channel_id, *amount_satoshis, 0, false, false),
        ClaimableAwaitingConfirmations { channel_id, amount_satoshis, confirmation_height, source, .. } => {
            let forced = !matches!(source, BalanceSource::CoopClose);
            (*channel_id, *amount_satoshis, u64::from(*confirmation_height), forced, true)
        },
        ContentiousClaimable { channel_id, amount_satoshis, .. }
        | MaybeTimeoutClaimableHTLC { channel_id, amount_satoshis, .. }
        | MaybePreimageClaimableHTLC { channel_id, amount_satoshis, .. }
        | CounterpartyRevokedOutputClaimable { channel_id, amount_satoshis, .. } => {
            (*channel_id, *amount_satoshis, 0, true, true)
        },
    }
}

fn id_of(point: &str) -> Option<ChannelId> {
    let (txid, index) = point.split_once(':')?;
    let mut raw = <[u8; 32]>::try_from(hex(txid)?).ok()?;
    raw.reverse();
    Some(ChannelId::v1_from_funding_txid(&raw, index.parse().ok()?))
}
