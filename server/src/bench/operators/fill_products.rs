//! The products of the made-up shop: each with one variant, pieces at two locations, and what staff find it by.

use super::{
    draw::Size,
    rows::{self, Table},
};
use crate::{
    catalog::{
        product::ProductTexts,
        terms::{folded, tails},
    },
    params,
    sql::{Db, Value},
};
use domain::locale::TextLanguage;
use uuid::Uuid;

/// Products in one transaction.
const BATCH: u64 = 2_000;

struct Tables {
    products: Table,
    variants: Table,
    balances: Table,
    ledger: Table,
    terms: Table,
}

#[derive(Default)]
struct Rows {
    products: Vec<Value>,
    variants: Vec<Value>,
    balances: Vec<Value>,
    ledger: Vec<Value>,
    terms: Vec<Value>,
}

/// Writes all of them; `locations` are where their pieces lie.
pub async fn fill(db: &Db, size: Size, locations: &[String]) -> anyhow::Result<()> {
    let tables = Tables {
        products: Table::new(
            db,
            "products (id, handle, status, published, vendor, tags, tax_category, hs_code, origin, position, texts, options, pictures, created_at, updated_at)",
        ),
        variants: Table::new(db, "variants (id, product_id, position, sku, barcode, option_values, weight_g, tracked, oversell, active)"),
        balances: Table::new(db, "stock_balances (variant_id, location, bucket, free, held)"),
        ledger: Table::new(db, "stock_ledger (id, variant_id, location, bucket, kind, quantity, reason, cause, at)"),
        terms: Table::new(db, "catalog_terms (term, product_id, variant_id)"),
    };
    for from in (0..size.products).step_by(usize::try_from(BATCH)?) {
        let mut rows = Rows::default();
        for product in from..(from + BATCH).min(size.products) {
            rows.add(size, product, locations)?;
        }
        let rows = vec![
            (tables.products, rows.products),
            (tables.variants, rows.variants),
            (tables.balances, rows.balances),
            (tables.ledger, rows.ledger),
            (tables.terms, rows.terms),
        ];
        rows::write(db, rows).await?;
    }
    Ok(())
}

impl Rows {
    fn add(&mut self, size: Size, product: u64, locations: &[String]) -> anyhow::Result<()> {
        let (id, variant, at) = (size.product(product), size.variant(product), size.placed_at(0) - 1);
        let (title, sku, barcode) = (size.title(product), Size::sku(product), format!("4{product:012}"));
        let texts = ProductTexts { title: [(TextLanguage::EnUs, title.clone())].into(), ..ProductTexts::default() };
        self.products.extend(params![id, format!("made-up-{product}"), "active", 1_i64, "Made up", "[]", "standard", "", "", 1_000_i64]);
        self.products.extend(params![serde_json::to_string(&texts)?, "[]", "[]", at, at]);
        self.variants.extend(params![variant, id, 0_i64, &sku, &barcode, "[]", 300_i64, true, false, true]);
        for (place, location) in (0_u128..).zip(locations.iter().take(2)) {
            let pieces = i64::try_from(size.dice("pieces", product) % 200)?;
            self.balances.extend(params![variant, location, 0_i64, pieces, 0_i64]);
            let entry = Uuid::from_u128(variant.0.as_u128() ^ (place + 1) << 40).to_string();
            self.ledger.extend(params![entry, variant, location, 0_i64, "receipt", pieces, "made up", "", at]);
        }
        let mut terms: Vec<(String, String)> = tails(&title).into_iter().map(|term| (term, String::new())).collect();
        terms.extend([sku, barcode].map(|term| (folded(&term), variant.to_string())));
        terms.sort();
        terms.dedup();
        for (term, variant) in terms {
            self.terms.extend(params![term.into_bytes(), id, variant]);
        }
        Ok(())
    }
}
