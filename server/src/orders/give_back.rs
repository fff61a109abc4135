//! Returns: announced, looked at, refused, exchanged.

use super::{Orders, change::ChangeError, request::OrderBody, story::Actor};
use crate::{
    catalog::{
        sold,
        stock::{self, Holding, Item},
    },
    failpoint, mail, params,
    sql::Tx,
};
use anyhow::Context as _;
use app::mail::Kind;
use domain::{
    OrderId, RefundId, ReturnId,
    money::Money,
    order::{By, Order, Receipt, Resolution, Restock, ReturnItem},
};

/// What came of an announced return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub receipts: Vec<Receipt>,
    /// The location that the pieces came to.
    pub location: String,
    pub kept_back: Money,
    /// What of the delivery charge goes back; `None`: what the law says.
    pub delivery: Option<Money>,
}

impl Orders {
    /// Announces a return. The same id again changes nothing.
    pub async fn request_return(&self, order: OrderId, id: ReturnId, items: &[ReturnItem], actor: Actor) -> Result<Order, ChangeError> {
        let by = if matches!(actor, Actor::Staff(_)) { By::Staff } else { By::Shopper };
        let items = items.to_vec();
        self.change(order, actor, move |_, before, now| {
            let items = items.clone();
            Box::pin(async move {
                if let Some(known) = before.returns.iter().find(|known| known.id == id) {
                    let is_same = items.iter().filter(|item| item.quantity > 0).eq(&known.items);
                    return if is_same { Ok((before, Vec::new())) } else { Err(ChangeError::OtherWords) };
                }
                Ok(before.request_return(id, items, by, now)?)
            })
        })
        .await
    }

    /// Takes what came back: the stock, the money, and for exchanges the replacement from the stock. A replacement that is not there any more
    /// is refunded instead, and then no less of the delivery charge goes back than the law says.
    pub async fn receive_return(&self, order: OrderId, id: ReturnId, received: &Received, actor: Actor) -> Result<Order, ChangeError> {
        let (this, received) = (self.clone(), received.clone());
        self.change(order, actor, move |tx, before, now| {
            let (this, received) = (this.clone(), received.clone());
            Box::pin(async move {
                let items = before.returns.iter().find(|known| known.id == id).map(|known| known.items.clone()).unwrap_or_default();
                let mut receipts = received.receipts;
                // What cannot be is refused before any piece moves; whether replacements are there shows below.
                let plain = receipts.iter().map(|receipt| Receipt { exchanged: false, ..receipt.clone() }).collect();
                let (due, refund) = (received.delivery.unwrap_or(Money::zero(before.total.currency)), RefundId(this.clock.id()));
                before.clone().receive_return(id, plain, received.kept_back, due, refund, now)?;
                let wished = receipts.clone();
                for receipt in receipts.iter_mut().filter(|receipt| receipt.quantity > 0) {
                    let Some(line) = before.lines.iter().find(|line| line.line == receipt.line) else { continue };
                    let item = Item { product: line.product, variant: line.variant };
                    sold::receive(tx, &this.clock, order, item, &received.location, receipt.quantity, receipt.restock == Restock::Shelf).await?;
                    let wanted = items.iter().find_map(|wish| match wish.resolution {
                        Resolution::Exchange { product, variant } if wish.line == receipt.line => Some(Item { product, variant }),
                        _ => None,
                    });
                    receipt.exchanged = match wanted {
                        Some(wanted) if receipt.exchanged => this.replace(tx, order, wanted, receipt.quantity).await?,
                        _ => false,
                    };
                }
                failpoint!("pieces-received");
                // Who typed the delivery charge reckoned with replacements: without them the law may say more.
                let law = before.delivery_due(&receipts);
                let delivery = match received.delivery {
                    Some(typed) if receipts == wished || typed.minor >= law.minor => typed,
                    _ => law,
                };
                Ok(before.receive_return(id, receipts, received.kept_back, delivery, RefundId(this.clock.id()), now)?)
            })
        })
        .await
    }

    /// Takes a replacement from the stock; `false`: it is not there.
    async fn replace(&self, tx: &mut Tx, order: OrderId, item: Item, quantity: u32) -> anyhow::Result<bool> {
        let body = tx.first("SELECT body FROM orders WHERE id = $1", params![order]).await?.context("the order is locked")?.text("body")?;
        let body: OrderBody = serde_json::from_str(&body).context("orders.body")?;
        let held = stock::hold(tx, &self.clock, Holding { order, locations: &body.locations, split: body.split }, &[(item, quantity)]).await?;
        if held.is_ok() {
            stock::sell(tx, &self.clock, order).await?;
        }
        Ok(held.is_ok())
    }

    /// Refuses an announced return, with a reason for the shopper.
    pub async fn refuse_return(&self, order: OrderId, id: ReturnId, why: &str, actor: Actor) -> Result<Order, ChangeError> {
        let why = why.to_owned();
        self.change(order, actor, move |_, before, now| {
            let why = why.clone();
            Box::pin(async move { Ok(before.refuse_return(id, why, now)?) })
        })
        .await
    }

    /// Ends an announced return: the shopper keeps the pieces, and a mail says so.
    pub async fn cancel_return(&self, order: OrderId, id: ReturnId, actor: Actor) -> Result<Order, ChangeError> {
        let clock = self.clock.clone();
        let ended = self
            .change(order, actor, move |tx, before, now| {
                let clock = clock.clone();
                Box::pin(async move {
                    let after = before.cancel_return(id, now)?;
                    let id = id.to_string();
                    mail::queue(tx, &clock, order, Kind::ReturnCalledOff, &id, &id).await?;
                    Ok((after, Vec::new()))
                })
            })
            .await?;
        mail::ring();
        Ok(ended)
    }
}
