//! Stock as staff see and book it: finding a variant, what lies where, its ledger, and bookings with their row of the audit log.

use super::{
    Staff,
    audit::{self, Change, Subject},
    earlier, first_time,
};
use crate::{
    Shop,
    catalog::{
        locations,
        product::{OptionTexts, Product, json, pick, text},
        stock::{self, Item},
        terms::{self, Found},
    },
    failpoint,
    orders::unshipped::{UNSHIPPED, unshipped},
    params,
    sql::{Conflict, Db, Row, Value},
};
use anyhow::Context as _;
use domain::{
    ProductId, VariantId,
    booking::{Booking, BookingRefused},
    locale::TextLanguage,
    market::Market,
    offer::Instant,
    staff::Right,
    stock::{Balance, Movement},
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Variants of one product that a list shows.
const VARIANTS_MAX: u32 = 100;

/// A variant with what staff know it by.
#[derive(Clone, Debug)]
pub struct Known {
    pub id: VariantId,
    pub product: ProductId,
    pub title: String,
    /// Names of the chosen values.
    pub options: Vec<String>,
    pub sku: String,
    pub barcode: String,
    pub tracked: bool,
    pub oversell: bool,
    pub active: bool,
    /// Everywhere together.
    pub balance: Balance,
}

const PRODUCT: &str = "SELECT * FROM products WHERE id = $1";
const BALANCES: &str = "SELECT location, free, held FROM stock_balances WHERE variant_id = $1";
const LEDGER: &str = "SELECT l.id, l.at, l.location, l.kind, l.quantity, l.reason, l.cause, COALESCE(o.number, s.email) AS name FROM stock_ledger l \
     LEFT JOIN orders o ON o.id = SUBSTR(l.cause, 7) LEFT JOIN staff s ON s.id = SUBSTR(l.cause, 7) \
     WHERE l.variant_id = $1 AND l.kind <> 'transfer' AND l.at <= $2 AND (l.at < $2 OR l.id < $3) ORDER BY l.at DESC, l.id DESC LIMIT $4";
const VARIANT: &str = "SELECT v.id, v.product_id, v.sku, v.barcode, v.option_values, v.tracked, v.oversell, v.active, \
     (SELECT CAST(COALESCE(SUM(b.free), 0) AS BIGINT) FROM stock_balances b WHERE b.variant_id = v.id) AS free, \
     (SELECT CAST(COALESCE(SUM(b.held), 0) AS BIGINT) FROM stock_balances b WHERE b.variant_id = v.id) AS held \
     FROM variants v WHERE v.id = $1";
const VARIANTS: &str = "SELECT v.id, v.product_id, v.sku, v.barcode, v.option_values, v.tracked, v.oversell, v.active, \
     (SELECT CAST(COALESCE(SUM(b.free), 0) AS BIGINT) FROM stock_balances b WHERE b.variant_id = v.id) AS free, \
     (SELECT CAST(COALESCE(SUM(b.held), 0) AS BIGINT) FROM stock_balances b WHERE b.variant_id = v.id) AS held \
     FROM variants v WHERE v.product_id = $1 ORDER BY v.position, v.id LIMIT $2";

/// Every statement that finds and shows stock, each with sample values, for tests and figures that look at their plans.
pub fn statements() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        (terms::FIND, params![b"tote".to_vec(), "", "", b"tote\xff".to_vec(), b"tote".to_vec(), 51_i64]),
        (PRODUCT, params!["x"]),
        (VARIANT, params!["x"]),
        (VARIANTS, params!["x", VARIANTS_MAX]),
        (BALANCES, params!["x"]),
        (UNSHIPPED, params!["x", 5_000_i64]),
        (LEDGER, params!["x", i64::MAX, "", 51_i64]),
    ]
}

impl Known {
    fn read(row: &Row, product: &Product) -> anyhow::Result<Self> {
        let values: Vec<String> = json(row, "option_values")?;
        Ok(Self {
            id: row.parse("id")?,
            product: product.id,
            title: text(&product.texts.title, TextLanguage::EnUs),
            options: values.iter().zip(&product.options).map(|(value, option)| value_name(option, value)).collect(),
            sku: row.text("sku")?,
            barcode: row.text("barcode")?,
            tracked: row.flag("tracked")?,
            oversell: row.flag("oversell")?,
            active: row.flag("active")?,
            balance: Balance { free: row.int("free")?, held: row.int("held")? },
        })
    }
}

