//! Holding an order's pieces: read what lies where, plan the whole order, take it by conditional single-row updates.

use super::{Item, Row, ensure_row, heat, move_stock, shift, write_ledger};
use crate::{
    catalog::locations::safety_sql,
    clock::Clock,
    events, params,
    sql::{self, Db, Lost, Tx, Value},
};
use anyhow::Context as _;
use domain::{
    HoldId, OrderId, ProductId, VariantId,
    event::Event,
    offer::Instant,
    sourcing::{self, Line, Part, Short, Split},
    stock::{Movement, draw},
};
use std::collections::{BTreeMap, BTreeSet};

/// For whom and from where stock is held. Until when is the order's business.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    pub order: OrderId,
    /// The market's locations in order of preference.
    pub locations: &'a [String],
    /// Whether they may send it together.
    pub split: Split,
}

/// Not enough is there: `left` pieces could be had. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub variant: VariantId,
    pub left: u32,
}

/// How often [`hold`] plans anew when others take pieces between its read and its update: each try loses only to somebody who took pieces
/// meanwhile, so the tries are bounded by the stock; the figure bounds the wait
/// until the transaction begins anew.
const TRIES: u32 = 8;

/// Holds an order's pieces, all of them or none: in one parcel where one location has everything, else from as few locations as can be.
/// Variants that are not counted hold nothing; back-order variants go below zero.
///
/// Call it late in the transaction: the rows stay locked until the commit, the hottest is locked last.
pub async fn hold(tx: &mut Tx, clock: &Clock, holding: Holding<'_>, wanted: &[(Item, u32)]) -> anyhow::Result<Result<(), Vec<Shortage>>> {
    anyhow::ensure!(!holding.locations.is_empty(), "a market has a location");
    let together = together(wanted);
    for _ in 0..TRIES {
        let stands = read(tx, &together, holding.locations, clock.now()).await?;
        for stand in &stands {
            heat::note(stand.item);
        }
        let short = |line: usize, left| Shortage { variant: stands[line].item.variant, left };
        match plan_of(&stands, holding.locations.len(), holding.split) {
            Ok(parts) => {
                let takes = takes(&stands, parts, holding)?;
                if take(tx, clock, holding, &takes).await? {
                    return Ok(Ok(()));
                }
            }
            Err(shorts) => return Ok(Err(shorts.into_iter().map(|line| short(line.line, line.left)).collect())),
        }
    }
    Err(Lost.into())
}

/// Pieces of each variant.
pub type Wanted = BTreeMap<VariantId, (ProductId, u32)>;

/// Lines of one variant as one.
pub fn together(wanted: &[(Item, u32)]) -> Wanted {
    let mut together = Wanted::new();
    for (item, quantity) in wanted {
        together.entry(item.variant).or_insert((item.product, 0)).1 += quantity;
    }
    together
}

/// Pieces of a variant that leave from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaves {
    pub variant: VariantId,
    pub location: String,
    /// They are on back-order: nobody knows when they are there.
    pub owed: bool,
}

/// A variant that is counted, with what lies of it in each of the market's locations.
struct Stand {
    item: Item,
    quantity: u32,
    backorder: bool,
    /// In the locations' order.
    places: Vec<Place>,
    /// Pieces that are kept for orders now, in powers of two, so that the order of locking seldom differs between two orders.
    heat: Option<u32>,
}

#[derive(Clone, Default)]
struct Place {
    /// Bucket and what is free in it, in order of the buckets.
    rows: Vec<(i64, i64)>,
    safety: u32,
}

impl Place {
    fn sellable(&self) -> u32 {
        sourcing::sellable(self.rows.iter().map(|(_, free)| free).sum(), self.safety)
    }
}

/// Variants read with one statement.
const TOGETHER: usize = 8;
/// Reads [`TOGETHER`] variants; fewer are named several times.
const READ: &str = concat!(
    "SELECT v.id, v.tracked, v.oversell, s.location, s.bucket, s.free, s.held, ",
    safety_sql!("$9"),
    " AS safety FROM variants v LEFT JOIN stock_balances s ON s.variant_id = v.id WHERE v.id IN ($1, $2, $3, $4, $5, $6, $7, $8) \
     ORDER BY v.id, s.location, s.bucket"
);

