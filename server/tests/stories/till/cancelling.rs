//! The shopper cancels on the page of an order: before paying and after, whole and in pieces, too late and twice.

use crate::{
    support::Visitor,
    till::house::{self, House, PAYS, Thing, add, paid, place, type_card, words},
};
use anyhow::Context as _;
use app::i18n::{filled, follow, money, till};
use domain::{FulfilmentId, OrderId, locale::Locale, order::Portion};
use server::{orders::story::Actor, params};
use std::time::Duration;

fn gb() -> Locale {
    "en-gb".parse().expect("a locale")
}

async fn latest(house: &House) -> anyhow::Result<OrderId> {
    let row = house.shop.shop.db.first("SELECT id FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1", params![]).await?;
    row.context("an order")?.parse("id")
}

/// Two pieces of a thing, paid: the order's page and id.
async fn buys_two(house: &House, thing: &Thing, locale: Locale) -> anyhow::Result<(Visitor, String, OrderId)> {
    let visitor = house.shop.visitor();
    add(&visitor, locale, thing).await?;
    add(&visitor, locale, thing).await?;
    let payment = place(&visitor, locale).await?;
    let order = type_card(&visitor, &payment, PAYS).await?;
    paid(&visitor, &order, till(locale).status_paid).await?;
    let id = latest(house).await?;
    Ok((visitor, order, id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_of_a_paid_order_are_cancelled_on_its_page_in_every_language() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for locale in Locale::OFFERED {
        let (visitor, order, id) = buys_two(&house, &things[0], locale).await.with_context(|| locale.to_string())?;
        let free = house.free(&things[0]).await?;
        let page = visitor.get(&order).await?;
        assert!(words(&page.body).contains(follow(locale).cancel_submit), "{locale}: {}", words(&page.body));
        let mutation = page.field("mutation").context("a mutation")?.to_owned();
        let form = [("mutation", mutation.as_str()), ("line-0", "1")];
        for _ in 0..2 {
            let answer = visitor.post(&format!("{order}/cancel"), &form).await?;
            assert_eq!((answer.status, answer.location()), (303, Some(format!("{order}?said=cancelled"))), "{locale}");
        }
        // Back to the page from before, and filled in once more.
        let other = visitor.post(&format!("{order}/cancel"), &[("mutation", mutation.as_str()), ("line-0", "2")]).await?;
        assert!(other.status == 422 && words(&other.body).contains(till(locale).said_bad_form), "{locale}: {}", words(&other.body));
        let known = house.shop.shop.orders.ledgers(id).await?.context("an order")?;
        assert_eq!((known.tally(0).cancelled, known.refunds.len()), (1, 1), "{locale}: the same form twice counts once");
        assert_eq!(house.free(&things[0]).await?, free + 1, "{locale}");
        let page = words(&visitor.get(&format!("{order}?said=cancelled")).await?.body);
        assert!(page.contains(follow(locale).said_cancelled), "{locale}: {page}");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cancels_all_gets_everything_back_and_a_mail_that_says_so() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let (visitor, order, id) = buys_two(&house, &things[0], gb()).await?;
    let answer = visitor.post(&format!("{order}/cancel"), &[("line-0", "2")]).await?;
    assert_eq!(answer.status, 303);
    let known = house.shop.shop.orders.ledgers(id).await?.context("an order")?;
    assert_eq!(known.refunds.iter().map(|refund| refund.amount.minor).sum::<i64>(), known.total.minor, "delivery too");
    let mail = house.shop.mail(|mail| mail.subject().ends_with("was cancelled")).await?;
    let back = filled(follow(gb()).refunded_text, &[("amount", &money(known.total, gb()))]);
    assert!(mail.text.contains(&back), "{back}: {}", mail.text);
    let page = visitor.get(&order).await?;
    assert!(!page.body.contains("/cancel\""), "there is nothing left to cancel");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unpaid_order_is_cancelled_and_can_no_longer_be_paid() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let free = house.free(&things[0]).await?;
    let visitor = house.shop.visitor();
    add(&visitor, gb(), &things[0]).await?;
    place(&visitor, gb()).await?;
    let view = house.shop.shop.orders.by_id(latest(&house).await?).await?.context("an order")?;
    let order = format!("/en-gb/orders/{}", view.secret);
    assert!(words(&visitor.get(&order).await?.body).contains(follow(gb()).cancel_unpaid));
    assert_eq!(visitor.post(&format!("{order}/cancel"), &[]).await?.status, 303);
    let page = words(&visitor.get(&order).await?.body);
    assert!(page.contains(till(gb()).status_cancelled), "{page}");
    assert_eq!(house.free(&things[0]).await?, free);
    nothing_to_pay(&house, &visitor, &order, till(gb()).status_cancelled).await?;
    house.close().await
}

/// Asks to pay: led back to the order, which says why, and no attempt was made.
async fn nothing_to_pay(house: &House, visitor: &Visitor, order: &str, status: &str) -> anyhow::Result<()> {
    let attempts = async || {
        let orders = &house.shop.shop.orders;
        Ok::<_, anyhow::Error>(orders.ledgers(latest(house).await?).await?.context("an order")?.payments.len())
    };
    let before = attempts().await?;
    assert_eq!(visitor.post(&format!("{order}/pay"), &[]).await?.location().as_deref(), Some(order), "{status}");
    assert!(words(&visitor.get(order).await?.body).contains(status), "{status}");
    assert_eq!(attempts().await?, before, "{status}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_pending_or_paid_back_is_not_paid_again() -> anyhow::Result<()> {
    /// Pays when its bank says so, three days later.
    const PAYS_LATER: &str = "4000 0000 0000 3006";
    let house = house::open().await?;
    let things = house.things().await?;
    let visitor = house.shop.visitor();
    add(&visitor, gb(), &things[0]).await?;
    let order = type_card(&visitor, &place(&visitor, gb()).await?, PAYS_LATER).await?;
    paid(&visitor, &order, till(gb()).status_pending).await?;
    nothing_to_pay(&house, &visitor, &order, till(gb()).status_pending).await?;

    let (visitor, order, _) = buys_two(&house, &things[1], gb()).await?;
    nothing_to_pay(&house, &visitor, &order, till(gb()).status_paid).await?;
    assert_eq!(visitor.post(&format!("{order}/cancel"), &[("line-0", "2")]).await?.status, 303);
    paid(&visitor, &order, till(gb()).status_refunded).await?;
    nothing_to_pay(&house, &visitor, &order, till(gb()).status_refunded).await?;
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_packed_meanwhile_stays_ordered_and_an_old_link_cancels_nothing() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let (visitor, order, id) = buys_two(&house, &things[0], gb()).await?;
    let orders = &house.shop.shop.orders;
    let none = visitor.post(&format!("{order}/cancel"), &[("line-0", "0")]).await?;
    assert!(none.status == 422 && words(&none.body).contains(follow(gb()).cancel_none), "{}", words(&none.body));
    house.shop.clock.advance(Duration::from_hours(31 * 24));
    let asked = house.shop.visitor().post(&format!("{order}/cancel"), &[("line-0", "2")]).await?;
    assert_eq!(asked.location(), Some(order.clone()));
    let paying = house.shop.visitor().post(&format!("{order}/pay"), &[]).await?;
    assert_eq!(paying.location(), Some(order.clone()), "the page asks for the postcode");
    assert!(orders.ledgers(id).await?.context("an order")?.cancellations.is_empty(), "the postcode comes first");

    let (visitor, order, id) = buys_two(&house, &things[1], gb()).await?;
    let lying = orders.lying(id).await?;
    let here = &lying[0];
    let packing = FulfilmentId(house.shop.shop.clock.id());
    let staff = Actor::Staff("01a20846-0000-7000-8000-000000000001".to_owned());
    orders.pack(id, packing, &here.location, &[Portion { line: 0, quantity: here.quantity }], staff).await?;
    let late = visitor.post(&format!("{order}/cancel"), &[("line-0", "2")]).await?;
    assert!(late.status == 409 && words(&late.body).contains(follow(gb()).cancel_too_late), "{}", words(&late.body));
    assert!(orders.ledgers(id).await?.context("an order")?.cancellations.is_empty());
    house.close().await
}

/// A transfer that takes days.
const PAYS_DAYS_LATER: &str = "4000 0000 0000 3006";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_cancelled_now_says_why() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for code in ["en-gb", "de-de", "ko-kr"] {
        let locale: Locale = code.parse()?;
        let visitor = house.shop.visitor();
        add(&visitor, locale, &things[0]).await?;
        let payment = place(&visitor, locale).await?;
        let order = type_card(&visitor, &payment, PAYS_DAYS_LATER).await?;
        let page = paid(&visitor, &order, till(locale).status_pending).await?;
        assert!(!words(&page.body).contains(follow(locale).cancel_unpaid), "{code}: money that is under way cannot be called back");
        let refused = visitor.post(&format!("{order}/cancel"), &[]).await?;
        assert!(refused.status == 409 && words(&refused.body).contains(till(locale).text_pending), "{code}: {}", words(&refused.body));
    }

    let visitor = house.shop.visitor();
    add(&visitor, gb(), &things[0]).await?;
    place(&visitor, gb()).await?;
    let view = house.shop.shop.orders.by_id(latest(&house).await?).await?.context("an order")?;
    let order = format!("/en-gb/orders/{}", view.secret);
    house.provider_does(serde_json::json!({ "down": true })).await?;
    let refused = visitor.post(&format!("{order}/cancel"), &[]).await?;
    assert!(refused.status == 503 && words(&refused.body).contains(till(gb()).err_provider), "{}", words(&refused.body));
    house.provider_does(serde_json::json!({ "down": false })).await?;
    // Who did not answer is left alone for a moment.
    let mut answer = visitor.post(&format!("{order}/cancel"), &[]).await?;
    for _ in 0..60 {
        if answer.status == 303 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        answer = visitor.post(&format!("{order}/cancel"), &[]).await?;
    }
    assert_eq!((answer.status, answer.location()), (303, Some(format!("{order}?said=cancelled"))));
    house.close().await
}
