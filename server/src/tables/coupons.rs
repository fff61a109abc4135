//! Coupons: a row each, with a code or many.

use super::{
    Cells, Context, PutError,
    cells::{Reader, row},
    rule,
};
use crate::{coupons, params, random, sql::Tx};
use anyhow::{Context as _, ensure};
use app::staff::tables::Table;
use domain::{
    CouponId,
    coupon::{Caps, Code, Coupon},
};

const TABLE: Table = Table::Coupons;

/// Codes that are made at once here; `nextgen coupon bulk` makes more.
const CODES_MAX: u32 = 2_000;

pub(super) fn cells(coupon: &Coupon, code: String, ended: bool) -> Cells {
    let cap = |cap: Option<u32>| cap.map(|cap| cap.to_string()).unwrap_or_default();
    let mut cells = rule::cells(TABLE, &coupon.rule);
    let own = row(
        TABLE,
        &[
            ("id", coupon.id.to_string()),
            ("code", code),
            ("cap", cap(coupon.caps.total)),
            ("cap_per_customer", cap(coupon.caps.per_customer)),
            ("cap_per_code", cap(coupon.caps.per_code)),
            ("ended", if ended { "yes" } else { "" }.to_owned()),
        ],
    );
    for (cell, own) in cells.iter_mut().zip(own) {
        if !own.is_empty() {
            *cell = own;
        }
    }
    cells
}

pub(super) async fn read(tx: &mut Tx, key: &str) -> anyhow::Result<Option<Cells>> {
    let sql = "SELECT c.body, c.ended_at, (SELECT COUNT(*) FROM coupon_codes k WHERE k.coupon_id = c.id) AS codes, \
               (SELECT MIN(k.code) FROM coupon_codes k WHERE k.coupon_id = c.id) AS code FROM coupons c WHERE c.id = $1";
    let Some(row) = tx.first(sql, params![key]).await? else { return Ok(None) };
    let coupon: Coupon = serde_json::from_str(&row.text("body")?).context("coupons.body")?;
    Ok(Some(cells(&coupon, code_cell(&row)?, row.int_or_null("ended_at")?.is_some())))
}

/// The code, or how many there are.
pub(super) fn code_cell(row: &crate::sql::Row) -> anyhow::Result<String> {
    Ok(match row.int("codes")? {
        1 => row.text_or_null("code")?.unwrap_or_default(),
        count => format!("{count} codes"),
    })
}

pub(super) async fn put(tx: &mut Tx, cx: &Context<'_>, key: &str, before: Option<&Cells>, cells: &Cells) -> Result<(), PutError> {
    let mut reader = Reader::new(TABLE, cells);
    let ended = reader.flag("ended");
    let count = |text: &str| text.parse::<u32>().ok().filter(|cap| *cap > 0).context("a limit is a whole number from 1 on; leave it empty for none");
    let caps = (reader.read_optional("cap", count), reader.read_optional("cap_per_code", count), reader.read_optional("cap_per_customer", count));
    let rule = rule::read(tx, cx, &mut reader).await?;
    let stands = match before {
        Some(_) => Some(stored(tx, key).await?),
        None => None,
    };
    let made = if before.is_none() { codes(&mut reader) } else { Some(Codes::Kept) };
    if let Some(cells) = before
        && Reader::new(TABLE, cells).get("code") != reader.get("code")
    {
        reader.wrong("code", "A code that was given out stays what it is. End the coupon, and add another one.");
    }
    let (Some(rule), Some(made), (Ok(total), Ok(mut per_code), Ok(per_customer))) = (rule, made, caps) else {
        return reader.done(None);
    };
    if matches!(made, Codes::Many { .. }) {
        per_code = per_code.or(Some(1));
    }
    let caps = Caps { total, per_code, per_customer };
    if let Some((stands, ended_before)) = &stands {
        let is_lost = |was: Option<u32>, is: Option<u32>| was.is_some() != is.is_some();
        for (name, was, is) in [
            ("cap", stands.caps.total, caps.total),
            ("cap_per_code", stands.caps.per_code, caps.per_code),
            ("cap_per_customer", stands.caps.per_customer, caps.per_customer),
        ] {
            if is_lost(was, is) {
                reader.wrong(name, "Uses are counted from the beginning or not at all: a limit can be changed, neither added nor removed.");
            }
        }
        if !ended_before && stands.rule.valid_until.is_none_or(|until| until > cx.now) {
            rule::keeps_beginning(&mut reader, stands.rule.valid_from, rule.valid_from, cx.now);
        }
    }
    let coupon = Coupon { id: CouponId(key.parse().context("an id")?), rule, caps };
    if let Err(error) = coupon.check() {
        reader.wrong("", super::cells::sentence(&error.into()));
    }
    reader.done(Some(()))?;
    write(tx, cx, &coupon, made, ended, stands.is_some()).await
}

