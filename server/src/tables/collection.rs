//! Where taxes are collected: a row for each place and instant. A place without one collects.

use super::{
    Cells, Context, PutError,
    cells::{Reader, instant, market_of, parse_instant, row, sentence},
};
use crate::{
    sql::Tx,
    tariffs::{nexus, parse_place},
};
use anyhow::{Context as _, bail};
use app::staff::tables::Table;
use domain::offer::Instant;

const TABLE: Table = Table::Collection;

fn parsed(key: &str) -> Option<(&str, Instant)> {
    let (place, from) = key.split_once('|')?;
    Some((place, parse_instant(from, "UTC").ok()?))
}

/// The key that a row's cells make.
pub(super) fn key(cx: &Context<'_>, cells: &Cells) -> Result<String, PutError> {
    let mut reader = Reader::new(TABLE, cells);
    let place = reader.read("place", parse_place);
    let zone = place.and_then(|(country, _)| market_of(cx.markets, country)).map_or("UTC", |market| market.time_zone.as_str());
    let from = reader.read_optional("from", |text| parse_instant(text, zone));
    let name = reader.get("place");
    let from = reader.done(from.ok())?;
    Ok(format!("{name}|{}", instant(from.unwrap_or(cx.now))))
}

pub(super) fn cells(place: &str, from: Instant, collects: bool) -> Cells {
    row(TABLE, &[("place", place.to_owned()), ("from", instant(from)), ("collects", if collects { "yes" } else { "no" }.to_owned())])
}

pub(super) async fn read(tx: &mut Tx, key: &str) -> anyhow::Result<Option<Cells>> {
    let Some((place, from)) = parsed(key) else { return Ok(None) };
    let Ok((country, region)) = parse_place(place) else { return Ok(None) };
    Ok(nexus::at(tx, country, region, from).await?.map(|collects| cells(place, from, collects)))
}

pub(super) async fn put(tx: &mut Tx, cx: &Context<'_>, key: &str, before: Option<&Cells>, cells: &Cells) -> Result<(), PutError> {
    let (place, from) = parsed(key).context("a key that was read a moment ago")?;
    let mut reader = Reader::new(TABLE, cells);
    if from < cx.now {
        let begun = "It has begun, and orders were taxed by it: add a row from a later instant instead.";
        let past = "Orders of the past keep their taxes: say an instant that is still to come, or leave it empty for now.";
        reader.wrong("from", if before.is_some() { begun } else { past });
    }
    let collects = reader.read("collects", |word| match word {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => bail!("type yes or no"),
    });
    let collects = reader.done(collects)?;
    let (country, region) = parse_place(place).map_err(|error| PutError::wrong("place", sentence(&error)))?;
    nexus::set(tx, country, region, collects, from).await?;
    Ok(())
}

/// A row that has not begun is gone; after one that has, what counted before counts again from now on.
pub(super) async fn end(tx: &mut Tx, cx: &Context<'_>, key: &str) -> Result<Option<String>, PutError> {
    let (place, from) = parsed(key).context("a key that was read a moment ago")?;
    let (country, region) = parse_place(place)?;
    if from > cx.now {
        nexus::remove(tx, country, region, from).await?;
        return Ok(None);
    }
    let (earlier, ends) = (nexus::before(tx, country, region, from).await?, cx.now.max(from + 1));
    nexus::set(tx, country, region, earlier.unwrap_or(true), ends).await?;
    Ok(Some(format!("{place}|{}", instant(ends))))
}
