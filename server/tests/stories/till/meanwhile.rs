//! What changes between the checkout's page and the order: prices, delivery methods, codes and taxes. Each is told with a sentence, nothing is
//! ordered, and what was typed stays.

use crate::{
    support::{Answer, Visitor},
    till::{
        coupons::offer,
        house::{self, House, Thing, add, checkout_fields, post, words},
    },
};
use anyhow::Context as _;
use app::{
    i18n::{filled, money, till},
    private::field_label,
};
use domain::{
    address::Field,
    event::Event,
    locale::Locale,
    market::{Market, TaxMode},
    money::{Currency, Money},
};
use serde_json::json;
use server::{events, params, sql::Value};
use std::time::Duration;

const PATH: &str = "/en-gb/checkout";

fn gb() -> Locale {
    "en-gb".parse().expect("a locale")
}

fn pounds(pence: i64) -> String {
    money(Money::new(pence, Currency::GBP), gb())
}

/// The sentence that tells another total.
fn now_costs(pence: i64) -> String {
    filled(till(gb()).err_total, &[("amount", &pounds(pence))])
}

/// Somebody with a thing in the cart, and the checkout's page.
async fn at_checkout(house: &House, thing: &Thing) -> anyhow::Result<(Visitor, Answer)> {
    let visitor = house.shop.visitor();
    add(&visitor, gb(), thing).await?;
    let page = visitor.get(PATH).await?;
    Ok((visitor, page))
}

/// The total that a page shows, in pence.
fn total(page: &Answer) -> anyhow::Result<i64> {
    Ok(page.field("seen_total").context("a total")?.parse()?)
}

/// The form that a page shows, with one field typed differently.
fn typed(page: &Answer, name: &str, value: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut fields = checkout_fields(page, gb())?;
    let field = fields.iter_mut().find(|(known, _)| known == name).with_context(|| format!("the checkout has no field {name}"))?;
    value.clone_into(&mut field.1);
    Ok(fields)
}

/// Whether the form was refused with a sentence, and nothing was ordered or lost.
async fn refused(house: &House, visitor: &Visitor, answer: &Answer, told: (u16, &str), kept: (i64, &Thing)) -> anyhow::Result<()> {
    let ((status, sentence), (orders, thing)) = (told, kept);
    assert!(answer.status == status && words(&answer.body).contains(sentence), "{} not {sentence:?}: {}", answer.status, words(&answer.body));
    assert!(answer.field("email") == Some("ada@example.com") && answer.body.contains("value=\"London\""), "what was typed stays: {}", answer.body);
    assert_eq!(house.orders().await?, orders, "nothing was ordered");
    let cart = visitor.get("/en-gb/cart").await?;
    assert!(cart.body.contains(&format!("quantity-{}", thing.variant)), "the cart is kept: {}", words(&cart.body));
    Ok(())
}

/// Whether the form led to the payment page.
fn placed(answer: &Answer) {
    assert!(answer.location().is_some_and(|to| to.contains("/pay/")), "{} {}", answer.status, words(&answer.body));
}

async fn execute(house: &House, sql: &'static str, values: Vec<Value>) -> anyhow::Result<()> {
    house.shop.shop.db.execute(sql, values).await?;
    Ok(())
}

async fn emit(house: &House, event: Event) -> anyhow::Result<()> {
    let shop = &house.shop.shop;
    shop.db
        .transact::<_, anyhow::Error>(|tx| {
            let (clock, event) = (shop.clock.clone(), event.clone());
            Box::pin(async move {
                events::emit(tx, &clock, &event).await?;
                Ok(())
            })
        })
        .await
}

