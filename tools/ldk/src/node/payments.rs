//! Payments of a node: invoices, those that are held, and what it pays itself.

use std::str::FromStr;
use std::time::Duration;

use ldk_node::lightning::ln::channelmanager::PaymentId;
use ldk_node::lightning::routing::router::RouteParametersConfig;
use ldk_node::lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescription, Description};
use ldk_node::lightning_types::payment::{PaymentHash, PaymentPreimage};
use ldk_node::payment::PaymentStatus;
use ldk_node::NodeError;
use serde_json::json;

use super::channels::short;
use super::{failed, key, pubkey, Answer, Failure, Node, Outcome};
use crate::keys::{hex, to_hex};
use crate::orders;

const INVOICE_EXPIRY: u32 = 24 * 3600;
/// Blocks a payment may take beyond its last hop where it must be the only one: less than any hop asks for.
const NO_OTHER_HOP: u32 = 5;

impl Node {
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
        let settled =
            || Ok(self.ldk.payment(&PaymentId(hash.0)).map(|one| one.status) == Some(PaymentStatus::Succeeded));
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

fn hash(text: &str) -> Result<PaymentHash, Failure> {
    let raw = hex(text).and_then(|raw| <[u8; 32]>::try_from(raw).ok());
    raw.map(PaymentHash).ok_or_else(|| failed("refused", "a payment hash must be 32 bytes in hex"))
}

fn parsed(request: &str) -> Result<Bolt11Invoice, Failure> {
    Bolt11Invoice::from_str(request).map_err(|error| failed("refused", format!("it is no invoice: {error}")))
}