fn value_name(option: &OptionTexts, slug: &str) -> String {
    let value = option.values.iter().find(|value| value.slug == slug);
    value.and_then(|value| pick(&value.names, TextLanguage::EnUs)).cloned().unwrap_or_else(|| slug.to_owned())
}

/// Variants that were found, and the key after which there are more.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    pub variants: Vec<Known>,
    pub after: Option<String>,
    /// What was typed is the whole SKU or barcode of this one variant, as a scanner types it.
    pub exact: Option<VariantId>,
}

/// Variants whose SKU, barcode or title (from any word on) begins with `wanted`; at most `limit` matches, after the key of an earlier page.
pub async fn find(db: &Db, wanted: &str, after: Option<&str>, limit: u32) -> anyhow::Result<Matches> {
    let mut found = terms::find(db, wanted, after, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let mut matches = Matches { after: found.last().filter(|_| more).map(Found::key), ..Matches::default() };
    let mut seen = BTreeSet::new();
    for hit in &found {
        let Some(row) = db.first(PRODUCT, params![hit.product]).await? else { continue };
        let product = Product::read(&row)?;
        let rows = match hit.variant {
            Some(variant) => db.all(VARIANT, params![variant]).await?,
            None => db.all(VARIANTS, params![hit.product, VARIANTS_MAX]).await?,
        };
        for row in &rows {
            let known = Known::read(row, &product)?;
            // A product's title and its variant's SKU may begin alike.
            if seen.insert(known.id) {
                matches.variants.push(known);
            }
        }
    }
    if let ([hit], [known]) = (found.as_slice(), matches.variants.as_slice())
        && hit.variant.is_some()
        && hit.term == terms::folded(wanted).into_bytes()
    {
        matches.exact = Some(known.id);
    }
    Ok(matches)
}

/// A variant at one location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub location: String,
    /// `Rotterdam, Netherlands`; the code where nobody described it.
    pub name: String,
    pub balance: Balance,
    /// Sold, and still here.
    pub unshipped: u32,
}

impl Place {
    /// What somebody who counts finds.
    pub fn on_the_shelf(&self) -> i64 {
        self.balance.on_hand() + i64::from(self.unshipped)
    }
}

/// A variant and where it lies. `None`: there is no such variant.
pub async fn look(shop: &Shop, variant: VariantId) -> anyhow::Result<Option<(Known, Vec<Place>)>> {
    let Some(row) = shop.db.first(VARIANT, params![variant]).await? else { return Ok(None) };
    let product = shop.db.first(PRODUCT, params![row.text("product_id")?]).await?;
    let product = Product::read(&product.context("a variant has a product")?)?;
    Ok(Some((Known::read(&row, &product)?, places(shop, variant).await?)))
}

/// Every location of the markets in force, and those where the variant lies or lay; in the markets' order, the others after them.
async fn places(shop: &Shop, variant: VariantId) -> anyhow::Result<Vec<Place>> {
    let now = shop.clock.now();
    let markets = shop.db.all("SELECT code, body FROM markets WHERE valid_from <= $1 ORDER BY position, code, valid_from", params![now]).await?;
    // The last row of a market is the one in force.
    let mut in_force: Vec<Market> = Vec::new();
    for row in &markets {
        let market: Market = json(row, "body")?;
        in_force.retain(|known| known.code != market.code);
        in_force.push(market);
    }
    let mut balances: BTreeMap<String, Balance> = BTreeMap::new();
    for row in shop.db.all(BALANCES, params![variant]).await? {
        let balance = balances.entry(row.text("location")?).or_default();
        balance.free += row.int("free")?;
        balance.held += row.int("held")?;
    }
    let sold = unshipped(&shop.db, variant).await?;
    let mut locations: Vec<String> = Vec::new();
    for location in in_force.iter().flat_map(|market| &market.locations).chain(balances.keys()).chain(sold.keys()) {
        if !locations.contains(location) {
            locations.push(location.clone());
        }
    }
    let described = locations::all(&shop.db, now).await?;
    let name = |code: &str| described.iter().find(|known| known.code == code).map_or_else(|| code.to_owned(), |known| known.name.clone());
    let place = |location: String| Place {
        name: name(&location),
        balance: balances.get(&location).copied().unwrap_or_default(),
        unshipped: sold.get(&location).copied().unwrap_or_default(),
        location,
    };
    Ok(locations.into_iter().map(place).collect())
}

/// A row of a variant's ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
    pub at: Instant,
    pub location: String,
    pub kind: String,
    pub quantity: i64,
    pub reason: String,
    pub cause: String,
    /// The order's number or the account's email address, where the cause is one.
    pub name: Option<String>,
}

