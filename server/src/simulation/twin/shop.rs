//! The shop that both worlds sell from: one product in two variants, what they and their delivery cost, and somebody who orders.

use crate::{
    catalog::stock::{self, Item},
    clock::Clock,
    orders::{LineText, OrderRequest, Personal, RequestedLine},
    params,
    simulation::store::{DELIVERY_MINOR, PLACES, PRICE_MINOR},
    sql::{Db, Tx},
};
use anyhow::ensure;
use domain::{
    CartId,
    account::{Contact, Email, PersonName},
    address::Address,
    cart::Quantity,
    delivery::{CutOff, Method},
    locale::Locale,
    market::{Market, TaxMode},
    money::{Currency, Money},
};
use std::collections::BTreeMap;

/// Both variants and their prices, and none of them there.
pub(super) async fn open(db: &Db, clock: &Clock, items: [Item; 2]) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move {
            shelve(tx, &clock, items).await?;
            for (item, location) in items.iter().flat_map(|item| PLACES.map(|location| (*item, location))) {
                stock::receipt(tx, &clock, item, location, 0, "test").await?;
            }
            Ok(())
        })
    })
    .await
}

/// What was written down of the stock adds up to what is there.
pub async fn check_ledger(db: &Db) -> anyhow::Result<()> {
    let rows = db
        .all(
            "SELECT b.variant_id, b.location, b.free, b.held, \
             CAST(COALESCE(SUM(CASE l.kind WHEN 'receipt' THEN l.quantity WHEN 'adjustment' THEN l.quantity WHEN 'return' THEN l.quantity WHEN 'transfer' THEN l.quantity \
             WHEN 'release' THEN l.quantity WHEN 'hold' THEN -l.quantity WHEN 'damage' THEN -l.quantity ELSE 0 END), 0) AS BIGINT) AS free_by_ledger, \
             CAST(COALESCE(SUM(CASE l.kind WHEN 'hold' THEN l.quantity WHEN 'release' THEN -l.quantity WHEN 'sale' THEN -l.quantity ELSE 0 END), 0) AS BIGINT) \
             AS held_by_ledger FROM stock_balances b LEFT JOIN stock_ledger l ON l.variant_id = b.variant_id AND l.location = b.location AND l.bucket = b.bucket \
             GROUP BY b.variant_id, b.location, b.bucket, b.free, b.held",
            params![],
        )
        .await?;
    for row in &rows {
        ensure!(row.int("free")? == row.int("free_by_ledger")? && row.int("held")? == row.int("held_by_ledger")?, "{}", row.debug_text());
        ensure!(row.int("free")? >= 0 && row.int("held")? >= 0, "{}", row.debug_text());
    }
    Ok(())
}

/// A product in two variants, what they and their delivery cost, and none of them there.
pub async fn shelve(tx: &mut Tx, clock: &Clock, items: [Item; 2]) -> anyhow::Result<()> {
    let now = clock.now();
    tx.execute(
        "INSERT INTO products (id, handle, status, published, vendor, tags, tax_category, hs_code, origin, position, texts, options, pictures, \
         created_at, updated_at) VALUES ($1, 'belt', 'active', 1, '', '[]', 'standard', '', '', 0, '{}', '[]', '[]', $2, $2)",
        params![items[0].product, now],
    )
    .await?;
    for (position, Item { product, variant }) in (0_i64..).zip(items) {
        tx.execute(
            "INSERT INTO variants (id, product_id, position, sku, barcode, option_values, weight_g, tracked, oversell, active) \
             VALUES ($1, $2, $3, '', '', $4, 100, 1, 0, 1)",
            params![variant, product, position, format!("[\"{position}\"]")],
        )
        .await?;
        tx.execute(
            "INSERT INTO prices (id, price_list, variant_id, currency, amount_minor, valid_from) VALUES ($1, $2, $3, 'EUR', $4, $5)",
            params![clock.id().to_string(), market().price_list, variant, PRICE_MINOR, now - 1],
        )
        .await?;
    }
    let method = Method {
        code: "standard".to_owned(),
        names: BTreeMap::new(),
        price: Money::new(DELIVERY_MINOR, Currency::EUR),
        free_from: None,
        days_min: 1,
        days_max: 2,
        cut_off: CutOff { hour: 14, minute: 0, zone: "Europe/Berlin".to_owned() },
        ships_from: "rotterdam".to_owned(),
        from_country: None,
        handling_days: 0,
        origins: Vec::new(),
        zones: Vec::new(),
        weights: Vec::new(),
        weight_max_g: None,
        withdrawn: false,
        zone: None,
    };
    tx.execute(
        "INSERT INTO delivery_methods (market, code, valid_from, body, position) VALUES ('DE', 'standard', $1, $2, 0)",
        params![now - 1, serde_json::to_string(&method)?],
    )
    .await?;
    Ok(())
}

pub fn market() -> Market {
    let germany = || "DE".parse().expect("a code");
    Market {
        code: germany(),
        countries: vec![germany()],
        legal_entity: "Test GmbH".to_owned(),
        currency: Currency::EUR,
        price_list: "eur".to_owned(),
        tax_mode: TaxMode::Inclusive,
        time_zone: "Europe/Berlin".to_owned(),
        locations: PLACES.map(str::to_owned).to_vec(),
        split: domain::sourcing::Split::Allowed,
    }
}

/// A form with these lines; key and cart are nobody's.
pub fn request(lines: Vec<RequestedLine>, confirmed_total: Money) -> OrderRequest {
    OrderRequest {
        key: String::new(),
        cart: CartId(uuid::Uuid::nil()),
        cart_version: 1,
        market: market(),
        locale: "de-de".parse::<Locale>().expect("a locale"),
        lines,
        personal: Personal {
            contact: Contact { email: Email::parse("ada@example.com").expect("an address"), phone: None },
            delivery: Address {
                country: "DE".parse().expect("a code"),
                name: PersonName { full: "Ada Lovelace".to_owned(), kana: None },
                company: None,
                line1: "Ackerstraße 12".to_owned(),
                line2: None,
                city: "Berlin".to_owned(),
                region: None,
                postcode: Some("10115".to_owned()),
            },
            billing: None,
        },
        method: "standard".to_owned(),
        coupon: None,
        confirmed_total,
    }
}

pub fn line(item: Item, quantity: u32) -> RequestedLine {
    RequestedLine {
        product: item.product,
        variant: item.variant,
        quantity: Quantity::new(quantity).expect("1 to 10"),
        text: LineText { title: "Gürtel".to_owned(), ..LineText::default() },
    }
}
