//! The shop that is bought from: variants whose ids end in decimal digits, so that another program can name them too, and buyers who each
//! order one piece.

use crate::{
    background::Background,
    catalog::stock::{self, Item},
    clock::Clock,
    config::{Config, Options, TestProvider},
    keys::Keys,
    orders::{LineText, OrderRequest, Orders, Personal, PlaceOrderError, RequestedLine},
    params, payments,
    sql::Db,
    tariffs,
};
use anyhow::{Context as _, ensure};
use domain::{
    CartId, ProductId, VariantId,
    account::{Contact, Email, PersonName},
    address::Address,
    cart::Quantity,
    delivery::{CutOff, Method},
    market::{Market, TaxMode},
    money::{Currency, Money},
    sourcing::Split,
};
use std::{collections::BTreeMap, sync::Arc};

/// Variants that are bought from when buyers spread.
pub const VARIANTS: u64 = 1_000;
/// Pieces of each: more than any run sells.
const PIECES: u32 = 1_000_000;
/// The variant of which there are few, for a crowd that wants more.
pub const SCARCE: u64 = VARIANTS;
/// Pieces of it.
pub const SCARCE_PIECES: u32 = 200;
/// 119.00 € a piece, delivery 4.90 €.
const PRICE: i64 = 11_900;
const DELIVERY: i64 = 490;
/// What a variant's id is made of: this and twelve decimal digits.
pub const VARIANT_PREFIX: &str = "00000000-0000-7000-8000-";
/// The first variant's digits.
pub const VARIANT_FIRST: u64 = 100_000_000_000;

/// A database with the shop in it, and its order core without a payment provider.
#[derive(Clone)]
pub struct House {
    pub db: Db,
    pub orders: Orders,
    clock: Clock,
    market: Market,
    product: ProductId,
}

/// The variant with this number.
pub fn variant(number: u64) -> anyhow::Result<VariantId> {
    format!("{VARIANT_PREFIX}{}", VARIANT_FIRST + number).parse().context("a variant's id")
}

