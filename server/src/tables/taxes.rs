//! Tax rates: a row for each version, by place, category, name and the instant from which it counts. Rows that have begun stay as they are, for
//! orders were taxed by them: what is to change is another row from a later instant.

use super::{
    Cells, Context, PutError,
    cells::{Reader, instant, market_of, parse_instant, parse_money, percent, row},
};
use crate::{promotions::terms, sql::Tx, tariffs};
use anyhow::{Context as _, ensure};
use app::staff::tables::Table;
use domain::{
    market::{Country, Market, TaxMode},
    money::Money,
    offer::Instant,
    region,
    tax::Rate,
};

const TABLE: Table = Table::Taxes;

/// What a rate may be for: everything, the categories of goods that products have, and delivery.
const CATEGORIES: [&str; 5] = ["", "clothing", "books", "food", "delivery"];

/// The highest rate: the European Union's is 27 % (Hungary); what is above twice that is a slip of the pen.
const RATE_MAX: u32 = 540_000;

/// What a row is known by.
struct Key<'a> {
    country: &'a str,
    region: &'a str,
    category: &'a str,
    name: &'a str,
    from: Instant,
}

impl Key<'_> {
    fn text(&self) -> String {
        [self.country, self.region, self.category, self.name, &instant(self.from)].join("|")
    }
}

fn parsed(key: &str) -> Option<Key<'_>> {
    let [country, region, category, name, from] = key.split('|').collect::<Vec<_>>().try_into().ok()?;
    Some(Key { country, region, category, name, from: parse_instant(from, "UTC").ok()? })
}

/// The key that a row's cells make.
pub(super) fn key(cx: &Context<'_>, cells: &Cells) -> Result<String, PutError> {
    let mut reader = Reader::new(TABLE, cells);
    let country = reader.read("country", |text| text.parse::<Country>().with_context(|| format!("{text:?} is not a country code such as DE")));
    let zone = country.and_then(|country| market_of(cx.markets, country)).map_or("UTC", |market| market.time_zone.as_str());
    let from = reader.read_optional("from", |text| parse_instant(text, zone));
    let region = reader.get("region");
    if let Some(country) = country
        && !region.is_empty()
        && region::name(country, region).is_none()
    {
        reader.wrong("region", format!("{country} has no region {region:?} that its addresses name."));
    }
    if reader.get("name").is_empty() {
        reader.wrong("name", "Invoices print it: VAT, GST, sales tax.");
    }
    for name in ["category", "name"] {
        if reader.get(name).contains('|') {
            reader.wrong(name, "The sign | cannot stand here.");
        }
    }
    let (category, name) = (reader.get("category"), reader.get("name"));
    let read = country.zip(from.ok());
    let (country, from) = reader.done(read)?;
    Ok(Key { country: country.code(), region, category, name, from: from.unwrap_or(cx.now) }.text())
}

pub(super) fn cells(rate: &Rate, market: Option<&Market>) -> Cells {
    let (scope, limit) = tariffs::scope_columns(rate.scope);
    let limit = limit.map(|minor| market.map_or_else(|| minor.to_string(), |market| Money::new(minor, market.currency).decimal()));
    row(
        TABLE,
        &[
            ("country", rate.country.to_string()),
            ("region", rate.region.clone()),
            ("category", rate.category.clone()),
            ("name", rate.name.clone()),
            ("from", instant(rate.valid_from)),
            ("rate", percent(rate.millionths)),
            ("scope", scope.to_owned()),
            ("limit", limit.unwrap_or_default()),
            ("estimated", if rate.estimated { "yes" } else { "" }.to_owned()),
            ("source", rate.source.clone()),
        ],
    )
}

pub(super) async fn read(tx: &mut Tx, cx: &Context<'_>, key: &str) -> anyhow::Result<Option<Cells>> {
    let Some(key) = parsed(key) else { return Ok(None) };
    let rate = tariffs::rate_at(tx, (key.country, key.region, key.category, key.name), key.from).await?;
    Ok(rate.map(|rate| cells(&rate, market_of(cx.markets, rate.country))))
}

