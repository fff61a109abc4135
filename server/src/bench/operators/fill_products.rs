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
use anyhow::Context as _;
use domain::locale::TextLanguage;
use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

/// Products in one transaction.
const BATCH: u64 = 5_000;
/// Terms in one transaction.
const TERMS: u64 = 50_000;

const HEADS: [&str; 4] = [
    "products (id, handle, status, published, vendor, tags, tax_category, hs_code, origin, position, texts, options, pictures, created_at, updated_at)",
    "variants (id, product_id, position, sku, barcode, option_values, weight_g, tracked, oversell, active)",
    "stock_balances (variant_id, location, bucket, free, held)",
    "stock_ledger (id, variant_id, location, bucket, kind, quantity, reason, cause, at)",
];
const PRODUCTS: usize = 0;
const VARIANTS: usize = 1;
const BALANCES: usize = 2;
const LEDGER: usize = 3;

/// What a product or its variant is found by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Term {
    spelt: Box<[u8]>,
    product: u64,
    is_of_variant: bool,
}

/// Values for each of [`HEADS`], and terms.
#[derive(Default)]
struct Rows {
    of: [Vec<Value>; 4],
    terms: Vec<Term>,
}

/// Writes all of them; `locations` are where their pieces lie.
pub async fn fill(db: &Db, size: Size, locations: Vec<String>) -> anyhow::Result<()> {
    let tables = HEADS.map(|head| Table::new(db, head));
    let all_terms = Arc::<Mutex<Vec<Term>>>::default();
    let collected = Arc::clone(&all_terms);
    let make = move |products: Range<u64>| {
        let mut rows = Rows::default();
        for product in products {
            rows.add(size, product, &locations)?;
        }
        collected.lock().unwrap_or_else(PoisonError::into_inner).append(&mut rows.terms);
        Ok(tables.into_iter().zip(rows.of).collect())
    };
    rows::fill(db, size.products, BATCH, make).await?;
    // In the order of their key, which has nothing to do with that of the products: each page of the table is written once.
    let mut terms = std::mem::take(&mut *all_terms.lock().unwrap_or_else(PoisonError::into_inner));
    let terms = tokio::task::spawn_blocking(move || {
        terms.sort_unstable();
        Arc::new(terms)
    });
    let terms = terms.await.context("sorting terms")?;
    let table = Table::new(db, "catalog_terms (term, product_id, variant_id)");
    let make = {
        let terms = Arc::clone(&terms);
        move |places: Range<u64>| {
            let mut rows = Vec::new();
            for place in places {
                let term = &terms[usize::try_from(place)?];
                let variant = if term.is_of_variant { size.variant(term.product).to_string() } else { String::new() };
                rows.extend(params![term.spelt.to_vec(), size.product(term.product), variant]);
            }
            Ok(vec![(table, rows)])
        }
    };
    rows::fill(db, u64::try_from(terms.len())?, TERMS, make).await
}

impl Rows {
    fn add(&mut self, size: Size, product: u64, locations: &[String]) -> anyhow::Result<()> {
        let (id, variant, at) = (size.product(product), size.variant(product), size.placed_at(0) - 1);
        let (title, sku, barcode) = (size.title(product), Size::sku(product), format!("4{product:012}"));
        let texts = ProductTexts { title: [(TextLanguage::EnUs, title.clone())].into(), ..ProductTexts::default() };
        self.of[PRODUCTS].extend(params![id, format!("made-up-{product}"), "active", 1_i64, "Made up", "[]", "standard", "", "", 1_000_i64]);
        self.of[PRODUCTS].extend(params![serde_json::to_string(&texts)?, "[]", "[]", at, at]);
        self.of[VARIANTS].extend(params![variant, id, 0_i64, &sku, &barcode, "[]", 300_i64, true, false, true]);
        for (kind, location) in (3..).zip(locations.iter().take(2)) {
            let pieces = i64::try_from(size.dice("pieces", product) % 200)?;
            self.of[BALANCES].extend(params![variant, location, 0_i64, pieces, 0_i64]);
            let entry = size.about_product(product, kind).to_string();
            self.of[LEDGER].extend(params![entry, variant, location, 0_i64, "receipt", pieces, "made up", "", at]);
        }
        let found_by = |text: String, is_of_variant| Term { spelt: text.into_bytes().into(), product, is_of_variant };
        let mut terms: Vec<Term> = tails(&title).into_iter().map(|term| found_by(term, false)).collect();
        terms.extend([sku, barcode].map(|term| found_by(folded(&term), true)));
        terms.sort_unstable();
        terms.dedup();
        self.terms.append(&mut terms);
        Ok(())
    }
}