async fn write(tx: &mut Tx, cx: &Context<'_>, coupon: &Coupon, codes: Codes, ended: bool, is_there: bool) -> Result<(), PutError> {
    let body = serde_json::to_string(coupon).context("a coupon")?;
    if is_there {
        let ended_at = "UPDATE coupons SET body = $2, ended_at = CASE WHEN $3 = 0 THEN NULL ELSE COALESCE(ended_at, $4) END WHERE id = $1";
        tx.execute(ended_at, params![coupon.id, body, i64::from(ended), cx.now]).await?;
        return Ok(());
    }
    coupons::add(tx, coupon, cx.clock).await?;
    match codes {
        Codes::Kept => {}
        Codes::One(code) => {
            if !coupons::add_code(tx, coupon.id, &code).await? {
                return Err(PutError::wrong("code", "There is a code that reads like this one already; codes are not used twice."));
            }
        }
        Codes::Many { prefix, count } => {
            let mut made = 0;
            while made < count {
                let code = Code::from_random(&prefix, random::bytes()).context("the prefix was read a moment ago")?;
                // One in 2^60 is taken: then another one is made.
                made += u32::from(coupons::add_code(tx, coupon.id, &code).await?);
            }
        }
    }
    Ok(())
}

/// Which codes a row asks for.
enum Codes {
    Kept,
    One(Code),
    Many { prefix: String, count: u32 },
}

fn codes(reader: &mut Reader<'_>) -> Option<Codes> {
    reader.read("code", |text| {
        if let Some((prefix, count)) = text.rsplit_once(" x ") {
            let count: u32 = count.trim().parse().context("write it as SPRING x 500")?;
            ensure!((1..=CODES_MAX).contains(&count), "between 1 and {CODES_MAX} codes are made at once here; nextgen coupon bulk makes more");
            Code::from_random(prefix.trim(), [0; 8]).with_context(|| format!("{prefix:?} cannot stand before a code"))?;
            return Ok(Codes::Many { prefix: prefix.trim().to_owned(), count });
        }
        Ok(Codes::One(text.parse().with_context(|| format!("{text:?} cannot be a code: 4 to 32 letters and digits, with dashes between"))?))
    })
}

async fn stored(tx: &mut Tx, key: &str) -> anyhow::Result<(Coupon, bool)> {
    let row = tx.first("SELECT body, ended_at FROM coupons WHERE id = $1", params![key]).await?.context("it was read a moment ago")?;
    Ok((serde_json::from_str(&row.text("body")?).context("coupons.body")?, row.int_or_null("ended_at")?.is_some()))
}

pub(super) async fn end(tx: &mut Tx, cx: &Context<'_>, key: &str) -> Result<(), PutError> {
    let ended = tx.execute("UPDATE coupons SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL", params![key, cx.now]).await?;
    if ended == 0 { Err(PutError::wrong("", "It was ended before.")) } else { Ok(()) }
}