pub(super) async fn put(tx: &mut Tx, cx: &Context<'_>, key: &str, before: Option<&Cells>, cells: &Cells) -> Result<(), PutError> {
    let key = parsed(key).context("a key that was read a moment ago")?;
    let mut reader = Reader::new(TABLE, cells);
    if key.from < cx.now {
        let sentence = if before.is_some() {
            "It has begun, and orders were taxed by it: add a row from a later instant instead."
        } else {
            "Orders of the past keep their taxes: say an instant that is still to come, or leave it empty for now."
        };
        reader.wrong("from", sentence);
    }
    let country = key.country.parse::<Country>().context("a country")?;
    if !CATEGORIES.contains(&key.category) {
        let known = CATEGORIES[1..].join(", ");
        reader.wrong("category", format!("No product can have the tax category {:?}: leave it empty, or type one of {known}.", key.category));
    }
    // A second tax inside a price would be taken out of it beside the first.
    let others = tariffs::names(tx, country).await?;
    let is_inside = market_of(cx.markets, country).is_none_or(|market| market.tax_mode == TaxMode::Inclusive);
    if is_inside && !others.is_empty() && !others.iter().any(|name| name == key.name) {
        reader.wrong("name", format!("Prices there include one tax, and it is called {}: another name would be a second tax.", others.join(", ")));
    }
    let millionths = reader.read("rate", |text| {
        let millionths = terms::millionths(text)?;
        ensure!(millionths <= RATE_MAX, "{text} % is more than any tax on goods: check the figure");
        Ok(millionths)
    });
    let limit = reader.read_optional("limit", |text| {
        let market = market_of(cx.markets, country).context("no market delivers there, so nobody knows in which currency the limit is")?;
        Ok(parse_money(text, market.currency)?.minor)
    });
    let scope = match limit {
        Ok(limit) => reader.read("scope", |word| {
            ensure!(limit.is_some() || !matches!(word, "below" | "above"), "this one needs a limit");
            ensure!(limit.is_none() || matches!(word, "below" | "above"), "a limit counts for pieces below it, or for what is beyond it");
            tariffs::scope(word, limit).context("choose what of an amount it counts for")
        }),
        Err(_) => None,
    };
    let estimated = reader.flag("estimated");
    let source = reader.get("source").to_owned();
    if source.is_empty() {
        reader.wrong("source", "Name the law, or the office's page that says so.");
    }
    let read = millionths.zip(scope);
    let (millionths, scope) = reader.done(read)?;
    let rate = Rate {
        country,
        region: key.region.to_owned(),
        category: key.category.to_owned(),
        name: key.name.to_owned(),
        millionths,
        scope,
        estimated,
        source,
        valid_from: key.from,
    };
    tariffs::put_rate(tx, &rate).await?;
    Ok(())
}

/// A row that has not begun is gone; after one that has, the row before it counts again from now on.
pub(super) async fn end(tx: &mut Tx, cx: &Context<'_>, key: &str) -> Result<Option<String>, PutError> {
    let key = parsed(key).context("a key that was read a moment ago")?;
    let place = (key.country, key.region, key.category, key.name);
    if key.from > cx.now {
        tariffs::remove_rate(tx, place, key.from).await?;
        return Ok(None);
    }
    let begun = tariffs::rate_before(tx, place, key.from).await?.unwrap_or(Instant::MIN);
    let mut earlier = if let Some(earlier) = tariffs::rate_at(tx, place, begun).await? {
        earlier
    } else {
        // Nothing counted before it, and nothing does again.
        let ended = tariffs::rate_at(tx, place, key.from).await?.context("it was read a moment ago")?;
        Rate { millionths: 0, source: format!("ended; before: {}", ended.source).chars().take(300).collect(), ..ended }
    };
    earlier.valid_from = cx.now.max(key.from + 1);
    tariffs::put_rate(tx, &earlier).await?;
    Ok(Some(Key { from: earlier.valid_from, ..key }.text()))
}