/// A variant's ledger, newest first, older than the row with this time and id. What only moved between rows of a location is left out.
pub async fn ledger(db: &Db, variant: VariantId, older_than: Option<(Instant, String)>, limit: u32) -> anyhow::Result<Vec<Entry>> {
    let (at, id) = older_than.unwrap_or((Instant::MAX, String::new()));
    let rows = db.all(LEDGER, params![variant, at, id, limit]).await?;
    let entry = |row: &Row| {
        Ok(Entry {
            id: row.text("id")?,
            at: row.int("at")?,
            location: row.text("location")?,
            kind: row.text("kind")?,
            quantity: row.int("quantity")?,
            reason: row.text("reason")?,
            cause: row.text("cause")?,
            name: row.text_or_null("name")?,
        })
    };
    rows.iter().map(entry).collect()
}

/// Why a booking was not made.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error("the roles do not include it")]
    NotAllowed,
    #[error("there is no such variant or location")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] BookingRefused),
    /// As [`crate::orders::ChangeError::OtherWords`].
    #[error("another form was sent under this id")]
    OtherWords,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for BookError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Conflict for BookError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}

/// Books something at a location. The same `mutation` again books nothing. `below_zero`: whoever books was asked, and means it.
pub async fn book(
    shop: &Shop,
    staff: &Staff,
    variant: VariantId,
    location: &str,
    booking: &Booking,
    below_zero: bool,
    mutation: &str,
) -> Result<(), BookError> {
    if !staff.may(Right::MoveStock) {
        return Err(BookError::NotAllowed);
    }
    let (known, places) = look(shop, variant).await?.ok_or(BookError::NotFound)?;
    let place = places.into_iter().find(|place| place.location == location).ok_or(BookError::NotFound)?;
    let item = Item { product: known.product, variant };
    shop.db
        .transact(|tx| {
            let (clock, booking, place) = (shop.clock.clone(), booking.clone(), place.clone());
            let (actor, by, mutation) = (staff.actor(), staff.id(), mutation.to_owned());
            Box::pin(async move {
                let fingerprint = format!("{variant} {} {booking:?}", place.location);
                if !first_time(tx, by, &mutation, &fingerprint, clock.now()).await? {
                    let is_same = earlier(tx, by, &mutation).await?.is_some_and(|earlier| earlier == fingerprint);
                    return if is_same { Ok(()) } else { Err(BookError::OtherWords) };
                }
                let location = &place.location;
                // The rows are locked now: what is decided on holds until the commit.
                let before = stock::lock(tx, variant, location).await?;
                let movement = booking.movement(before, place.unshipped, below_zero)?;
                let cause = actor.to_string();
                match (&booking, movement) {
                    (Booking::Receipt { reference, .. }, Movement::Receipt(pieces)) => {
                        stock::receipt(tx, &clock, item, location, pieces, reference).await?;
                    }
                    (Booking::Adjustment { reason, words, .. }, Movement::Adjustment(difference)) => {
                        stock::adjust(tx, &clock, item, location, difference, &reasoned(reason.word(), words), &cause).await?;
                    }
                    (Booking::Damage { words, .. }, Movement::Damage(pieces)) => {
                        stock::damage(tx, &clock, item, location, pieces, words, &cause).await?;
                    }
                    _ => return Err(anyhow::anyhow!("{booking:?} is no {movement:?}").into()),
                }
                failpoint!("stock-booked");
                let after = stock::lock(tx, variant, location).await?;
                let figures = |balance: Balance| json!({ "location": location, "free": balance.free, "held": balance.held });
                let mut told = figures(after);
                told["booked"] = json!(movement.quantity());
                told["why"] = match &booking {
                    Booking::Receipt { reference, .. } => json!(reference),
                    Booking::Adjustment { reason, words, .. } => json!(reasoned(reason.word(), words)),
                    Booking::Damage { words, .. } => json!(words),
                };
                let action = match movement {
                    Movement::Receipt(_) => "stock received",
                    Movement::Damage(_) => "stock damaged",
                    _ => "stock adjusted",
                };
                let change = Change { action, subject: Subject::Variant(variant), before: Some(figures(before)), after: Some(told) };
                audit::write(tx, &clock, actor, change).await?;
                Ok(())
            })
        })
        .await?;
    failpoint!("booking-committed");
    Ok(())
}

/// The reason as the ledger has it: `count: second shelf`.
fn reasoned(reason: &str, words: &str) -> String {
    if words.is_empty() { reason.to_owned() } else { format!("{reason}: {words}") }
}
