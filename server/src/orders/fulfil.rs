//! From the shelf to the door: packing, sending, arriving. What may be sent is decided in [`domain::order`]; which pieces lie where, in
//! [`crate::catalog::sold`].

use super::{Orders, change::ChangeError, story::Actor};
use crate::{
    catalog::sold::{self, Lying, Step},
    clock::Clock,
    failpoint, params,
    sql::Tx,
};
use domain::{
    FulfilmentId, OrderId,
    order::{CannotFulfil, DELIVERED_AFTER_US, Fulfilment, Order, Parcel, Portion},
};

/// Orders whose shipments are looked at in one round.
const BATCH: i64 = 50;

impl Orders {
    /// Where an order's pieces lie that can be packed.
    pub async fn lying(&self, order: OrderId) -> anyhow::Result<Vec<Lying>> {
        sold::lying(&self.db, order).await
    }

    /// What can be packed now, by location. Pieces of a variant that is not counted lie anywhere: at `anywhere`.
    pub async fn to_pack(&self, order: &Order, anywhere: &str) -> anyhow::Result<Vec<(String, Vec<Portion>)>> {
        if order.can_fulfil().is_err() {
            return Ok(Vec::new());
        }
        Ok(shelves(order, anywhere, &self.lying(order.id).await?))
    }

    /// Begins to pack pieces that lie at `location`. The same id again changes nothing.
    pub async fn pack(&self, order: OrderId, id: FulfilmentId, location: &str, portions: &[Portion], actor: Actor) -> Result<Order, ChangeError> {
        let (clock, location, portions) = (self.clock.clone(), location.to_owned(), portions.to_vec());
        self.change(order, actor, move |tx, before, now| {
            let (clock, location, portions) = (clock.clone(), location.clone(), portions.clone());
            Box::pin(async move {
                if before.fulfilments.iter().any(|known| known.id == id) {
                    return Ok((before, Vec::new()));
                }
                let after = before.pack(id, location, portions, now)?;
                move_pieces(tx, &clock, &after, id, Step::Pack).await?;
                Ok((after, Vec::new()))
            })
        })
        .await
    }

    /// Puts packed pieces back on the shelf.
    pub async fn unpack(&self, order: OrderId, id: FulfilmentId, actor: Actor) -> Result<Order, ChangeError> {
        let clock = self.clock.clone();
        self.change(order, actor, move |tx, before, _| {
            let clock = clock.clone();
            Box::pin(async move {
                let after = before.clone().unpack(id)?;
                move_pieces(tx, &clock, &before, id, Step::Unpack).await?;
                Ok((after, Vec::new()))
            })
        })
        .await
    }

    /// Sends what was packed, in these parcels.
    pub async fn ship(&self, order: OrderId, id: FulfilmentId, parcels: &[Parcel], actor: Actor) -> Result<Order, ChangeError> {
        let (clock, parcels) = (self.clock.clone(), parcels.to_vec());
        self.change(order, actor, move |tx, before, now| {
            let (clock, parcels) = (clock.clone(), parcels.clone());
            Box::pin(async move {
                let (after, events) = before.ship(id, parcels, now)?;
                move_pieces(tx, &clock, &after, id, Step::Ship).await?;
                Ok((after, events))
            })
        })
        .await
    }

    /// Packs and sends in one step. The same id again changes nothing.
    pub async fn pack_and_ship(
        &self,
        order: OrderId,
        id: FulfilmentId,
        location: &str,
        portions: &[Portion],
        parcels: &[Parcel],
        actor: Actor,
    ) -> Result<Order, ChangeError> {
        let wish = (self.clock.clone(), location.to_owned(), portions.to_vec(), parcels.to_vec());
        self.change(order, actor, move |tx, before, now| {
            let (clock, location, portions, parcels) = wish.clone();
            Box::pin(async move {
                if before.fulfilments.iter().any(|known| known.id == id) {
                    return Ok((before, Vec::new()));
                }
                let packed = before.pack(id, location, portions, now)?;
                move_pieces(tx, &clock, &packed, id, Step::Pack).await?;
                let (after, events) = packed.ship(id, parcels, now)?;
                move_pieces(tx, &clock, &after, id, Step::Ship).await?;
                Ok((after, events))
            })
        })
        .await
    }

