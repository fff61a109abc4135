//! Lists of orders for staff: what waits for somebody, what is in which state, and what fits one exact thing. Each statement walks an index in
//! its own order and is turned by a key (an instant, an id), so that a page costs the same whatever the number of orders.

use super::{Orders, aftermath, store, tokens};
use crate::{params, sql::Row};
use domain::{
    OrderId,
    account::{Email, Phone, clean, clean_ascii},
    market::MarketCode,
    money::Money,
    offer::Instant,
    order::OrderNumber,
};

/// Orders on a page.
pub const PAGE: usize = 50;
/// Where counting stops.
pub const COUNTED_MAX: u64 = 10_000;
/// What can be searched for has at most so many characters: more than the longest email address.
pub const WANTED_CHARS_MAX: usize = 300;
/// Variants that may share a SKU.
const SKU_VARIANTS_MAX: i64 = 20;

/// Where a page begins: after this row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When the order was placed; in lists of what waits, its turn.
    pub at: Instant,
    pub id: OrderId,
}

/// An order as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub key: Key,
    pub number: OrderNumber,
    pub market: MarketCode,
    pub placed_at: Instant,
    pub total: Money,
    /// The words of status and progress as they are stored.
    pub status: String,
    pub progress: String,
    /// The word of what it waits for: of the list's kind, elsewhere of the most urgent.
    pub attention: String,
    /// When evidence is due, in the list of disputes.
    pub due: Option<Instant>,
}

/// A page of a list, and the key of its last row if there are more.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub rows: Vec<Listed>,
    pub more: Option<Key>,
}

/// Everything that is not said does not count.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub markets: Vec<MarketCode>,
    /// Pairs of status and progress, as stored.
    pub states: Vec<(&'static str, &'static str)>,
    /// Placed at or after.
    pub from: Option<Instant>,
    /// Placed before.
    pub to: Option<Instant>,
}

macro_rules! listed {
    ($rest:literal) => {
        concat!("SELECT o.id, o.number, o.market, o.currency, o.total_minor, o.status, o.progress, o.attention, o.placed_at FROM ", $rest)
    };
}
macro_rules! waiting {
    ($one:literal) => {
        concat!(
            "SELECT o.id, o.number, o.market, o.currency, o.total_minor, o.status, o.progress, w.kind AS attention, o.placed_at, w.turn_at, w.due_at \
             FROM order_waits w JOIN orders o ON o.id = w.order_id WHERE ",
            $one,
            "w.kind = $1 AND (w.turn_at, w.order_id) > ($2, $3) ORDER BY w.turn_at, w.order_id LIMIT $4"
        )
    };
}

const WAITING: &str = waiting!("");
const WAITING_IN: &str = waiting!("w.market = $5 AND ");
const COUNT: &str = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM order_waits w WHERE w.kind = $1 LIMIT $2) counted";
const COUNT_IN: &str = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM order_waits w WHERE w.market = $3 AND w.kind = $1 LIMIT $2) counted";
const LATEST: &str = listed!("orders o WHERE (o.placed_at, o.id) < ($1, $2) AND o.placed_at >= $3 ORDER BY o.placed_at DESC, o.id DESC LIMIT $4");
const IN_STATE: &str = listed!(
    "orders o WHERE o.market = $5 AND o.status = $6 AND o.progress = $7 AND (o.placed_at, o.id) < ($1, $2) AND o.placed_at >= $3 \
     ORDER BY o.placed_at DESC, o.id DESC LIMIT $4"
);
const BY_NUMBER: &str = listed!("orders o WHERE o.number = $1");
const BY_SUBJECT: &str = listed!("orders o WHERE o.subject = $4 AND (o.placed_at, o.id) < ($1, $2) ORDER BY o.placed_at DESC, o.id DESC LIMIT $3");
const BY_TOKEN: &str = listed!(
    "order_tokens t JOIN orders o ON o.id = t.order_id WHERE t.kind = $4 AND t.hash = $5 AND (t.placed_at, t.order_id) < ($1, $2) \
     ORDER BY t.placed_at DESC, t.order_id DESC LIMIT $3"
);
const BY_TRACKING: &str = listed!("parcels p JOIN orders o ON o.id = p.order_id WHERE p.tracking = $1 LIMIT $2");
const BY_VARIANT: &str =
    listed!("order_lines l JOIN orders o ON o.id = l.order_id WHERE l.variant_id = $3 AND l.order_id < $1 ORDER BY l.order_id DESC LIMIT $2");
