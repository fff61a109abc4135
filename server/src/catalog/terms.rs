//! What staff find products and variants by: SKU, barcode, and the title from each of its words on. Written with the product; a shop from before
//! is caught up in the background. Shoppers search elsewhere, with more patience for spelling.

use super::product::{Product, Variant, text};
use crate::{
    background::Stop,
    params,
    sql::{Db, Tx, Value},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{ProductId, VariantId, account::clean, locale::TextLanguage};

/// Words of a title that it is found by.
const WORDS_MAX: usize = 8;
/// Characters of a term that count.
const CHARS_MAX: usize = 60;
/// Products caught up with in one transaction.
const BATCH: u32 = 200;

/// Something found: a variant by its SKU or barcode, or a product by its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub term: Vec<u8>,
    pub product: ProductId,
    /// `None`: the product with all its variants.
    pub variant: Option<VariantId>,
}

impl Found {
    /// What the next rows come after, for an address.
    pub fn key(&self) -> String {
        let variant = self.variant.map(|variant| variant.to_string()).unwrap_or_default();
        format!("{}.{}.{variant}", URL_SAFE_NO_PAD.encode(&self.term), self.product)
    }
}

/// Lower case, one space between words: how terms are written and looked for.
pub fn folded(text: &str) -> String {
    clean(text).to_lowercase().chars().take(CHARS_MAX).collect::<String>().trim_end().to_owned()
}

pub const FIND: &str = "SELECT t.term, t.product_id, t.variant_id FROM catalog_terms t \
     WHERE (t.term, t.product_id, t.variant_id) > ($1, $2, $3) AND t.term < $4 \
     AND NOT EXISTS (SELECT 1 FROM catalog_terms e WHERE e.product_id = t.product_id AND e.variant_id = t.variant_id AND e.term >= $5 AND e.term < t.term) \
     ORDER BY t.term, t.product_id, t.variant_id LIMIT $6";

/// What begins with `wanted`, exact matches first, at most `limit`; `after` is the key of the row before. Each product and variant once.
pub async fn find(db: &Db, wanted: &str, after: Option<&str>, limit: u32) -> anyhow::Result<Vec<Found>> {
    let first = folded(wanted).into_bytes();
    if first.is_empty() {
        return Ok(Vec::new());
    }
    // No UTF-8 has this byte, so everything that begins with `first` is less.
    let end = [first.as_slice(), &[0xff]].concat();
    let (term, product, variant) =
        after.and_then(key).filter(|(term, ..)| *term >= first).unwrap_or_else(|| (first.clone(), String::new(), String::new()));
    let rows = db.all(FIND, params![term, product, variant, end, first, limit]).await?;
    rows.iter()
        .map(|row| {
            let variant = row.text("variant_id")?;
            Ok(Found {
                term: row.bytes_or_null("term")?.unwrap_or_default(),
                product: row.parse("product_id")?,
                variant: if variant.is_empty() { None } else { Some(variant.parse()?) },
            })
        })
        .collect()
}

fn key(text: &str) -> Option<(Vec<u8>, String, String)> {
    let mut parts = text.splitn(3, '.');
    let term = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    Some((term, parts.next()?.to_owned(), parts.next()?.to_owned()))
}

/// Writes what a product is found by. `is_new`: nothing is there yet.
pub async fn write_product(tx: &mut Tx, product: &Product, is_new: bool) -> anyhow::Result<()> {
    if !is_new {
        tx.execute("DELETE FROM catalog_terms WHERE product_id = $1 AND variant_id = ''", params![product.id]).await?;
    }
    for four in tails(&text(&product.texts.title, TextLanguage::EnUs)).chunks(4) {
        // One statement for four; what is missing is written twice, and left out the second time.
        let mut values = params![product.id];
        values.extend((0..4).map(|at| Value::from(four[at.min(four.len() - 1)].clone().into_bytes())));
        tx.execute(
            "INSERT INTO catalog_terms (term, product_id, variant_id) VALUES ($2, $1, ''), ($3, $1, ''), ($4, $1, ''), ($5, $1, '') \
             ON CONFLICT (term, product_id, variant_id) DO NOTHING",
            values,
        )
        .await?;
    }
    Ok(())
}

