//! Delivery by zone, weight and variant, as a shopper meets it: what another address costs is shown and confirmed before anything is ordered, and
//! what no method takes is said with what to do.

use crate::till::{
    house::{self, House, PAYS, Thing, add, checkout_fields, paid, place, post, type_card, words},
    taxed::hat,
};
use anyhow::Context as _;
use app::{
    i18n::{date_range, till},
    routes::{Address, Route},
};
use domain::{catalog::ProductDocument, locale::Locale};
use server::{catalog::stock, events, params};

type Fields = Vec<(String, String)>;

fn set(fields: &mut Fields, name: &str, value: &str) {
    fields.retain(|(known, _)| known != name);
    fields.push((name.to_owned(), value.to_owned()));
}

/// The checkout's form with an address in another state.
fn in_state(fields: &mut Fields, region: &str, postcode: &str) {
    set(fields, "delivery_region", region);
    set(fields, "delivery_postcode", postcode);
}

/// Changes what a variant weighs; the cart reads it anew.
async fn weigh(house: &House, thing: &Thing, grams: i64) -> anyhow::Result<()> {
    let shop = &house.shop.shop;
    let (variant, clock) = (thing.variant, shop.clock.clone());
    shop.db
        .transact::<_, anyhow::Error>(|tx| {
            let (clock, product) = (clock.clone(), thing.product);
            Box::pin(async move {
                tx.execute("UPDATE variants SET weight_g = $2 WHERE id = $1", params![variant, grams]).await?;
                events::emit(tx, &clock, &domain::event::Event::ProductChanged { product }).await?;
                Ok(())
            })
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_to_hawaii_shows_its_price_and_days_before_it_is_placed() -> anyhow::Result<()> {
    let house = house::open().await?;
    let hat = hat(&house).await?;
    let locale: Locale = "en-us".parse()?;
    let messages = till(locale);
    let visitor = house.shop.visitor();
    add(&visitor, locale, &hat).await?;
    let cart = words(&visitor.get("/en-us/cart").await?.body);
    assert!(cart.contains("$5.95") && cart.contains(messages.zones_note), "{cart}");

    let page = visitor.get("/en-us/checkout").await?;
    let home = words(&date_range("2026-11-27".parse()?, "2026-12-01".parse()?, locale));
    assert!(words(&page.body).contains(&home), "{}", words(&page.body));
    let mut fields = checkout_fields(&page, locale)?;
    in_state(&mut fields, "HI", "96813");
    let answer = post(&visitor, "/en-us/checkout", &fields).await?;
    assert_eq!(answer.location().as_deref(), Some("/en-us/checkout?said=delivery"), "{} {}", answer.status, words(&answer.body));
    assert_eq!(house.orders().await?, 0, "nothing is ordered before it was seen");

    // Monday, 23 November 2026; 5 to 9 business days without Thanksgiving. $39.00, $12.95 and 4 % of both in Hawaii.
    let page = visitor.get("/en-us/checkout?said=delivery").await?;
    let away = words(&date_range("2026-12-01".parse()?, "2026-12-07".parse()?, locale));
    let said = words(&page.body);
    for part in ["Standard delivery · Alaska and Hawaii", "$12.95", &away, "This is the price to Alaska and Hawaii."] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let mut fields = checkout_fields(&page, locale)?;
    in_state(&mut fields, "HI", "96813");
    let placed = post(&visitor, "/en-us/checkout", &fields).await?;
    let payment = placed.location().with_context(|| words(&placed.body))?;
    let order = house.latest().await?;
    assert_eq!((order.body.method.price.minor, order.body.quote.delivery.map(|it| it.minor)), (1295, Some(1295)));
    assert_eq!(order.body.method.zone.as_ref().map(|zone| zone.code.as_str()), Some("alaska-hawaii"));
    assert!(order.body.method.zones.is_empty() && order.body.method.origins.is_empty());
    assert_eq!(order.body.promised().map(|it| (it.from.to_string(), it.to.to_string())), Some(("2026-12-01".to_owned(), "2026-12-07".to_owned())));

    let order = type_card(&visitor, &payment, PAYS).await?;
    let page = words(&paid(&visitor, &order, messages.status_paid).await?.body);
    assert!(page.contains("Alaska and Hawaii") && page.contains(&away), "{page}");
    let mail = house.shop.mail(|mail| mail.order().is_ok_and(|path| path == order)).await?;
    assert!(mail.text.contains("Alaska and Hawaii") && words(&mail.text).contains(&away), "{}", mail.text);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postcode_alone_leads_to_another_zone() -> anyhow::Result<()> {
    let house = house::open().await?;
    let hat = hat(&house).await?;
    let locale: Locale = "en-gb".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &hat).await?;
    let page = visitor.get("/en-gb/checkout").await?;
    let mut fields = checkout_fields(&page, locale)?;
    set(&mut fields, "delivery_postcode", "bt1 5gs");
    let answer = post(&visitor, "/en-gb/checkout", &fields).await?;
    let location = answer.location().with_context(|| words(&answer.body))?;
    assert_eq!(location, "/en-gb/checkout?said=delivery");
    let page = visitor.get(&location).await?;
    assert!(words(&page.body).contains("Northern Ireland") && words(&page.body).contains("£5.95"), "{}", words(&page.body));
    let mut fields = checkout_fields(&page, locale)?;
    set(&mut fields, "delivery_postcode", "bt1 5gs");
    assert_eq!(post(&visitor, "/en-gb/checkout", &fields).await?.status, 303);
    assert_eq!(house.latest().await?.body.method.price.minor, 595);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_does_not_go_there_is_refused_with_a_sentence_and_nothing_is_lost() -> anyhow::Result<()> {
    let house = house::open().await?;
    let hat = hat(&house).await?;
    let locale: Locale = "en-us".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &hat).await?;
    let page = visitor.get("/en-us/checkout").await?;
    let mut fields = checkout_fields(&page, locale)?;
    in_state(&mut fields, "PR", "00901");
    set(&mut fields, "method", "express");
    let refused = post(&visitor, "/en-us/checkout", &fields).await?;
    assert_eq!(refused.status, 422);
    assert!(words(&refused.body).contains("Express delivery does not go to Puerto Rico."), "{}", words(&refused.body));
    assert!(refused.body.contains("value=\"ada@example.com\"") && refused.body.contains("12 Valencia Street"), "what was typed stays");
    // The other method goes there: its total is shown, then ordered.
    set(&mut fields, "method", "standard");
    let mut page = post(&visitor, "/en-us/checkout", &fields).await?;
    for _ in 0..2 {
        let Some(location) = page.location().filter(|location| location.starts_with("/en-us/checkout")) else { break };
        let shown = visitor.get(&location).await?;
        assert!(words(&shown.body).contains("$14.95"), "{}", words(&shown.body));
        let mut again = checkout_fields(&shown, locale)?;
        in_state(&mut again, "PR", "00901");
        page = post(&visitor, "/en-us/checkout", &again).await?;
    }
    assert_eq!(page.status, 303, "{}", words(&page.body));
    assert_eq!(house.latest().await?.body.method.zone.map(|zone| zone.code).as_deref(), Some("puerto-rico"));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heavy_cart_costs_more_and_one_that_is_too_heavy_is_refused() -> anyhow::Result<()> {
    let house = house::open().await?;
    let hat = hat(&house).await?;
    let locale: Locale = "en-us".parse()?;
    weigh(&house, &hat, 20_000).await?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &hat).await?;
    // 20 kg are 44.1 lb: $19 beside the $5.95.
    let cart = words(&visitor.get("/en-us/cart").await?.body);
    assert!(cart.contains("$24.95") && cart.contains("$19.00 of it is for the weight: 44.1 lb."), "{cart}");
    place(&visitor, locale).await?;
    let order = house.latest().await?;
    assert_eq!(order.body.quote.delivery.map(|it| it.minor), Some(2495));

    let visitor = house.shop.visitor();
    add(&visitor, locale, &hat).await?;
    let page = visitor.get("/en-us/checkout").await?;
    let fields = checkout_fields(&page, locale)?;
    weigh(&house, &hat, 31_000).await?;
    let refused = post(&visitor, "/en-us/checkout", &fields).await?;
    assert_eq!(refused.status, 422, "{:?}", refused.location());
    let sentence = "These pieces weigh 68.4 lb together. Standard delivery takes at most 66.2 lb.";
    assert!(words(&refused.body).contains(sentence), "{}", words(&refused.body));
    let cart = words(&visitor.get("/en-us/cart").await?.body);
    assert!(cart.contains(sentence), "{cart}");
    assert_eq!(house.orders().await?, 1);
    weigh(&house, &hat, 100).await?;
    place(&visitor, locale).await?;
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_variant_promises_its_own_days_everywhere() -> anyhow::Result<()> {
    let house = house::open().await?;
    let locale: Locale = "en-us".parse()?;
    let shop = &house.shop.shop;
    // Made to order within two business days; only in Rotterdam, from where it takes three more. Monday, 23 November 2026, without the 26th.
    for (sku, from, to) in [("DRS-SLV-50", "2026-12-01", "2026-12-03"), ("TMG-PIN", "2026-12-02", "2026-12-04")] {
        let row = shop.db.first("SELECT id, product_id FROM variants WHERE sku = $1", params![sku]).await?.context("a variant")?;
        let (variant, product) = (row.parse("id")?, row.parse("product_id")?);
        let card = shop.storefront.cards(locale.text_language(), &[product]).await?;
        let slug = card.first().context("a card")?.slug.clone();
        let app::ports::Found::Here(document) = shop.storefront.product(locale.text_language(), &slug).await? else { anyhow::bail!("no page") };
        let selection = selection(&document, variant)?;
        let thing = Thing { product, variant, title: document.title.clone(), options: selection.clone() };
        let dates = words(&date_range(from.parse()?, to.parse()?, locale));
        let says = |place: &str, text: &str| {
            anyhow::ensure!(words(text).contains(&dates), "{sku}, {place}: not {dates}, but {}", words(text));
            anyhow::Ok(())
        };
        let visitor = house.shop.visitor();
        let page = visitor.get(&Address::new(locale, Route::Product { slug, selection: selection.into_iter().collect() }).url()).await?;
        says("product", &page.body)?;
        assert_eq!(page.body.contains("From another warehouse"), sku == "TMG-PIN");
        add(&visitor, locale, &thing).await?;
        says("cart", &visitor.get("/en-us/cart").await?.body)?;
        says("checkout", &visitor.get("/en-us/checkout").await?.body)?;
        let payment = place(&visitor, locale).await?;
        let order = type_card(&visitor, &payment, PAYS).await?;
        says("order", &paid(&visitor, &order, till(locale).status_paid).await?.body)?;
        let mail = house.shop.mail(|mail| mail.order().is_ok_and(|path| path == order)).await?;
        says("mail", &mail.text)?;
    }
    house.close().await
}

fn selection(document: &ProductDocument, variant: domain::VariantId) -> anyhow::Result<Fields> {
    let variant = document.variants.iter().find(|known| known.id == variant).context("a variant")?;
    Ok(document.options.iter().map(|option| option.slug.clone()).zip(variant.values.iter().cloned()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_back_order_is_promised_for_no_day() -> anyhow::Result<()> {
    let house = house::open().await?;
    let locale: Locale = "en-us".parse()?;
    let hat = hat(&house).await?;
    let shop = &house.shop.shop;
    shop.db
        .transact::<_, anyhow::Error>(|tx| {
            let (hat, clock) = (hat.clone(), shop.clock.clone());
            Box::pin(async move {
                tx.execute("UPDATE variants SET oversell = 1 WHERE id = $1", params![hat.variant]).await?;
                let item = stock::Item { product: hat.product, variant: hat.variant };
                for location in ["reno", "rotterdam", "osaka"] {
                    let sql = "SELECT CAST(COALESCE(SUM(free), 0) AS BIGINT) AS n FROM stock_balances WHERE variant_id = $1 AND location = $2";
                    let free = tx.first(sql, params![hat.variant, location]).await?.context("a sum")?.int("n")?;
                    stock::adjust(tx, &clock, item, location, -free, "counted", "test").await?;
                }
                Ok(())
            })
        })
        .await?;
    let visitor = house.shop.visitor();
    let slug = shop.storefront.cards(locale.text_language(), &[hat.product]).await?.first().context("a card")?.slug.clone();
    let selection: Vec<(String, String)> = hat.options.clone();
    let url = Address::new(locale, Route::Product { slug, selection: selection.into_iter().collect() }).url();
    let later = app::i18n::shop(locale).delivery_later;
    for _ in 0..100 {
        if visitor.get(&url).await?.body.contains(later) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(visitor.get(&url).await?.body.contains(later), "the product's page names no day");
    add(&visitor, locale, &hat).await?;
    let arrives = till(locale).arrives.split('{').next().unwrap_or_default();
    let cart = words(&visitor.get("/en-us/cart").await?.body);
    assert!(!cart.contains(arrives) && cart.contains(till(locale).back_order), "{cart}");
    let payment = place(&visitor, locale).await?;
    assert_eq!(house.latest().await?.body.promised(), None);
    let order = type_card(&visitor, &payment, PAYS).await?;
    let page = words(&paid(&visitor, &order, till(locale).status_paid).await?.body);
    assert!(!page.contains(arrives), "{page}");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_help_page_names_every_zone_and_weight() -> anyhow::Result<()> {
    let house = house::open().await?;
    let visitor = house.shop.visitor();
    for (path, parts) in [
        ("/en-us/help/delivery", ["Standard delivery: Alaska and Hawaii", "$12.95", "66.2\u{a0}lb"]),
        ("/ja-jp/help/delivery", ["通常配送：沖縄", "￥1,400", "30\u{a0}kg"]),
        ("/de-de/help/delivery", ["Standardversand: deutsche Inseln", "8,90\u{a0}€", "höchstens 30\u{a0}kg"]),
    ] {
        let page = visitor.get(path).await?;
        for part in parts {
            assert!(page.body.contains(part), "{path} does not say {part}: {}", words(&page.body));
        }
    }
    house.close().await
}