const VARIANTS: &str = "SELECT v.id FROM variants v WHERE v.sku = $1 LIMIT $2";

/// Every statement, each with as many sample values as it takes, for tests that look at their plans.
pub fn statements() -> Vec<(&'static str, Vec<crate::sql::Value>)> {
    vec![
        (WAITING, params!["ship", 0_i64, "", 51_i64]),
        (WAITING_IN, params!["ship", 0_i64, "", 51_i64, "DE"]),
        (COUNT, params!["ship", 10_001_i64]),
        (COUNT_IN, params!["ship", 10_001_i64, "DE"]),
        (LATEST, params![i64::MAX, "", 0_i64, 51_i64]),
        (IN_STATE, params![i64::MAX, "", 0_i64, 51_i64, "DE", "paid", "open"]),
        (BY_NUMBER, params!["NG-2222-2222"]),
        (BY_SUBJECT, params![i64::MAX, "", 51_i64, "x"]),
        (BY_TOKEN, params![i64::MAX, "", 51_i64, "phone", "x"]),
        (BY_TRACKING, params!["X", 51_i64]),
        (BY_VARIANT, params!["x", 51_i64, "y"]),
        (VARIANTS, params!["x", 20_i64]),
    ]
}

/// A page and one row more, which tells whether there are more.
const READ: i64 = 51;
const _: () = assert!(PAGE + 1 == 51);
/// Greater than every id.
const LAST: &str = "~";

impl Orders {
    /// Orders that wait for somebody, in one market or anywhere: those that have waited longest first, disputes by their deadlines. `kind` is
    /// the word of a [`domain::order::Attention`].
    pub async fn waiting(&self, kind: &str, market: Option<MarketCode>, after: Option<Key>) -> anyhow::Result<Page> {
        let (at, id) = after.map_or((i64::MIN, String::new()), |key| (key.at, key.id.to_string()));
        let rows = match market {
            Some(market) => self.db.all(WAITING_IN, params![kind, at, id, READ, market.code()]).await?,
            None => self.db.all(WAITING, params![kind, at, id, READ]).await?,
        };
        Ok(cut(rows.iter().map(read_waiting).collect::<anyhow::Result<_>>()?))
    }

    /// How many wait; counting stops one beyond [`COUNTED_MAX`].
    pub async fn count_waiting(&self, kind: &str, market: Option<MarketCode>) -> anyhow::Result<u64> {
        let most = i64::try_from(COUNTED_MAX)? + 1;
        let row = match market {
            Some(market) => self.db.first(COUNT_IN, params![kind, most, market.code()]).await?,
            None => self.db.first(COUNT, params![kind, most]).await?,
        };
        Ok(row.map_or(Ok(0), |row| row.int("n"))?.unsigned_abs())
    }

    /// Orders that pass a filter, newest first. A list of several markets or states is put together from a walk each.
    pub async fn filtered(&self, filter: &Filter, after: Option<Key>) -> anyhow::Result<Page> {
        let from = filter.from.unwrap_or(i64::MIN);
        let end = (filter.to.unwrap_or(i64::MAX), String::new());
        let (at, id) = after.map_or_else(|| end.clone(), |key| end.clone().min((key.at, key.id.to_string())));
        if filter.markets.is_empty() || filter.states.is_empty() {
            let rows = self.db.all(LATEST, params![at, id, from, READ]).await?;
            return Ok(cut(rows.iter().map(read).collect::<anyhow::Result<_>>()?));
        }
        let mut all = Vec::new();
        for market in &filter.markets {
            for (status, progress) in &filter.states {
                let rows = self.db.all(IN_STATE, params![at, &id, from, READ, market.code(), *status, *progress]).await?;
                all.extend(rows.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?);
            }
        }
        Ok(newest(all))
    }

