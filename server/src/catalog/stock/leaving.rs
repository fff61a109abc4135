//! From where and when the pieces of a cart or an order would leave now, for the days that they are promised for. Nothing is held by it.

use super::{
    Item,
    hold::{self, Leaves},
};
use crate::sql::{Db, Tx};
use domain::{
    delivery::{self, Method, Promise},
    market::{Country, Market},
    offer::Instant,
};

/// Pieces of a variant, and what their promise depends on.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub item: Item,
    pub quantity: u32,
    /// Business days before they leave, beside their location's.
    pub handling_days: u8,
    /// Sold on although nothing is there.
    pub oversell: bool,
}

/// The parts that an order would leave in.
#[derive(Clone, Debug, Default)]
pub struct Leaving {
    parts: Vec<(Option<String>, u8)>,
    is_owed: bool,
}

impl Leaving {
    /// Reads where the pieces lie, if that matters to one of the methods.
    pub async fn read(db: &Db, market: &Market, pieces: &[Piece], methods: &[Method], now: Instant) -> anyhow::Result<Self> {
        if !matters(pieces, methods) {
            return Ok(Self::new(pieces, None));
        }
        let plan = hold::plan(db, &market.locations, market.split, &together(pieces), now).await?;
        Ok(Self::new(pieces, plan))
    }

    /// The same inside a transaction.
    pub async fn read_in(tx: &mut Tx, market: &Market, pieces: &[Piece], method: &Method, now: Instant) -> anyhow::Result<Self> {
        if !matters(pieces, std::slice::from_ref(method)) {
            return Ok(Self::new(pieces, None));
        }
        let plan = hold::plan_in(tx, &market.locations, market.split, &together(pieces), now).await?;
        Ok(Self::new(pieces, plan))
    }

    /// Pieces that are not counted, and all where too few are there, leave as from the method's own location.
    fn new(pieces: &[Piece], plan: Option<Vec<Leaves>>) -> Self {
        let plan = plan.unwrap_or_default();
        let is_owed = plan.iter().any(|leaves| leaves.owed);
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let mut places = plan.iter().filter(|leaves| leaves.variant == piece.item.variant).map(|leaves| Some(leaves.location.clone())).peekable();
            if places.peek().is_none() {
                parts.push((None, piece.handling_days));
            }
            parts.extend(places.map(|place| (place, piece.handling_days)));
        }
        Self { parts, is_owed }
    }

    /// When the last part should arrive, as if all pieces were there.
    pub fn promise(&self, method: &Method, to: Country, now: Instant) -> Promise {
        let parts =
            self.parts.iter().map(|(location, handling_days)| delivery::Leaving { location: location.as_deref(), handling_days: *handling_days });
        method.promise_all(to, parts, now)
    }

    /// Whether some pieces are on back-order, so that nobody knows a day.
    pub const fn is_owed(&self) -> bool {
        self.is_owed
    }

    /// The promise that a shopper is shown.
    pub fn promised(&self, method: &Method, to: Country, now: Instant) -> Option<Promise> {
        (!self.is_owed).then(|| self.promise(method, to, now))
    }
}

fn matters(pieces: &[Piece], methods: &[Method]) -> bool {
    !pieces.is_empty() && (pieces.iter().any(|piece| piece.oversell) || methods.iter().any(|method| !method.origins.is_empty()))
}

fn together(pieces: &[Piece]) -> hold::Wanted {
    hold::together(&pieces.iter().map(|piece| (piece.item, piece.quantity)).collect::<Vec<_>>())
}
