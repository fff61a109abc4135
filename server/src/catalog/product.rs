//! A product as SQL keeps it: every language, every market. What a reader sees is made from it by the read model.

use crate::{
    catalog::terms,
    params,
    sql::{Db, Row, Tx, Value},
};
use anyhow::Context as _;
use domain::{ProductId, VariantId, catalog::PictureSource, locale::TextLanguage, offer::Instant};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// A text by language.
pub type Texts = BTreeMap<TextLanguage, String>;
/// Lines by language.
pub type Lines = BTreeMap<TextLanguage, Vec<String>>;

/// The text in a language or the nearest one there is; empty when there is none at all.
pub fn pick<T>(texts: &BTreeMap<TextLanguage, T>, language: TextLanguage) -> Option<&T> {
    language.fallbacks().iter().find_map(|language| texts.get(language)).or_else(|| texts.values().next())
}

/// [`pick`] for a text.
pub fn text(texts: &Texts, language: TextLanguage) -> String {
    pick(texts, language).cloned().unwrap_or_default()
}

/// The same text in every language.
pub fn everywhere(text: &str) -> Texts {
    TextLanguage::ALL.into_iter().map(|language| (language, text.to_owned())).collect()
}

/// A product without its variants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Product {
    pub id: ProductId,
    pub handle: String,
    pub status: Status,
    pub published: bool,
    pub vendor: String,
    /// A category's key.
    pub category: Option<String>,
    /// Keys of tags, in the seller's order.
    pub tags: Vec<String>,
    pub tax_category: String,
    pub hs_code: String,
    pub origin: String,
    /// Lower comes first.
    pub position: i64,
    pub texts: ProductTexts,
    pub options: Vec<OptionTexts>,
    pub pictures: Vec<PictureTexts>,
    pub created_at: Instant,
}

/// Whether a product is on sale, being prepared, or gone for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Active,
    Draft,
    Archived,
}

impl Status {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draft => "draft",
            Self::Archived => "archived",
        }
    }

    /// Reads a key in any case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Draft, Self::Archived].into_iter().find(|status| status.key().eq_ignore_ascii_case(text))
    }
}

/// What is said about a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductTexts {
    pub title: Texts,
    pub summary: Texts,
    /// Sanitised: paragraphs and lists only.
    pub description_html: Texts,
    pub details: Lines,
    pub materials: Lines,
    /// Alternative text of its pictures; `{colour}` stands for the colour's name.
    pub alt: Texts,
    pub seo_title: Texts,
    pub seo_description: Texts,
}

/// An option in every language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OptionTexts {
    pub slug: String,
    #[serde(alias = "name")]
    pub names: Texts,
    pub values: Vec<ValueTexts>,
}

/// An option's value in every language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ValueTexts {
    pub slug: String,
    #[serde(alias = "name")]
    pub names: Texts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

/// A picture in every language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PictureTexts {
    pub source: PictureSource,
    pub width: u32,
    pub height: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub view: String,
    /// Alternative texts of its own; without one the product's template speaks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alts: Texts,
    /// How the import named it, by which the next one knows it again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub named: String,
}

/// A variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    pub id: VariantId,
    pub product: ProductId,
    pub position: i64,
    pub sku: String,
    pub barcode: String,
    /// A value's slug for each option.
    pub values: Vec<String>,
    pub weight_g: i64,
    /// Business days before it leaves, beside its location's.
    pub handling_days: i64,
    /// Whether stock is counted at all.
    pub tracked: bool,
    /// Whether it is sold on when nothing is left.
    pub oversell: bool,
    pub active: bool,
}

impl Product {
    /// Whether readers see it.
    pub fn is_shown(&self) -> bool {
        self.published && self.status == Status::Active
    }