impl House {
    /// Opens a shop in an empty database.
    pub async fn open(url: &str, folder: &std::path::Path) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let db = Db::open(url).await?;
        db.migrate().await?;
        tariffs::seed(&db).await?;
        let options = Options { data: Some(folder.display().to_string()), ..Options::default() };
        let mut config = Config::checked(options, Options::default())?;
        config.test_provider = TestProvider::Off;
        let provider = payments::open(&config, &mut Background::new()).await?;
        let orders = Orders::new(db.clone(), clock.clone(), Arc::new(Keys::open(folder)?), provider, "http://shop.example".into());
        let market = Market {
            code: "DE".parse()?,
            countries: vec!["DE".parse()?],
            legal_entity: "Bench".to_owned(),
            currency: Currency::EUR,
            price_list: "eur".to_owned(),
            tax_mode: TaxMode::Inclusive,
            time_zone: "Europe/Berlin".to_owned(),
            locations: vec!["rotterdam".to_owned()],
            split: Split::Allowed,
        };
        let house = Self { db, orders, product: ProductId(clock.id()), clock, market };
        house.stock_up().await?;
        Ok(house)
    }

    async fn stock_up(&self) -> anyhow::Result<()> {
        let (clock, market, product) = (self.clock.clone(), self.market.clone(), self.product);
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let (clock, market) = (clock.clone(), market.clone());
                Box::pin(async move {
                    let now = clock.now();
                    tx.execute(
                        "INSERT INTO products (id, handle, status, published, vendor, tags, tax_category, hs_code, origin, position, texts, options, pictures, \
                         created_at, updated_at) VALUES ($1, 'belt', 'active', 1, '', '[]', 'standard', '', '', 0, '{}', '[]', '[]', $2, $2)",
                        params![product, now],
                    )
                    .await?;
                    for number in 0..=SCARCE {
                        let variant = variant(number)?;
                        tx.execute(
                            "INSERT INTO variants (id, product_id, position, sku, barcode, option_values, weight_g, tracked, oversell, active) \
                             VALUES ($1, $2, $3, '', '', $4, 100, 1, 0, 1)",
                            params![variant, product, i64::try_from(number)?, format!("[\"{number}\"]")],
                        )
                        .await?;
                        tx.execute(
                            "INSERT INTO prices (id, price_list, variant_id, currency, amount_minor, valid_from) VALUES ($1, $2, $3, 'EUR', $4, $5)",
                            params![clock.id().to_string(), &market.price_list, variant, PRICE, now - 1],
                        )
                        .await?;
                        let pieces = if number == SCARCE { SCARCE_PIECES } else { PIECES };
                        stock::begin(tx, &clock, Item { product, variant }, &market.locations[0], pieces, "bench").await?;
                    }
                    let method = Method {
                        code: "standard".to_owned(),
                        names: BTreeMap::new(),
                        price: Money::new(DELIVERY, Currency::EUR),
                        free_from: None,
                        days_min: 1,
                        days_max: 2,
                        cut_off: CutOff { hour: 14, minute: 0, zone: market.time_zone.clone() },
                        ships_from: market.locations[0].clone(),
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
                })
            })
            .await
    }

    /// Somebody's cart with one piece of a variant, confirmed.
    pub fn request(&self, number: u64) -> anyhow::Result<OrderRequest> {
        let person = self.clock.id();
        Ok(OrderRequest {
            key: self.clock.id().to_string(),
            cart: CartId(self.clock.id()),
            cart_version: 1,
            market: self.market.clone(),
            locale: "de-de".parse()?,
            lines: vec![RequestedLine {
                product: self.product,
                variant: variant(number)?,
                quantity: Quantity::new(1).context("one piece")?,
                text: LineText { title: "Gürtel".to_owned(), ..LineText::default() },
            }],
            personal: Personal {
                contact: Contact { email: Email::parse(&format!("{person}@example.com")).ok().context("an address")?, phone: None },
                delivery: Address {
                    country: "DE".parse()?,
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
            confirmed_total: Money::new(PRICE + DELIVERY, Currency::EUR),
        })
    }

    /// Places one order.
    pub async fn buy(&self, number: u64) -> Result<(), PlaceOrderError> {
        let request = self.request(number)?;
        self.orders.place(request).await.map(drop)
    }

    /// Lays a variant's pieces into so many rows.
    pub async fn spread(&self, number: u64, buckets: u32) -> anyhow::Result<()> {
        let item = Item { product: self.product, variant: variant(number)? };
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let (clock, location) = (self.clock.clone(), self.market.locations[0].clone());
                Box::pin(async move { stock::spread(tx, &clock, item, &location, buckets).await })
            })
            .await
    }

    /// Ledger and balances say the same, nothing was sold that was not there, and each order holds what it should.
    pub async fn check(&self) -> anyhow::Result<()> {
        let one = async |sql: &'static str| self.db.first(sql, params![]).await?.context("a row")?.int("n");
        let wrong = one(
            "SELECT COUNT(*) AS n FROM stock_balances b WHERE b.free < 0 OR b.held < 0 OR b.free <> (SELECT CAST(COALESCE(SUM(CASE l.kind \
             WHEN 'receipt' THEN l.quantity WHEN 'transfer' THEN l.quantity WHEN 'hold' THEN -l.quantity ELSE 0 END), 0) AS BIGINT) FROM stock_ledger l \
             WHERE l.variant_id = b.variant_id AND l.location = b.location AND l.bucket = b.bucket)",
        )
        .await?;
        ensure!(wrong == 0, "{wrong} balances are not what their ledger says");
        let sold = self
            .db
            .first(
                "SELECT CAST(COALESCE(SUM(free), 0) AS BIGINT) AS free, CAST(COALESCE(SUM(held), 0) AS BIGINT) AS held FROM stock_balances WHERE variant_id = $1",
                params![variant(SCARCE)?],
            )
            .await?
            .context("a row")?;
        let (free, kept) = (sold.int("free")?, sold.int("held")?);
        ensure!(free >= 0 && free + kept == i64::from(SCARCE_PIECES), "of {SCARCE_PIECES} pieces {kept} are kept and {free} are free");
        let held = one("SELECT CAST(SUM(held) AS BIGINT) AS n FROM stock_balances").await?;
        let holds = one("SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) AS n FROM holds").await?;
        let orders = one("SELECT COUNT(*) AS n FROM orders").await?;
        ensure!(held == holds && holds == orders, "{held} pieces are held, {holds} by holds, for {orders} orders of one piece");
        Ok(())
    }
}
