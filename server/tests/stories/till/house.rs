//! The demo shop with its payment provider, and a visitor's way through the till.

use crate::{
    orders::stripe_orders,
    stripe::StandIn,
    support::{self, Answer, TestShop, Visitor},
};
use anyhow::{Context as _, ensure};
use app::ports::{Found, storefront::ShelfKey};
use domain::{
    PaymentId, ProductId, VariantId,
    event::Event,
    live::Availability,
    locale::{Locale, TextLanguage},
    order::OrderNumber,
};
use server::{
    catalog::stock::{self, Item},
    config::TestProvider,
    events,
    orders::OrderView,
    params,
    payments::test_provider,
};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};

pub const PAYS: &str = "4242 4242 4242 4242";
pub const DECLINES: &str = "4000 0000 0000 0002";

pub struct House {
    pub shop: Box<TestShop>,
    /// `http://127.0.0.1:<port>` of the payment provider.
    url: String,
    provider: JoinHandle<()>,
}

/// One buyable variant, as its form names it.
#[derive(Clone, Debug)]
pub struct Thing {
    pub product: ProductId,
    pub variant: VariantId,
    pub title: String,
    /// `colour` → `tan`, …
    pub options: Vec<(String, String)>,
}

pub async fn open() -> anyhow::Result<House> {
    open_with(|_| {}).await
}

/// A house whose shop is configured differently.
pub async fn open_with(change: impl FnOnce(&mut server::config::Config)) -> anyhow::Result<House> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let at: Arc<str> = url.as_str().into();
    let shop = support::start_with(|config| {
        config.test_provider = TestProvider::At(at);
        change(config);
    })
    .await?;
    let (data, clock) = (shop.data().to_owned(), shop.shop.clock.clone());
    let provider = tokio::spawn(async move { drop(test_provider::serve(listener, &data, clock, std::future::pending()).await) });
    Ok(House { shop: Box::new(shop), url, provider })
}

/// A house whose payments Stripe's stand-in takes.
pub async fn open_at_stripe() -> anyhow::Result<(House, StandIn)> {
    let (stand_in, access, clock) = stripe_orders::stand_in().await?;
    let house = open_with(|config| config.stripe = access).await?;
    drop(clock.set(house.shop.clock.clone()));
    stand_in.tell(format!("{}/webhooks/stripe", house.shop.url));
    Ok((house, stand_in))
}

impl House {
    pub async fn close(self) -> anyhow::Result<()> {
        Box::pin(self.shop.stop()).await?;
        self.provider.abort();
        Ok(())
    }

    /// What the provider does wrong from now on.
    pub async fn provider_does(&self, faults: serde_json::Value) -> anyhow::Result<()> {
        let answer = self.shop.visitor().client.post(format!("{}/_faults", self.url)).json(&faults).send().await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        Ok(())
    }

    /// Puts the provider's clock forward.
    pub async fn provider_waits(&self, seconds: u64) -> anyhow::Result<()> {
        let faults = format!("{}/_faults/advance", self.url);
        let answer = self.shop.visitor().client.post(faults).json(&serde_json::json!({ "seconds": seconds })).send().await?;
        ensure!(answer.status() == 204, "{}", answer.status());
        Ok(())
    }

    /// Money comes for a payment, whatever became of its page.
    pub async fn late_money(&self, payment: PaymentId) -> anyhow::Result<()> {
        let answer = self.shop.visitor().client.post(format!("{}/_faults/capture/{payment}", self.url)).send().await?;
        ensure!(answer.status() == 204, "{}", answer.status());
        Ok(())
    }

    /// Things with plenty in stock in every market, one a product, with at least one real choice to make.
    pub async fn things(&self) -> anyhow::Result<Vec<Thing>> {
        let mut things = self.variants(1).await?.context("the demo has a list")?;
        things.dedup_by_key(|thing| thing.product);
        ensure!(things.len() >= 3, "the demo has things in stock");
        Ok(things)
    }

    /// The same from a page of the list of everything, with all their variants of which there is plenty; `None`: the list ends before.
    pub async fn variants(&self, page: u32) -> anyhow::Result<Option<Vec<Thing>>> {
        let storefront = &self.shop.shop.storefront;
        let listed = storefront.listing(TextLanguage::EnUs, "US".parse()?, &ShelfKey::All, page).await?;
        let Found::Here(listing) = listed else { return Ok(None) };
        let mut things = Vec::new();
        for card in &listing.cards {
            let Found::Here(document) = storefront.product(TextLanguage::EnUs, &card.slug).await? else { continue };
            if document.options.iter().all(|option| option.values.len() < 2) {
                continue;
            }
            let live = storefront.live(&[card.id]).await?;
            let live = live.first().context("a live item")?;
            let plenty = |variant: VariantId| {
                Locale::OFFERED.iter().all(|locale| {
                    live.variant(locale.country, variant).is_some_and(|here| here.availability == Availability::InStock && !here.windows.is_empty())
                })
            };
            things.extend(document.variants.iter().filter(|variant| plenty(variant.id)).map(|variant| Thing {
                product: document.id,
                variant: variant.id,
                title: document.title.clone(),
                options: document.options.iter().map(|option| option.slug.clone()).zip(variant.values.iter().cloned()).collect(),
            }));
        }
        Ok(Some(things))
    }