/// The checkout's page once its total is another one.
async fn followed(visitor: &Visitor, total: &str) -> anyhow::Result<Answer> {
    for _ in 0..100 {
        let page = visitor.get(PATH).await?;
        if page.field("seen_total") != Some(total) {
            return Ok(page);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the page did not follow in five seconds")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_that_changes_meanwhile_is_told_before_anything_is_ordered() -> anyhow::Result<()> {
    const DEARER: &str = "UPDATE prices SET amount_minor = 12345 WHERE variant_id = $1 AND currency = 'GBP'";
    let house = house::open().await?;
    let things = house.things().await?;
    let thing = &things[0];
    let (visitor, page) = at_checkout(&house, thing).await?;
    let before = total(&page)?;
    execute(&house, DEARER, params![thing.variant]).await?;
    // Pages do not know it yet; the order's own transaction does. Delivery is free from £50 on.
    let told = post(&visitor, PATH, &checkout_fields(&page, gb())?).await?;
    refused(&house, &visitor, &told, (409, &now_costs(12_345)), (0, thing)).await?;

    emit(&house, Event::PriceChanged { product: thing.product, variant: thing.variant }).await?;
    assert_eq!(total(&followed(&visitor, &before.to_string()).await?)?, 12_345);
    // The page from before is still there in the browser.
    let told = post(&visitor, PATH, &checkout_fields(&page, gb())?).await?;
    refused(&house, &visitor, &told, (409, &now_costs(12_345)), (0, thing)).await?;
    placed(&post(&visitor, PATH, &checkout_fields(&told, gb())?).await?);
    let order = house.shop.shop.db.first("SELECT total_minor FROM orders", params![]).await?.context("an order")?;
    assert_eq!(order.int("total_minor")?, 12_345);
    house.close().await
}

const NO_STANDARD: &str = "DELETE FROM delivery_methods WHERE market = 'GB' AND code = 'standard'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_method_that_ends_meanwhile_is_chosen_anew() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let (visitor, page) = at_checkout(&house, &things[0]).await?;
    execute(&house, NO_STANDARD, params![]).await?;
    let told = post(&visitor, PATH, &checkout_fields(&page, gb())?).await?;
    refused(&house, &visitor, &told, (422, till(gb()).err_method), (0, &things[0])).await?;
    assert!(told.body.contains("value=\"express\"") && !told.body.contains("value=\"standard\""), "{}", words(&told.body));
    // Without a method there was no total: it is shown first.
    let seen = post(&visitor, PATH, &typed(&told, "method", "express")?).await?;
    let page = visitor.get(&seen.location().with_context(|| words(&seen.body))?).await?;
    assert!(words(&page.body).contains(&now_costs(total(&page)?)), "{}", words(&page.body));
    placed(&post(&visitor, PATH, &typed(&page, "method", "express")?).await?);
    assert_eq!(house.orders().await?, 1);
    house.close().await
}

/// Sends another address for an order that waits to be paid. The provider is slow to close its payment page, and meanwhile something changes:
/// the checkout has looked at it already, the new order's transaction has not.
async fn while_it_is_placed(house: &House, visitor: &Visitor, sql: &'static str) -> anyhow::Result<Answer> {
    let fields = typed(&visitor.get(PATH).await?, "delivery_line1", "1 Another Street")?;
    house.provider_does(json!({ "delay_replies_ms": 1_500 })).await?;
    let sending = tokio::spawn({
        let visitor = visitor.clone();
        async move { post(&visitor, PATH, &fields).await }
    });
    tokio::time::sleep(Duration::from_millis(900)).await;
    execute(house, sql, params![]).await?;
    house.provider_does(json!({})).await?;
    let answer = sending.await?;
    let earlier = house.shop.shop.db.first("SELECT status FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1", params![]).await?;
    assert_eq!(earlier.context("an order")?.text("status")?, "withdrawn", "it made room");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_while_an_order_is_placed_is_told_too() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    offer(&house.shop.shop, "GOOD", |_| {}).await?;
    let (visitor, page) = at_checkout(&house, &things[0]).await?;
    let without = total(&page)?;
    assert_eq!(visitor.post("/en-gb/cart/coupon", &[("code", "GOOD")]).await?.status, 303);
    placed(&post(&visitor, PATH, &checkout_fields(&visitor.get(PATH).await?, gb())?).await?);
    let told = while_it_is_placed(&house, &visitor, "UPDATE coupons SET ended_at = 1").await?;
    refused(&house, &visitor, &told, (409, &format!("The code GOOD has ended. {}", now_costs(without))), (1, &things[0])).await?;
    assert_eq!(told.field("delivery_line1"), Some("1 Another Street"));
    placed(&post(&visitor, PATH, &checkout_fields(&told, gb())?).await?);
    assert_eq!(house.orders().await?, 2);

    let (visitor, page) = at_checkout(&house, &things[1]).await?;
    placed(&post(&visitor, PATH, &checkout_fields(&page, gb())?).await?);
    let told = while_it_is_placed(&house, &visitor, NO_STANDARD).await?;
    refused(&house, &visitor, &told, (422, till(gb()).err_method), (3, &things[1])).await?;
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_want_the_last_use_of_a_code_one_orders_without_it() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    offer(&house.shop.shop, "LAST", |coupon| coupon.caps.total = Some(1)).await?;
    let mut both = Vec::new();
    let mut without = 0;
    for _ in 0..2 {
        let (visitor, page) = at_checkout(&house, &things[0]).await?;
        without = total(&page)?;
        assert_eq!(visitor.post("/en-gb/cart/coupon", &[("code", "LAST")]).await?.status, 303);
        let page = visitor.get(PATH).await?;
        assert!(total(&page)? < without, "both pages show the lower total");
        both.push((visitor, checkout_fields(&page, gb())?));
    }
    let answers = futures::future::try_join_all(both.iter().map(|(visitor, fields)| post(visitor, PATH, fields))).await?;
    let (first, late): (Vec<_>, Vec<_>) = answers.iter().zip(&both).partition(|(answer, _)| answer.status == 303);
    assert_eq!((first.len(), late.len()), (1, 1), "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    let (told, (visitor, _)) = late[0];
    refused(&house, visitor, told, (409, &format!("The code LAST has been used up. {}", now_costs(without))), (1, &things[0])).await?;
    placed(&post(visitor, PATH, &checkout_fields(told, gb())?).await?);
    let uses = house.shop.shop.db.first("SELECT used FROM coupons WHERE body LIKE '%Title of LAST%'", params![]).await?.context("a coupon")?;
    assert_eq!((house.orders().await?, uses.int("used")?), (2, 1));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tax_that_the_address_leaves_open_is_never_guessed() -> anyhow::Result<()> {
    const BY_REGION: &str = "INSERT INTO tax_rates (country, region, category, name, rate_millionths, estimated, source, valid_from) \
                             VALUES ('GB', 'SCT', '', 'VAT', 200000, 0, 'test', 0)";
    let house = house::open().await?;
    let things = house.things().await?;
    let (visitor, page) = at_checkout(&house, &things[0]).await?;
    let before = total(&page)?;
    // From now on taxes come on top and depend on a region, which British addresses do not name.
    execute(&house, BY_REGION, params![]).await?;
    let market = house.shop.shop.db.first("SELECT body FROM markets WHERE code = 'GB'", params![]).await?.context("a market")?.text("body")?;
    let market = Market { tax_mode: TaxMode::Exclusive, ..serde_json::from_str(&market)? };
    execute(&house, "UPDATE markets SET body = $1 WHERE code = 'GB'", params![serde_json::to_string(&market)?]).await?;
    emit(&house, Event::ShopChanged).await?;
    let open = followed(&visitor, &before.to_string()).await?;
    assert!(words(&open.body).contains(till(gb()).total_before_tax) && open.field("seen_total") == Some(""), "{}", words(&open.body));

    let told = post(&visitor, PATH, &checkout_fields(&page, gb())?).await?;
    let region = field_label(Field::Region, "GB".parse()?, gb());
    refused(&house, &visitor, &told, (422, &filled(till(gb()).err_choose, &[("field", region)])), (0, &things[0])).await?;
    house.close().await
}
