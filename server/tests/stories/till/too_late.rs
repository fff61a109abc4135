//! What comes too late: paying again for an order that cannot be paid any more, and ordering what was taken between the cart and the order.

use crate::{
    support::Visitor,
    till::house::{self, DECLINES, House, PAYS, Thing, add, checkout_fields, paid, place, post, type_card, words},
};
use anyhow::Context as _;
use app::i18n::{filled, follow, money, till};
use domain::{
    OrderId,
    locale::Locale,
    order::{ATTEMPTS_MAX, HOLD_US, PAYABLE_US},
};
use server::params;
use std::time::Duration;

const CODES: [&str; 4] = ["en-us", "de-de", "fr-ca", "ja-jp"];

async fn latest(house: &House) -> anyhow::Result<OrderId> {
    let row = house.shop.shop.db.first("SELECT id FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1", params![]).await?;
    row.context("an order")?.parse("id")
}

/// An order whose first payment was declined: the visitor and the page's path.
async fn declined(house: &House, thing: &Thing, locale: Locale) -> anyhow::Result<(Visitor, String)> {
    let visitor = house.shop.visitor();
    add(&visitor, locale, thing).await?;
    let payment = place(&visitor, locale).await?;
    let order = type_card(&visitor, &payment, DECLINES).await?;
    paid(&visitor, &order, till(locale).status_declined).await?;
    Ok((visitor, order))
}