/// What lies of the variants that are counted. One that is not known lies nowhere.
async fn read(tx: &mut Tx, wanted: &Wanted, locations: &[String], now: Instant) -> anyhow::Result<Vec<Stand>> {
    let mut stands = Vec::with_capacity(wanted.len());
    for some in chunks(wanted) {
        let rows = tx.all(READ, asked(&some, now)).await?;
        add_stands(&mut stands, &rows, &some, wanted, locations)?;
    }
    Ok(stands)
}

/// Where the pieces would leave from if they were held now, as the promise of a cart or an order needs it; `None`: too few are there. No row is locked.
pub async fn plan(db: &Db, locations: &[String], split: Split, wanted: &Wanted, now: Instant) -> anyhow::Result<Option<Vec<Leaves>>> {
    let mut stands = Vec::with_capacity(wanted.len());
    for some in chunks(wanted) {
        let rows = db.all(READ, asked(&some, now)).await?;
        add_stands(&mut stands, &rows, &some, wanted, locations)?;
    }
    Ok(leaves(&stands, locations, split))
}

/// The same inside a transaction.
pub async fn plan_in(tx: &mut Tx, locations: &[String], split: Split, wanted: &Wanted, now: Instant) -> anyhow::Result<Option<Vec<Leaves>>> {
    Ok(leaves(&read(tx, wanted, locations, now).await?, locations, split))
}

fn leaves(stands: &[Stand], locations: &[String], split: Split) -> Option<Vec<Leaves>> {
    let parts = plan_of(stands, locations.len(), split).ok()?;
    let leaves = |part: Part| Leaves { variant: stands[part.line].item.variant, location: locations[part.place].clone(), owed: part.owed };
    Some(parts.into_iter().map(leaves).collect())
}

fn plan_of(stands: &[Stand], places: usize, split: Split) -> Result<Vec<Part>, Vec<Short>> {
    let lines: Vec<Line> = stands.iter().map(|stand| Line { quantity: stand.quantity, backorder: stand.backorder }).collect();
    let there: Vec<Vec<u32>> = (0..places).map(|place| stands.iter().map(|stand| stand.places[place].sellable()).collect()).collect();
    sourcing::plan(&lines, &there, split)
}

fn chunks(wanted: &Wanted) -> Vec<Vec<VariantId>> {
    let variants: Vec<VariantId> = wanted.keys().copied().collect();
    variants.chunks(TOGETHER).map(<[_]>::to_vec).collect()
}

/// The statement's arguments for some variants, at least one.
fn asked(some: &[VariantId], now: Instant) -> Vec<Value> {
    (0..TOGETHER).map(|at| Value::from(some[at.min(some.len() - 1)])).chain([Value::from(now)]).collect()
}

fn add_stands(stands: &mut Vec<Stand>, rows: &[sql::Row], some: &[VariantId], wanted: &Wanted, locations: &[String]) -> anyhow::Result<()> {
    for variant in some {
        let (product, quantity) = wanted[variant];
        let item = Item { product, variant: *variant };
        let name = variant.to_string();
        let (mut places, mut held, mut is_tracked, mut backorder) = (vec![Place::default(); locations.len()], 0_i64, true, false);
        for row in rows {
            if row.text("id")? != name {
                continue;
            }
            (is_tracked, backorder) = (row.flag("tracked")?, row.flag("oversell")?);
            let Some(location) = row.text_or_null("location")? else { continue };
            held += row.int("held")?;
            let Some(place) = locations.iter().position(|known| *known == location) else { continue };
            places[place].rows.push((row.int("bucket")?, row.int("free")?));
            places[place].safety = u32::try_from(row.int("safety")?)?;
        }
        if is_tracked {
            stands.push(Stand { item, quantity, backorder, places, heat: u64::try_from(held).unwrap_or(0).checked_ilog2() });
        }
    }
    Ok(())
}