    /// Takes all pieces of a thing out of stock, and waits until pages know.
    pub async fn sell_out(&self, thing: &Thing) -> anyhow::Result<()> {
        let shop = &self.shop.shop;
        let rows = shop.db.all("SELECT location, free FROM stock_balances WHERE variant_id = $1", params![thing.variant]).await?;
        let rows: Vec<(String, i64)> = rows.iter().map(|row| Ok((row.text("location")?, row.int("free")?))).collect::<anyhow::Result<_>>()?;
        let item = Item { product: thing.product, variant: thing.variant };
        shop.db
            .transact::<_, anyhow::Error>(|tx| {
                let (rows, clock) = (rows.clone(), shop.clock.clone());
                Box::pin(async move {
                    for (location, free) in &rows {
                        stock::adjust(tx, &clock, item, location, -free, "test", "test").await?;
                    }
                    Ok(())
                })
            })
            .await?;
        self.until(thing, |live| live.is_some_and(|here| here == Availability::SoldOut)).await
    }

    /// Stops selling a thing in Germany, and waits until pages know.
    pub async fn withdraw_from_germany(&self, thing: &Thing) -> anyhow::Result<()> {
        let shop = &self.shop.shop;
        let market = shop.db.first("SELECT body FROM markets WHERE code = 'DE'", params![]).await?.context("a market")?.text("body")?;
        let market: domain::market::Market = serde_json::from_str(&market)?;
        let (product, variant) = (thing.product, thing.variant);
        shop.db
            .transact::<_, anyhow::Error>(|tx| {
                let (list, clock) = (market.price_list.clone(), shop.clock.clone());
                Box::pin(async move {
                    tx.execute("DELETE FROM prices WHERE variant_id = $1 AND price_list = $2", params![variant, list]).await?;
                    events::emit(tx, &clock, &Event::PriceChanged { product, variant }).await?;
                    Ok(())
                })
            })
            .await?;
        self.until(thing, |live| live.is_none()).await
    }