/// Asks to pay again: refused with a status and a sentence on the order's page, and nothing is lost.
async fn refused(visitor: &Visitor, order: &str, status: u16, sentence: &str) -> anyhow::Result<()> {
    let answer = visitor.post(&format!("{order}/pay"), &[]).await?;
    assert!(answer.status == status && words(&answer.body).contains(sentence), "{} not {sentence:?}: {}", answer.status, words(&answer.body));
    assert_eq!(visitor.get(order).await?.status, 200, "the page stays");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_down_is_asked_again_later() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for code in CODES {
        let locale: Locale = code.parse()?;
        let (visitor, order) = declined(&house, &things[0], locale).await?;
        house.provider_does(serde_json::json!({ "down": true })).await?;
        refused(&visitor, &order, 503, till(locale).err_provider).await.context(code)?;
        house.provider_does(serde_json::json!({ "down": false })).await?;
        // Who did not answer is left alone for a moment.
        let mut answer = visitor.post(&format!("{order}/pay"), &[]).await?;
        for _ in 0..60 {
            if answer.status == 303 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
            answer = visitor.post(&format!("{order}/pay"), &[]).await?;
        }
        let page = answer.location().context("the payment page")?;
        assert_eq!(type_card(&visitor, &page, PAYS).await?, order, "{code}");
        paid(&visitor, &order, till(locale).status_paid).await?;
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_too_old_is_not_paid() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let mut orders = Vec::new();
    for code in CODES {
        let locale: Locale = code.parse()?;
        orders.push((locale, declined(&house, &things[0], locale).await?));
    }
    house.shop.clock.advance(Duration::from_micros(PAYABLE_US.unsigned_abs()));
    for (locale, (visitor, order)) in &orders {
        refused(visitor, order, 409, till(*locale).cannot_pay_too_old).await.with_context(|| locale.to_string())?;
        assert!(!visitor.get(order).await?.body.contains(&format!("{order}/pay\"")), "{locale}: no button that cannot work");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_tries_cards_for_ever() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "en-gb".parse()?;
    let (visitor, order) = declined(&house, &things[0], locale).await?;
    let id = latest(&house).await?;
    for attempt in 1..ATTEMPTS_MAX {
        let page = visitor.post(&format!("{order}/pay"), &[]).await?.location().with_context(|| format!("attempt {attempt}"))?;
        type_card(&visitor, &page, DECLINES).await?;
        paid(&visitor, &order, till(locale).status_declined).await?;
    }
    refused(&visitor, &order, 409, till(locale).cannot_pay_attempts).await?;
    let known = house.shop.shop.orders.ledgers(id).await?.context("an order")?;
    assert_eq!((known.payments.len(), known.refunds.len()), (ATTEMPTS_MAX, 0));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_that_sold_out_meanwhile_are_not_paid_for() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let shop = &house.shop.shop;
    for (code, thing) in ["en-us", "de-de", "ja-jp"].into_iter().zip(&things) {
        let locale: Locale = code.parse()?;
        let (visitor, order) = declined(&house, thing, locale).await?;
        let id = latest(&house).await?;
        house.shop.clock.advance(Duration::from_micros(HOLD_US.unsigned_abs() + 1));
        for _ in 0..100 {
            shop.orders.tend().await?;
            if shop.orders.by_id(id).await?.context("an order")?.status.word() == "lapsed" {
                break;
            }
            house.shop.clock.advance(Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        paid(&visitor, &order, till(locale).status_lapsed).await?;
        house.sell_out(thing).await?;
        refused(&visitor, &order, 409, till(locale).cannot_pay_stock).await.context(code)?;
        assert_eq!(shop.orders.ledgers(id).await?.context("an order")?.payments.len(), 1, "{code}: no payment was begun");
    }

    // Money that comes all the same goes back. Until the provider is there to send it, the page says why, and there is nothing to cancel.
    let order = house.latest().await?;
    house.provider_does(serde_json::json!({ "down": true })).await?;
    house.late_money(order.ledgers.payments[0].id).await?;
    let (page, locale): (String, Locale) = (format!("/ja-jp/orders/{}", order.secret), "ja-jp".parse()?);
    let why = filled(till(locale).text_refunding, &[("amount", &money(order.total, locale))]);
    let visitor = house.shop.visitor();
    paid(&visitor, &page, &why).await?;
    let known = house.latest().await?.ledgers;
    let asked = visitor.post(&format!("{page}/cancel"), &[]).await?;
    assert_eq!((asked.status, asked.location()), (303, Some(page.clone())), "{}", words(&asked.body));
    assert!(words(&visitor.get(&page).await?.body).contains(&why) && known.refunds.len() == 1, "{known:?}");
    assert_eq!(house.latest().await?.ledgers.refunds.len(), 1);
    house.provider_does(serde_json::json!({})).await?;
    house.shop.clock.advance(Duration::from_hours(1));
    let mail = house.shop.mail(|mail| mail.text.contains(follow(locale).why_sold_out)).await?;
    assert!(mail.text.contains(&money(order.total, locale)), "{}", mail.text);
    house.close().await
}

/// The sentences of a page that names the pieces which are not there; what was typed stays.
async fn too_late(house: &House, locale: Locale, thing: &Thing, sql: &'static str, wanted: &str) -> anyhow::Result<()> {
    let visitor = house.shop.visitor();
    add(&visitor, locale, thing).await?;
    add(&visitor, locale, thing).await?;
    let path = format!("/{locale}/checkout");
    let first = visitor.get(&path).await?;
    // Tax depends on the address, so the page shows the total first.
    let to = post(&visitor, &path, &checkout_fields(&first, locale)?).await?.location().filter(|to| to.starts_with(&path)).context("the total")?;
    let page = visitor.get(&to).await?;
    let orders = house.orders().await?;
    // Not told to the read model: the page still offers them.
    let variant = thing.variant;
    house.shop.shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(async move { tx.execute(sql, params![variant]).await })).await?;
    let answer = post(&visitor, &path, &checkout_fields(&page, locale)?).await?;
    assert!(answer.status == 409 && words(&answer.body).contains(wanted), "{}, not {wanted:?}: {}", answer.status, words(&answer.body));
    assert_eq!(answer.field("email"), Some("ada@example.com"), "what was typed stays");
    assert_eq!(house.orders().await?, orders, "nothing was ordered");
    assert!(visitor.get(&format!("/{locale}/cart")).await?.body.contains(&thing.title), "the cart is kept");
    Ok(())
}

const ALL_GONE: &str = "UPDATE stock_balances SET free = 0 WHERE variant_id = $1";
/// One piece, where American orders are sent from.
const ONE_LEFT: &str = "UPDATE stock_balances SET free = CASE WHEN location = 'reno' AND bucket = 0 THEN 1 ELSE 0 END WHERE variant_id = $1";
const NOT_SOLD: &str = "DELETE FROM prices WHERE variant_id = $1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checkout_names_what_was_taken_meanwhile() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let us: Locale = "en-us".parse()?;
    let messages = till(us);
    let title = |thing: &Thing| thing.title.clone();
    too_late(&house, us, &things[0], ALL_GONE, &filled(messages.err_sold_out, &[("product", &title(&things[0]))])).await?;
    too_late(&house, us, &things[1], NOT_SOLD, &filled(messages.err_sold_out, &[("product", &title(&things[1]))])).await?;
    let one_left = messages.err_only_left.with(us, 1, &[("product", &title(&things[2]))]);
    too_late(&house, us, &things[2], ONE_LEFT, &one_left).await?;
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_form_is_one_order_and_not_another_one() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "en-gb".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let path = format!("/{locale}/checkout");
    let mut fields = checkout_fields(&visitor.get(&path).await?, locale)?;
    assert!(post(&visitor, &path, &fields).await?.location().is_some_and(|to| to.contains("/pay/")));
    for (name, value) in &mut fields {
        if name == "delivery_line1" {
            value.replace_range(.., "1 Another Street");
        }
    }
    let refused = post(&visitor, &path, &fields).await?;
    assert!(refused.status == 422 && words(&refused.body).contains(till(locale).err_form), "{}: {}", refused.status, words(&refused.body));
    assert_eq!(house.orders().await?, 1);
    house.close().await
}
