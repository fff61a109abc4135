//! Categories, tags, markets, delivery methods and pages in SQL: what all products share.

use crate::{
    catalog::product::{SlugKind, Texts, give_slug, json},
    params,
    sql::{Db, Tx},
};
use domain::{delivery::Method, market::Market, offer::Instant};
use serde::{Deserialize, Serialize};

/// A category in every language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    pub key: String,
    pub titles: Texts,
    pub descriptions: Texts,
    pub seo_titles: Texts,
    pub seo_descriptions: Texts,
    pub tile: Option<crate::catalog::product::PictureTexts>,
}

/// A tag in every language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub key: String,
    #[serde(rename = "title")]
    pub titles: Texts,
    #[serde(rename = "description", default)]
    pub descriptions: Texts,
}

impl Category {
    /// All, in the order of the navigation.
    pub async fn all(db: &Db) -> anyhow::Result<Vec<Self>> {
        db.all("SELECT * FROM categories ORDER BY position, key", vec![])
            .await?
            .iter()
            .map(|row| {
                Ok(Self {
                    key: row.text("key")?,
                    titles: json(row, "titles")?,
                    descriptions: json(row, "descriptions")?,
                    seo_titles: json(row, "seo_titles")?,
                    seo_descriptions: json(row, "seo_descriptions")?,
                    tile: row.text_or_null("tile")?.map(|tile| serde_json::from_str(&tile)).transpose()?,
                })
            })
            .collect()
    }

    /// Adds a category at the end unless there is one of this key.
    pub async fn add(&self, tx: &mut Tx) -> anyhow::Result<()> {
        let position = next_position(tx, "SELECT COALESCE(MAX(position), -1) + 1 AS n FROM categories").await?;
        tx.execute(
            "INSERT INTO categories (key, position, titles, descriptions, seo_titles, seo_descriptions, tile) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (key) DO NOTHING",
            params![
                &self.key,
                position,
                serde_json::to_string(&self.titles)?,
                serde_json::to_string(&self.descriptions)?,
                serde_json::to_string(&self.seo_titles)?,
                serde_json::to_string(&self.seo_descriptions)?,
                self.tile.as_ref().map(serde_json::to_string).transpose()?
            ],
        )
        .await?;
        give_slug(tx, SlugKind::Category, &self.key, &self.key).await
    }
}

impl Tag {
    pub async fn all(db: &Db) -> anyhow::Result<Vec<Self>> {
        db.all("SELECT * FROM tags ORDER BY position, key", vec![])
            .await?
            .iter()
            .map(|row| Ok(Self { key: row.text("key")?, titles: json(row, "titles")?, descriptions: json(row, "descriptions")? }))
            .collect()
    }

    /// Adds a tag at the end unless there is one of this key.
    pub async fn add(&self, tx: &mut Tx) -> anyhow::Result<()> {
        let position = next_position(tx, "SELECT COALESCE(MAX(position), -1) + 1 AS n FROM tags").await?;
        tx.execute(
            "INSERT INTO tags (key, position, titles, descriptions) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING",
            params![&self.key, position, serde_json::to_string(&self.titles)?, serde_json::to_string(&self.descriptions)?],
        )
        .await?;
        give_slug(tx, SlugKind::Tag, &self.key, &self.key).await
    }
}

/// The number after the last one.
pub(crate) async fn next_position(tx: &mut Tx, sql: &'static str) -> anyhow::Result<i64> {
    tx.first(sql, vec![]).await?.map_or(Ok(0), |row| row.int("n"))
}

/// The markets in force at `now`, in their order.
pub async fn markets(db: &Db, now: Instant) -> anyhow::Result<Vec<Market>> {
    let rows =
        db.all("SELECT code, body, position FROM markets WHERE valid_from <= $1 ORDER BY position, code, valid_from DESC", params![now]).await?;
    let mut markets: Vec<Market> = Vec::new();
    for row in &rows {
        let market: Market = json(row, "body")?;
        // The latest version of a market comes first.
        if !markets.iter().any(|known| known.code == market.code) {
            markets.push(market);
        }
    }
    Ok(markets)
}

/// Writes a market's version.
pub async fn add_market(tx: &mut Tx, market: &Market, position: i64, from: Instant) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO markets (code, valid_from, body, position) VALUES ($1, $2, $3, $4)",
        params![market.code.code(), from, serde_json::to_string(market)?, position],
    )
    .await?;
    Ok(())
}

/// All versions of one of a market's delivery methods, with the instant from which each holds, earliest first.
pub async fn delivery_versions(db: &Db, market: &Market, code: &str) -> anyhow::Result<Vec<(Instant, Method)>> {
    let rows = db
        .all("SELECT valid_from, body FROM delivery_methods WHERE market = $1 AND code = $2 ORDER BY valid_from", params![market.code.code(), code])
        .await?;
    rows.iter().map(|row| Ok((row.int("valid_from")?, json(row, "body")?))).collect()
}

/// A page's JSON by kind (`help`, `page`), in order.
pub async fn pages(db: &Db, kind: &str) -> anyhow::Result<Vec<(String, String)>> {
    db.all("SELECT slug, body FROM pages WHERE kind = $1 ORDER BY position, slug", params![kind])
        .await?
        .iter()
        .map(|row| Ok((row.text("slug")?, row.text("body")?)))
        .collect()
}

/// Writes a page.
pub async fn put_page(tx: &mut Tx, kind: &str, slug: &str, position: i64, body: &str) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO pages (kind, slug, position, body) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, slug) DO UPDATE SET position = excluded.position, body = excluded.body",
        params![kind, slug, position, body],
    )
    .await?;
    Ok(())
}

/// A small fact about this shop.
pub async fn setting(db: &Db, name: &str) -> anyhow::Result<Option<String>> {
    db.first("SELECT value FROM shop_settings WHERE name = $1", params![name]).await?.map(|row| row.text("value")).transpose()
}

/// Writes a small fact unless it is there. Whether it was written.
pub async fn set_once(tx: &mut Tx, name: &str, value: &str) -> anyhow::Result<bool> {
    let written = tx.execute("INSERT INTO shop_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", params![name, value]).await?;
    Ok(written == 1)
}