    async fn until(&self, thing: &Thing, holds: impl Fn(Option<Availability>) -> bool) -> anyhow::Result<()> {
        for _ in 0..100 {
            let live = self.shop.shop.storefront.live(&[thing.product]).await?;
            let here = live.first().and_then(|live| live.variant("DE".parse().ok()?, thing.variant)).filter(|here| !here.windows.is_empty());
            if holds(here.map(|here| here.availability)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the read model did not follow in five seconds")
    }

    /// The latest order.
    pub async fn latest(&self) -> anyhow::Result<OrderView> {
        let sql = "SELECT id FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1";
        let id = self.shop.shop.db.first(sql, params![]).await?.context("an order")?.parse("id")?;
        self.shop.shop.orders.by_id(id).await?.context("an order")
    }

    /// How many orders there are.
    pub async fn orders(&self) -> anyhow::Result<i64> {
        self.shop.shop.db.first("SELECT COUNT(*) AS n FROM orders", params![]).await?.context("a count")?.int("n")
    }

    /// Free pieces of a variant, everywhere.
    pub async fn free(&self, thing: &Thing) -> anyhow::Result<i64> {
        let sql = "SELECT CAST(SUM(free) AS BIGINT) AS n FROM stock_balances WHERE variant_id = $1";
        self.shop.shop.db.first(sql, params![thing.variant]).await?.context("a balance")?.int("n")
    }
}

/// The product form's fields.
pub fn add_fields(thing: &Thing, quantity: &str) -> Vec<(String, String)> {
    let mut fields = vec![("product".to_owned(), thing.product.to_string()), ("quantity".to_owned(), quantity.to_owned())];
    fields.extend(thing.options.iter().cloned());
    fields
}

/// Posts owned fields.
pub async fn post(visitor: &Visitor, path: &str, fields: &[(String, String)]) -> anyhow::Result<Answer> {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    visitor.post(path, &fields).await
}

/// Puts a thing into the cart.
pub async fn add(visitor: &Visitor, locale: Locale, thing: &Thing) -> anyhow::Result<()> {
    let answer = post(visitor, &format!("/{locale}/cart/lines"), &add_fields(thing, "1")).await?;
    ensure!(answer.status == 303, "adding answers {}: {}", answer.status, words(&answer.body));
    Ok(())
}

/// A real person's answers in each country's form.
pub fn address(locale: Locale) -> Vec<(&'static str, &'static str)> {
    match locale.country.code() {
        "US" => vec![("name", "Ada Lovelace"), ("line1", "12 Valencia Street"), ("city", "San Francisco"), ("region", "CA"), ("postcode", "94103")],
        "CA" => vec![("name", "Marie Roy"), ("line1", "1 rue Crémazie"), ("city", "Québec"), ("region", "QC"), ("postcode", "g1r 2v1")],
        "GB" => vec![("name", "Ada Lovelace"), ("line1", "12 St James's Square"), ("city", "London"), ("postcode", "sw1y4jh")],
        "DE" => vec![("name", "Jürgen Groß"), ("line1", "Ackerstraße 12"), ("postcode", "10115"), ("city", "Berlin")],
        "FR" => vec![("name", "Zoé Lefèvre"), ("line1", "3 rue de l’Église"), ("postcode", "75001"), ("city", "Paris")],
        "JP" => vec![
            ("family_name", "山田"),
            ("given_name", "花子"),
            ("postcode", "１００－０００１"),
            ("region", "13"),
            ("city", "千代田区"),
            ("line1", "千代田1-1"),
        ],
        _ => vec![("name", "김민지"), ("postcode", "04524"), ("region", "11"), ("city", "중구"), ("line1", "세종대로 110")],
    }
}

/// The checkout's fields: what the page holds, and a person's answers.
pub fn checkout_fields(page: &Answer, locale: Locale) -> anyhow::Result<Vec<(String, String)>> {
    let mut fields = vec![("intent".to_owned(), "place".to_owned()), ("email".to_owned(), "ada@example.com".to_owned())];
    for name in ["mutation", "cart_version", "seen_total", "seen_delivery"] {
        fields.push((name.to_owned(), page.field(name).with_context(|| format!("the checkout has no field {name}"))?.to_owned()));
    }
    fields.push(("method".to_owned(), "standard".to_owned()));
    fields.push(("delivery_country".to_owned(), locale.country.code().to_owned()));
    fields.extend(address(locale).into_iter().map(|(key, value)| (format!("delivery_{key}"), value.to_owned())));
    Ok(fields)
}

/// Goes through the checkout as often as it asks, and comes to the payment page's address.
pub async fn place(visitor: &Visitor, locale: Locale) -> anyhow::Result<String> {
    let path = format!("/{locale}/checkout");
    let mut page = visitor.get(&path).await?;
    for _ in 0..2 {
        ensure!(page.status == 200, "the checkout answers {}: {}", page.status, words(&page.body));
        page = post(visitor, &path, &checkout_fields(&page, locale)?).await?;
        match page.location() {
            // Where tax depends on the address, the page shows the total first.
            Some(location) if location.starts_with(&path) => page = visitor.get(&location).await?,
            Some(location) => return Ok(location),
            None => {}
        }
    }
    anyhow::bail!("the checkout answers {}: {}", page.status, words(&page.body))
}

/// Types a card on the provider's page; the order page's path.
pub async fn type_card(visitor: &Visitor, page: &str, card: &str) -> anyhow::Result<String> {
    let form = [("cardnumber", card), ("exp-date", "12/34"), ("cvc", "123"), ("ccname", "Ada Lovelace")];
    let answer = visitor.client.post(page).form(&form).send().await?;
    ensure!(answer.status() == 303, "the payment page answers {}", answer.status());
    let back = answer.headers()["location"].to_str()?.to_owned();
    Ok(url::Url::parse(&back)?.path().to_owned())
}

/// Sends a form of the operators' page of an order.
pub async fn operate(staff: &Visitor, order: &OrderNumber, act: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
    let page = format!("/ops/orders/{order}");
    let answer = staff.get(&page).await?;
    let key = answer.field("id").with_context(|| format!("the page has no forms: {}", words(&answer.body)))?;
    staff.post(&format!("{page}/{act}"), &[&[("id", key)], fields].concat()).await
}

/// The order's page once it says so: on a busy machine the provider may be asked twice.
pub async fn paid(visitor: &Visitor, order: &str, word: &str) -> anyhow::Result<Answer> {
    for _ in 0..40 {
        let page = visitor.get(order).await?;
        ensure!(page.status == 200, "the order's page answers {}", page.status);
        if words(&page.body).contains(word) {
            return Ok(page);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    anyhow::bail!("the order's page does not say {word:?}: {}", words(&visitor.get(order).await?.body))
}

/// A page without its markup, for messages of failed tests.
pub fn words(html: &str) -> String {
    let main = html.split_once("<main").map_or(html, |(_, main)| main);
    let main = main.split_once("</main>").map_or(main, |(main, _)| main);
    let mut out = String::new();
    let mut inside = true;
    for c in main.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