/// Writes what a variant is found by.
pub async fn write_variant(tx: &mut Tx, variant: &Variant, is_new: bool) -> anyhow::Result<()> {
    if !is_new {
        tx.execute("DELETE FROM catalog_terms WHERE product_id = $1 AND variant_id = $2", params![variant.product, variant.id]).await?;
    }
    let terms: Vec<String> = [&variant.sku, &variant.barcode].into_iter().map(|text| folded(text)).filter(|term| !term.is_empty()).collect();
    let (Some(first), Some(last)) = (terms.first(), terms.last()) else { return Ok(()) };
    tx.execute(
        "INSERT INTO catalog_terms (term, product_id, variant_id) VALUES ($3, $1, $2), ($4, $1, $2) ON CONFLICT (term, product_id, variant_id) DO NOTHING",
        params![variant.product, variant.id, first.clone().into_bytes(), last.clone().into_bytes()],
    )
    .await?;
    Ok(())
}

/// The title from each of its words on: `canvas tote`, `tote`.
pub(crate) fn tails(title: &str) -> Vec<String> {
    let title = clean(title).to_lowercase();
    let starts = title.char_indices().scan(' ', |before, (at, c)| {
        let is_start = !before.is_alphanumeric() && c.is_alphanumeric();
        *before = c;
        Some((is_start, at))
    });
    let starts = starts.filter(|(is_start, _)| *is_start).map(|(_, at)| at).take(WORDS_MAX);
    starts.map(|at| folded(&title[at..])).collect()
}

/// What `shop_settings` calls how far a shop from before is caught up with: a product's id, or `done`.
const CAUGHT_UP: &str = "catalog_terms";

/// Writes what is missing for products from before there were terms. It goes on where it was interrupted.
pub async fn catch_up(db: Db, mut stop: Stop) {
    loop {
        match batch(&db).await {
            Ok(true) => return,
            Ok(false) if stop.is_requested() => return,
            Ok(false) => tokio::task::yield_now().await,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "staff do not find all products yet");
                tokio::select! {
                    () = stop.requested() => return,
                    () = tokio::time::sleep(std::time::Duration::from_secs(10)) => {}
                }
            }
        }
    }
}

/// One transaction's worth; whether nothing is left.
async fn batch(db: &Db) -> anyhow::Result<bool> {
    let setting = || params![CAUGHT_UP];
    let at = db.first("SELECT value FROM shop_settings WHERE name = $1", setting()).await?.map(|row| row.text("value")).transpose()?;
    let at = at.unwrap_or_default();
    if at == "done" {
        return Ok(true);
    }
    db.transact::<_, anyhow::Error>(|tx| {
        let at = at.clone();
        Box::pin(async move {
            let rows = tx.all("SELECT * FROM products WHERE id > $1 ORDER BY id LIMIT $2", params![at, BATCH]).await?;
            let mut last = "done".to_owned();
            for row in &rows {
                let product = Product::read(row)?;
                write_product(tx, &product, true).await?;
                for variant in Variant::of(tx, product.id).await? {
                    write_variant(tx, &variant, true).await?;
                }
                last = product.id.to_string();
            }
            let done = rows.is_empty();
            tx.execute(
                "INSERT INTO shop_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                params![CAUGHT_UP, last],
            )
            .await?;
            Ok(done)
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_found_by_each_of_its_words() {
        assert_eq!(
            tails("  Everyday Canvas  tote (42 cm)"),
            ["everyday canvas tote (42 cm)", "canvas tote (42 cm)", "tote (42 cm)", "42 cm)", "cm)"]
        );
        assert_eq!(tails("帆布トート"), ["帆布トート"]);
        assert!(tails("—").is_empty());
        assert_eq!(tails(&"word ".repeat(20)).len(), WORDS_MAX);
    }

    #[test]
    fn what_is_typed_is_written_as_what_is_stored() {
        assert_eq!(folded("  TOTE-nat "), "tote-nat");
        assert_eq!(folded(&"é".repeat(100)).chars().count(), CHARS_MAX);
        let found = Found { term: b"tote.1".to_vec(), product: ProductId(uuid::Uuid::nil()), variant: None };
        assert_eq!(key(&found.key()), Some((b"tote.1".to_vec(), uuid::Uuid::nil().to_string(), String::new())));
        assert_eq!(key("nonsense"), None);
    }
}