    /// Orders that one exact thing leads to, newest first: an order number, a SKU, a tracking number, and (`personal`) an email address, a
    /// phone number, a postcode.
    pub async fn search(&self, wanted: &str, personal: bool, after: Option<Key>) -> anyhow::Result<Page> {
        let wanted = clean(wanted);
        if wanted.is_empty() || wanted.chars().count() > WANTED_CHARS_MAX {
            return Ok(Page::default());
        }
        if let Ok(number) = wanted.parse::<OrderNumber>() {
            let rows = self.db.all(BY_NUMBER, params![number.to_string()]).await?;
            return Ok(newest(rows.iter().map(read).collect::<anyhow::Result<_>>()?));
        }
        let (at, id) = after.map_or((i64::MAX, String::new()), |key| (key.at, key.id.to_string()));
        let mut rows: Vec<Row> = Vec::new();
        if let (true, Ok(email)) = (personal, Email::parse(&wanted)) {
            rows.extend(self.db.all(BY_SUBJECT, params![at, &id, READ, self.subject_of(&email)]).await?);
        }
        let mut hashes = Vec::new();
        if personal {
            hashes.extend(Phone::parse(&wanted).ok().map(|typed| (tokens::Kind::Phone, tokens::phone(&typed))));
            hashes.extend(tokens::postcode(&wanted).map(|typed| (tokens::Kind::Postcode, typed)));
        }
        for (kind, text) in hashes {
            let hash = tokens::hash(&self.keys, kind, &text);
            rows.extend(self.db.all(BY_TOKEN, params![at, &id, READ, kind.word(), hash]).await?);
        }
        let tracking = aftermath::normalised(&clean_ascii(&wanted));
        if !tracking.is_empty() {
            rows.extend(self.db.all(BY_TRACKING, params![tracking, READ]).await?);
        }
        let before = after.map_or(LAST.to_owned(), |key| key.id.to_string());
        for spelling in [wanted.clone(), wanted.to_uppercase()].iter().take(if wanted == wanted.to_uppercase() { 1 } else { 2 }) {
            for variant in self.db.all(VARIANTS, params![spelling, SKU_VARIANTS_MAX]).await? {
                rows.extend(self.db.all(BY_VARIANT, params![&before, READ, variant.text("id")?]).await?);
            }
        }
        let found: Vec<Listed> = rows.iter().map(read).collect::<anyhow::Result<_>>()?;
        Ok(newest(found.into_iter().filter(|row| after.is_none_or(|key| row.key < key)).collect()))
    }

    /// The order with this number.
    pub async fn numbered(&self, number: OrderNumber) -> anyhow::Result<Option<OrderId>> {
        self.db.first(BY_NUMBER, params![number.to_string()]).await?.map(|row| row.parse("id")).transpose()
    }
}

fn read(row: &Row) -> anyhow::Result<Listed> {
    Ok(Listed {
        key: Key { at: row.int("placed_at")?, id: row.parse("id")? },
        number: row.parse("number")?,
        market: row.parse("market")?,
        total: store::money(row, "total_minor")?,
        status: row.text("status")?,
        progress: row.text("progress")?,
        attention: row.text("attention")?,
        placed_at: row.int("placed_at")?,
        due: None,
    })
}

fn read_waiting(row: &Row) -> anyhow::Result<Listed> {
    let listed = read(row)?;
    Ok(Listed { key: Key { at: row.int("turn_at")?, id: listed.key.id }, due: row.int_or_null("due_at")?, ..listed })
}

/// Rows of several walks in one order, each once.
fn newest(mut rows: Vec<Listed>) -> Page {
    rows.sort_by_key(|row| std::cmp::Reverse(row.key));
    rows.dedup_by_key(|row| row.key);
    cut(rows)
}

fn cut(mut rows: Vec<Listed>) -> Page {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    Page { more: rows.last().filter(|_| more).map(|row| row.key), rows }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

impl std::str::FromStr for Key {
    type Err = anyhow::Error;
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (at, id) = text.split_once('.').ok_or_else(|| anyhow::anyhow!("a key is an instant and an id"))?;
        Ok(Self { at: at.parse()?, id: id.parse()? })
    }
}