    /// Corrects carriers and numbers.
    pub async fn correct_parcels(&self, order: OrderId, id: FulfilmentId, parcels: &[Parcel], actor: Actor) -> Result<Order, ChangeError> {
        let parcels = parcels.to_vec();
        self.change(order, actor, move |_, before, _| {
            let parcels = parcels.clone();
            Box::pin(async move { Ok((before.correct_parcels(id, parcels)?, Vec::new())) })
        })
        .await
    }

    /// A shipment has arrived.
    pub async fn deliver(&self, order: OrderId, id: FulfilmentId, actor: Actor) -> Result<Order, ChangeError> {
        self.change(order, actor, move |_, before, now| Box::pin(async move { Ok(before.deliver(id, now)?) })).await
    }

    /// Shipments of which no carrier told count as delivered after a while.
    pub(super) async fn assume_deliveries(&self) -> anyhow::Result<()> {
        let before = self.clock.now() - DELIVERED_AFTER_US;
        let sql = "SELECT order_id FROM fulfilments WHERE state = 'shipped' AND updated_at <= $1 ORDER BY updated_at LIMIT $2";
        for row in &self.db.all(sql, params![before, BATCH]).await? {
            let order: OrderId = row.parse("order_id")?;
            let told = self.change(order, Actor::Shop, |_, before, now| Box::pin(async move { Ok(before.assume_delivered(now)) })).await;
            if let Err(error) = told {
                tracing::error!(%order, error = format!("{:#}", anyhow::Error::new(error)), "a shipment that must have arrived");
            }
            failpoint!("delivery-assumed");
        }
        Ok(())
    }
}

/// Moves the pieces of a shipment one step on, where they lie.
async fn move_pieces(tx: &mut Tx, clock: &Clock, order: &Order, id: FulfilmentId, step: Step) -> Result<(), ChangeError> {
    let fulfilment: &Fulfilment = order.fulfilments.iter().find(|known| known.id == id).ok_or(CannotFulfil::Unknown)?;
    for portion in &fulfilment.portions {
        let Some(line) = order.lines.iter().find(|line| line.line == portion.line) else { continue };
        sold::step(tx, clock, order.id, &fulfilment.location, line.variant, portion.quantity, step).await??;
    }
    failpoint!("pieces-moved");
    Ok(())
}

/// What can be packed of an order whose pieces lie there, by location.
pub fn shelves(order: &Order, anywhere: &str, lying: &[Lying]) -> Vec<(String, Vec<Portion>)> {
    let mut shelves: Vec<(String, Vec<Portion>)> = Vec::new();
    if order.can_fulfil().is_err() {
        return shelves;
    }
    let mut open = order.open_portions();
    let mut put = |location: &str, portion: Portion| match shelves.iter_mut().find(|shelf| shelf.0 == location) {
        Some(shelf) => shelf.1.push(portion),
        None => shelves.push((location.to_owned(), vec![portion])),
    };
    let variant = |line: u32| order.lines.iter().find(|known| known.line == line).map(|known| known.variant);
    for here in lying {
        let mut left = here.quantity;
        for portion in open.iter_mut().filter(|portion| variant(portion.line) == Some(here.variant)) {
            let quantity = portion.quantity.min(left);
            if quantity > 0 {
                put(&here.location, Portion { line: portion.line, quantity });
                portion.quantity -= quantity;
                left -= quantity;
            }
        }
    }
    let counted = |portion: &Portion| lying.iter().any(|here| variant(portion.line) == Some(here.variant));
    for portion in open.into_iter().filter(|portion| portion.quantity > 0 && !counted(portion)) {
        put(anywhere, portion);
    }
    shelves
}
