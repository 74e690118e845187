//! Channels of a node: opened, closed, described, and what it knows of those of others.

use ldk_node::bitcoin::hashes::{sha256, Hash};
use ldk_node::bitcoin::OutPoint;
use ldk_node::config::ChannelConfig;
use ldk_node::lightning::routing::gossip::ChannelUpdateInfo;
use ldk_node::ChannelDetails;
use serde_json::{json, Value};

use super::{failed, pubkey, Answer, Failure, Node, Outcome, AGREE_WITHIN};
use crate::endings::endings;
use crate::memory::Intent;
use crate::orders;

const ANNOUNCE: u32 = 6;
/// Millisatoshis in the two outputs by which the fee of a commitment can be bumped; the opener pays for them.
const ANCHORS: u64 = 2 * 330_000;

impl Node {
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
        let is_it =
            |one: &ChannelDetails| one.funding_txo.is_some_and(|at| format!("{}:{}", at.txid, at.vout) == point);
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
        let mut config = channel.config;
        config.forwarding_fee_base_msat = order.base_fee;
        config.forwarding_fee_proportional_millionths = order.fee_rate;
        config.cltv_expiry_delta = order.time_lock_delta;
        let (id, peer) = (&channel.user_channel_id, channel.counterparty_node_id);
        if config == channel.config {
            // the library says nothing anew that is as before; but somebody may have missed it
            let mut other = config;
            other.forwarding_fee_base_msat ^= 1;
            self.ldk.update_channel_config(id, peer, other)?;
        }
        self.ldk.update_channel_config(id, peer, config)?;
        Ok(json!({}))
    }
}

fn output(point: &str) -> Result<OutPoint, Failure> {
    point.parse().map_err(|_| failed("refused", format!("`{point}` is no output")))
}

/// What the two ends hold, in millisatoshis. The library tells what can be sent: less by the reserve, and at the opener
/// by the anchors too. So the other end tells it better, unless that holds less than its reserve.
pub fn split(channel: &ChannelDetails) -> (u64, u64) {
    let all = channel.channel_value_sats * 1_000;
    let anchors = if channel.is_outbound { ANCHORS } else { 0 };
    let local = channel.outbound_capacity_msat + channel.unspendable_punishment_reserve.unwrap_or(0) * 1_000 + anchors;
    let remote = channel.inbound_capacity_msat + channel.counterparty_unspendable_punishment_reserve * 1_000;
    let by_the_other =
        if channel.is_outbound { channel.inbound_capacity_msat > 0 } else { channel.outbound_capacity_msat == 0 };
    if by_the_other {
        (all.saturating_sub(remote), remote)
    } else {
        (local, all.saturating_sub(local))
    }
}

/// The short id of a channel: the one it has on the chain, before that the one we gave it: two peers may give the same.
pub fn short(channel: &ChannelDetails) -> Option<u64> {
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