/// Pieces to take from one row.
struct Take {
    item: Item,
    row: Row,
    pieces: u32,
    /// What must stay free in the row; `None`: it may go below zero.
    keeps: Option<i64>,
    heat: Option<u32>,
}

/// The rows that a plan takes from, the hottest variant last: its row stays locked until the commit, and others wait for it.
fn takes(stands: &[Stand], parts: Vec<Part>, holding: Holding<'_>) -> anyhow::Result<Vec<Take>> {
    // Buyers begin at different buckets. The last bytes of an order's id are random (RFC 9562, 5.7).
    let start = usize::from(holding.order.0.as_bytes()[15]);
    let mut takes = Vec::with_capacity(parts.len());
    for part in parts {
        let stand = &stands[part.line];
        let place = &stand.places[part.place];
        let row = |bucket| Row { location: holding.locations[part.place].clone(), bucket };
        if part.owed {
            takes.push(Take { item: stand.item, row: row(0), pieces: part.pieces, keeps: None, heat: stand.heat });
            continue;
        }
        let free: Vec<i64> = place.rows.iter().map(|(_, free)| *free).collect();
        for draw in draw(&free, place.safety, part.pieces, start).context("a plan takes what is there")? {
            takes.push(Take { item: stand.item, row: row(place.rows[draw.row].0), pieces: draw.pieces, keeps: Some(draw.keeps), heat: stand.heat });
        }
    }
    takes.sort_by(|a, b| (a.heat, a.item.variant, &a.row).cmp(&(b.heat, b.item.variant, &b.row)));
    Ok(takes)
}

/// Takes everything, or nothing when somebody else was faster at one of the rows.
async fn take(tx: &mut Tx, clock: &Clock, holding: Holding<'_>, takes: &[Take]) -> anyhow::Result<bool> {
    let cause = format!("order:{}", holding.order);
    for (at, take) in takes.iter().enumerate() {
        let Some(keeps) = take.keeps else { continue };
        if !shift_if_free(tx, take, keeps).await? {
            for taken in takes[..at].iter().filter(|taken| taken.keeps.is_some()) {
                shift(tx, taken.item.variant, &taken.row, Movement::Release(taken.pieces)).await?;
            }
            return Ok(false);
        }
    }
    let mut changed = BTreeSet::new();
    for take in takes {
        keep(tx, holding, take, clock).await?;
        if take.keeps.is_none() {
            ensure_row(tx, take.item.variant, &take.row).await?;
            move_stock(tx, clock, take.item, &take.row, Movement::Hold(take.pieces), "back-order", &cause).await?;
            continue;
        }
        write_ledger(tx, clock, take.item, &take.row, Movement::Hold(take.pieces), "", &cause).await?;
        changed.insert((take.item.product, take.item.variant));
    }
    for (product, variant) in changed {
        events::emit(tx, clock, &Event::StockChanged { product, variant }).await?;
    }
    Ok(true)
}

/// Moves pieces from free to held if that many are free: the one statement that decides who gets the last piece.
async fn shift_if_free(tx: &mut Tx, take: &Take, keeps: i64) -> anyhow::Result<bool> {
    let touched = tx
        .execute(
            "UPDATE stock_balances SET free = free - $4, held = held + $4 WHERE variant_id = $1 AND location = $2 AND bucket = $3 AND free >= $4 + $5",
            params![take.item.variant, &take.row.location, take.row.bucket, take.pieces, keeps],
        )
        .await?;
    Ok(touched == 1)
}

async fn keep(tx: &mut Tx, holding: Holding<'_>, take: &Take, clock: &Clock) -> anyhow::Result<()> {
    let Take { item, row, pieces, .. } = take;
    tx.execute(
        "INSERT INTO holds (id, order_id, variant_id, product_id, location, bucket, quantity, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 'held')",
        params![HoldId(clock.id()), holding.order, item.variant, item.product, &row.location, row.bucket, *pieces],
    )
    .await?;
    Ok(())
}