    pub(crate) fn read(row: &Row) -> anyhow::Result<Self> {
        let status = row.text("status")?;
        Ok(Self {
            id: row.parse("id")?,
            handle: row.text("handle")?,
            status: Status::parse(&status).with_context(|| format!("the status {status:?}"))?,
            published: row.flag("published")?,
            vendor: row.text("vendor")?,
            category: row.text_or_null("category")?,
            tags: json(row, "tags")?,
            tax_category: row.text("tax_category")?,
            hs_code: row.text("hs_code")?,
            origin: row.text("origin")?,
            position: row.int("position")?,
            texts: json(row, "texts")?,
            options: json(row, "options")?,
            pictures: json(row, "pictures")?,
            created_at: row.int("created_at")?,
        })
    }

    /// The product that an import calls by this handle.
    pub async fn by_handle(tx: &mut Tx, handle: &str) -> anyhow::Result<Option<Self>> {
        let row = tx.first("SELECT * FROM products WHERE handle = $1", params![handle]).await?;
        row.as_ref().map(Self::read).transpose()
    }

    /// Writes a product that was not there.
    pub async fn insert(&self, tx: &mut Tx, now: Instant) -> anyhow::Result<()> {
        tx.execute(
            "INSERT INTO products (id, handle, status, published, vendor, category, tags, tax_category, hs_code, origin, position, texts, options, pictures, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            params![
                self.id,
                &self.handle,
                self.status.key(),
                self.published,
                &self.vendor,
                self.category.clone(),
                serde_json::to_string(&self.tags)?,
                &self.tax_category,
                &self.hs_code,
                &self.origin,
                self.position,
                serde_json::to_string(&self.texts)?,
                serde_json::to_string(&self.options)?,
                serde_json::to_string(&self.pictures)?,
                self.created_at,
                now
            ],
        )
        .await?;
        terms::write_product(tx, self, true).await
    }

    /// Writes what changed about a product.
    pub async fn update(&self, tx: &mut Tx, now: Instant) -> anyhow::Result<()> {
        tx.execute(
            "UPDATE products SET status = $2, published = $3, vendor = $4, category = $5, tags = $6, tax_category = $7, hs_code = $8, origin = $9, \
             position = $10, texts = $11, options = $12, pictures = $13, updated_at = $14 WHERE id = $1",
            params![
                self.id,
                self.status.key(),
                self.published,
                &self.vendor,
                self.category.clone(),
                serde_json::to_string(&self.tags)?,
                &self.tax_category,
                &self.hs_code,
                &self.origin,
                self.position,
                serde_json::to_string(&self.texts)?,
                serde_json::to_string(&self.options)?,
                serde_json::to_string(&self.pictures)?,
                now
            ],
        )
        .await?;
        terms::write_product(tx, self, false).await
    }
}

impl Variant {
    pub(crate) fn read(row: &Row) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.parse("id")?,
            product: row.parse("product_id")?,
            position: row.int("position")?,
            sku: row.text("sku")?,
            barcode: row.text("barcode")?,
            values: json(row, "option_values")?,
            weight_g: row.int("weight_g")?,
            handling_days: row.int("handling_days")?,
            tracked: row.flag("tracked")?,
            oversell: row.flag("oversell")?,
            active: row.flag("active")?,
        })
    }

    /// All variants of a product, those no longer offered too.
    pub async fn of(tx: &mut Tx, product: ProductId) -> anyhow::Result<Vec<Self>> {
        tx.all("SELECT * FROM variants WHERE product_id = $1 ORDER BY position, id", params![product]).await?.iter().map(Self::read).collect()
    }

    pub async fn insert(&self, tx: &mut Tx) -> anyhow::Result<()> {
        tx.execute(
            "INSERT INTO variants (id, product_id, position, sku, barcode, option_values, weight_g, handling_days, tracked, oversell, active) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            params![
                self.id,
                self.product,
                self.position,
                &self.sku,
                &self.barcode,
                serde_json::to_string(&self.values)?,
                self.weight_g,
                self.handling_days,
                self.tracked,
                self.oversell,
                self.active
            ],
        )
        .await?;
        terms::write_variant(tx, self, true).await
    }

    pub async fn update(&self, tx: &mut Tx) -> anyhow::Result<()> {
        tx.execute(
            "UPDATE variants SET position = $2, sku = $3, barcode = $4, option_values = $5, weight_g = $6, handling_days = $7, tracked = $8, oversell = $9, \
             active = $10 WHERE id = $1",
            params![
                self.id,
                self.position,
                &self.sku,
                &self.barcode,
                serde_json::to_string(&self.values)?,
                self.weight_g,
                self.handling_days,
                self.tracked,
                self.oversell,
                self.active
            ],
        )
        .await?;
        terms::write_variant(tx, self, false).await
    }
}

/// A column that holds JSON.
pub(crate) fn json<T: DeserializeOwned>(row: &Row, column: &str) -> anyhow::Result<T> {
    serde_json::from_str(&row.text(column)?).with_context(|| format!("column {column}"))
}

/// Addresses of products and shelves, with history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlugKind {
    Product,
    Category,
    Tag,
}

impl SlugKind {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Category => "category",
            Self::Tag => "tag",
        }
    }
}

/// Gives a target its address in all languages; one that somebody else has is counted up: `mug`, `mug-2`.
pub async fn give_slug(tx: &mut Tx, kind: SlugKind, wanted: &str, target: &str) -> anyhow::Result<()> {
    const LANGUAGES: [TextLanguage; 6] = TextLanguage::ALL;
    let mut values = params![kind.key(), wanted, target];
    values.extend(LANGUAGES.map(|language| Value::from(language.key())));
    // Nearly always it is free in all of them: one statement then, which leaves what is taken.
    let given = tx
        .execute(
            "INSERT INTO slugs (kind, language, slug, target, is_current) VALUES ($1, $4, $2, $3, 1), ($1, $5, $2, $3, 1), ($1, $6, $2, $3, 1), \
             ($1, $7, $2, $3, 1), ($1, $8, $2, $3, 1), ($1, $9, $2, $3, 1) ON CONFLICT (kind, language, slug) DO NOTHING",
            values,
        )
        .await?;
    if given == LANGUAGES.len() as u64 {
        return Ok(());
    }
    for language in LANGUAGES {
        for n in 1..100 {
            let slug = if n == 1 { wanted.to_owned() } else { format!("{wanted}-{n}") };
            let taken = tx
                .first("SELECT target FROM slugs WHERE kind = $1 AND language = $2 AND slug = $3", params![kind.key(), language.key(), &slug])
                .await?;
            match taken.map(|row| row.text("target")).transpose()? {
                Some(owner) if owner != target => {}
                Some(_) => break,
                None => {
                    tx.execute(
                        "INSERT INTO slugs (kind, language, slug, target, is_current) VALUES ($1, $2, $3, $4, 1)",
                        params![kind.key(), language.key(), &slug, target],
                    )
                    .await?;
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Makes `slug` the address of a target in one language; the one before answers with a move.
pub async fn rename(tx: &mut Tx, kind: SlugKind, language: TextLanguage, slug: &str, target: &str) -> anyhow::Result<()> {
    tx.execute("UPDATE slugs SET is_current = 0 WHERE kind = $1 AND language = $2 AND target = $3", params![kind.key(), language.key(), target])
        .await?;
    tx.execute(
        "INSERT INTO slugs (kind, language, slug, target, is_current) VALUES ($1, $2, $3, $4, 1) \
         ON CONFLICT (kind, language, slug) DO UPDATE SET target = excluded.target, is_current = 1",
        params![kind.key(), language.key(), slug, target],
    )
    .await?;
    Ok(())
}

/// How many products there are, shown or not.
pub async fn count(db: &Db) -> anyhow::Result<i64> {
    db.first("SELECT COUNT(*) AS n FROM products", vec![]).await?.map_or(Ok(0), |row| row.int("n"))
}
