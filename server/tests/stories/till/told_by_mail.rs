//! What mails tell of cancelled pieces and of money that goes back: one mail tells of both, unless the money takes its time, and each refund says
//! why. Returns are told in `returns_told`.

use crate::{
    support::mails::Mail,
    till::{
        house::{self, DECLINES, House, PAYS, add, operate, paid, place, type_card, words},
        sending_back::{Bought, buys, locale, staff},
    },
};
use anyhow::Context as _;
use app::{
    i18n::{Follow, filled, follow, money, till},
    mail::Kind,
};
use domain::{
    locale::Locale,
    money::Money,
    refund::{GoodwillReason, RefundNews},
    staff::Role,
};
use serde_json::json;
use server::params;
use std::time::Duration;

/// The mail of an order with this subject.
pub async fn told(house: &House, bought: &Bought, subject: &str) -> anyhow::Result<Mail> {
    let number = house.shop.shop.orders.by_id(bought.id).await?.context("an order")?.number.to_string();
    let subject = filled(subject, &[("number", &number)]);
    let orders = &house.shop.shop.orders;
    for _ in 0..200 {
        if let Some(mail) = house.shop.mails()?.into_iter().find(|mail| mail.subject() == subject) {
            return Ok(mail);
        }
        orders.tend().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let subjects: Vec<_> = house.shop.mails()?.iter().map(|mail| mail.subject().to_owned()).collect();
    anyhow::bail!("no mail {subject:?} in ten seconds, but {subjects:?}")
}

/// How many mails with this subject went out for the order, once everything that happened was heard.
pub async fn count(house: &House, bought: &Bought, subject: &str) -> anyhow::Result<usize> {
    let shop = &house.shop.shop;
    let number = shop.orders.by_id(bought.id).await?.context("an order")?.number.to_string();
    let subject = filled(subject, &[("number", &number)]);
    for _ in 0..200 {
        let unheard = shop.db.first("SELECT COUNT(*) AS n FROM outbox WHERE delivered_at IS NULL", params![]).await?.context("a count")?.int("n")?;
        let now = shop.clock.now();
        let due = "SELECT COUNT(*) AS n FROM mails WHERE state IN ('waiting', 'due') AND next_at <= $1";
        let due = shop.db.first(due, params![now]).await?.context("a count")?.int("n")?;
        let under_way = shop.db.first("SELECT COUNT(*) AS n FROM mails WHERE state IN ('waiting', 'due') AND attempts > 0", params![]).await?;
        if unheard + due + under_way.context("a count")?.int("n")? == 0 {
            return Ok(house.shop.mails()?.iter().filter(|mail| mail.subject() == subject).count());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("mails are under way for ten seconds")
}

/// Whether a mail says it, as text and as HTML.
fn says(mail: &Mail, part: &str) -> bool {
    let shown = part.replace('&', "&amp;").replace('\'', "&#39;");
    mail.text.contains(part) && words(&mail.html).contains(&words_of(&shown))
}

fn words_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn says_all(mail: &Mail, parts: &[&str]) {
    for part in parts {
        assert!(says(mail, part), "{part:?}: {}", mail.text);
    }
}

pub fn says_none(mail: &Mail, parts: &[&str]) {
    for part in parts {
        assert!(!mail.text.contains(part), "{part:?}: {}", mail.text);
    }
}

/// A sentence with its amount; as a paragraph it begins large.
pub fn with(template: &str, amount: Money, here: Locale) -> String {
    let text = filled(template, &[("amount", &money(amount, here))]);
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// All that is said of a refund's why.
const fn whys(messages: &Follow) -> [&'static str; 6] {
    [
        messages.why_cancelled,
        messages.why_cancelled_before,
        messages.why_returned,
        messages.why_sold_out,
        messages.why_paid_twice,
        messages.why_goodwill,
    ]
}

/// What the order calls its first line.
pub async fn title(house: &House, bought: &Bought) -> anyhow::Result<String> {
    Ok(house.shop.shop.orders.by_id(bought.id).await?.context("an order")?.body.texts[0].title.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_pieces_and_their_money_are_told_by_one_mail_in_every_language() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for here in Locale::OFFERED {
        let messages = follow(here);
        let bought = buys(&house, &things[0], here, 2).await.with_context(|| here.to_string())?;
        assert_eq!(bought.visitor.post(&format!("{}/cancel", bought.page), &[("line-0", "1")]).await?.status, 303);
        let part = told(&house, &bought, messages.part_cancelled_subject).await.with_context(|| here.to_string())?;
        let refund = bought.ledgers(&house).await?.refunds[0].amount;
        says_all(&part, &[&with(messages.refunded_text, refund, here), messages.cancelled_items, messages.part_cancelled_next]);
        says_none(&part, &[messages.not_available]);
        assert_eq!(count(&house, &bought, messages.refunded_subject).await?, 0, "{here}: the money is told already");

        // The rest: the order is over, and delivery goes back as well.
        assert_eq!(bought.visitor.post(&format!("{}/cancel", bought.page), &[("line-0", "1")]).await?.status, 303);
        let whole = told(&house, &bought, messages.cancelled_subject).await.with_context(|| here.to_string())?;
        let known = bought.ledgers(&house).await?;
        says_all(&whole, &[messages.cancelled_text, &with(messages.refunded_text, known.refunds[1].amount, here)]);
        says_none(&whole, &[messages.never_charged]);
        if known.delivery.minor > 0 {
            says_all(&whole, &[messages.charge_back, &money(known.delivery, here)]);
        }
        assert_eq!(count(&house, &bought, messages.refunded_subject).await?, 0, "{here}");
        assert_eq!(count(&house, &bought, messages.part_cancelled_subject).await?, 1, "{here}");
    }
    // Staff may send the refund's own mail all the same, and it says why.
    let here = *Locale::OFFERED.last().context("a locale")?;
    let order = house.latest().await?;
    house.shop.shop.orders.resend(order.id, Kind::Refunded).await?;
    let refund = house.shop.mail(|mail| mail.subject() == filled(follow(here).refunded_subject, &[("number", &order.number.to_string())])).await?;
    says_all(&refund, &[follow(here).why_cancelled]);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_went_before_its_mail_was_asked_for_is_told_by_that_mail_alone() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("en-us");
    let messages = follow(here);
    let bought = buys(&house, &things[0], here, 1).await?;
    assert_eq!(bought.visitor.post(&format!("{}/cancel", bought.page), &[("line-0", "1")]).await?.status, 303);
    told(&house, &bought, messages.cancelled_subject).await?;
    assert_eq!(count(&house, &bought, messages.refunded_subject).await?, 0);
    // As where events are heard late: the mail was asked for, and is out, when the shop hears that the money has gone.
    let db = &house.shop.shop.db;
    db.execute("DELETE FROM mails WHERE kind = 'refunded'", params![]).await?;
    db.execute("UPDATE mails SET created_at = (SELECT MAX(updated_at) FROM refunds) WHERE kind = 'cancelled'", params![]).await?;
    db.execute("UPDATE outbox SET delivered_at = NULL, retry_at = 0", params![]).await?;
    assert_eq!(count(&house, &bought, messages.refunded_subject).await?, 0);
    assert_eq!(count(&house, &bought, messages.cancelled_subject).await?, 1);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_takes_its_time_has_a_mail_of_its_own_that_says_why() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("en-gb");
    let messages = follow(here);
    let bought = buys(&house, &things[0], here, 2).await?;
    house.provider_does(json!({ "down": true })).await?;
    let orders = &house.shop.shop.orders;
    let support = house.shop.signed_in(Role::Support).await?;
    let number = orders.by_id(bought.id).await?.context("an order")?.number;
    let cancelled = operate(&support, &number, "cancel", &[("line-0", "1"), ("reason", "not_available"), ("sure", "yes")]).await?;
    assert_eq!(cancelled.status, 303, "{}", words(&cancelled.body));
    let refund = bought.ledgers(&house).await?.refunds[0].amount;
    assert_eq!(count(&house, &bought, messages.part_cancelled_subject).await?, 0, "it waits for the money");
    house.shop.clock.advance(Duration::from_mins(5));
    let part = told(&house, &bought, messages.part_cancelled_subject).await?;
    says_all(&part, &[&with(messages.refund_follows, refund, here), messages.not_available, messages.part_cancelled_next]);
    says_none(&part, &[&with(messages.refunded_text, refund, here)]);

    house.provider_does(json!({})).await?;
    // While the circuit to the provider is still open, the refund is put off once more.
    let mut sent = Err(anyhow::anyhow!("nothing was tried"));
    for _ in 0..6 {
        house.shop.clock.advance(Duration::from_hours(1));
        sent = told(&house, &bought, messages.refunded_subject).await;
        if sent.is_ok() {
            break;
        }
    }
    let sent = sent?;
    says_all(&sent, &[&with(messages.refunded_text, refund, here), messages.why_cancelled, messages.refunded_items, &title(&house, &bought).await?]);
    assert_eq!(count(&house, &bought, messages.refunded_subject).await?, 1);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_nobody_paid_is_cancelled_without_a_word_of_money() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for code in ["en-us", "de-de", "ja-jp"] {
        let here = locale(code);
        let messages = follow(here);
        let visitor = house.shop.visitor();
        add(&visitor, here, &things[0]).await?;
        place(&visitor, here).await?;
        let order = house.latest().await?;
        let bought = Bought { visitor, page: format!("/{here}/orders/{}", order.secret), id: order.id };
        let placed = told(&house, &bought, messages.placed_subject).await?;
        says_all(&placed, &[messages.placed_kept, messages.placed_next]);
        assert_eq!(bought.visitor.post(&format!("{}/cancel", bought.page), &[]).await?.status, 303);
        let mail = told(&house, &bought, messages.cancelled_subject).await?;
        says_all(&mail, &[messages.cancelled_text, messages.never_charged]);
        says_none(&mail, &[messages.refund_none, messages.refund]);

        // Money that comes all the same goes back, and the mail says why it came too late.
        house.late_money(order.ledgers.payments[0].id).await?;
        let back = told(&house, &bought, messages.refunded_subject).await?;
        says_all(&back, &[&money(order.total, here), messages.why_cancelled_before]);
        // What is sent again tells how it stands now.
        house.shop.shop.orders.resend(bought.id, Kind::Cancelled).await?;
        house.shop.shop.orders.resend(bought.id, Kind::Placed).await?;
        for _ in 0..200 {
            if count(&house, &bought, messages.cancelled_subject).await? == 2 && count(&house, &bought, messages.placed_subject).await? == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mails = house.shop.mails()?;
        let of = |subject: &str| filled(subject, &[("number", &order.number.to_string())]);
        let again = |subject: &str| mails.iter().rfind(|mail| mail.subject() == of(subject)).context("a mail");
        says_none(again(messages.cancelled_subject)?, &[messages.never_charged]);
        says_none(again(messages.placed_subject)?, &[messages.placed_kept, messages.placed_next]);
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goodwill_and_a_second_payment_say_what_the_money_is_for() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for (code, why) in [("en-us", GoodwillReason::Late), ("fr-fr", GoodwillReason::Damaged), ("ko-kr", GoodwillReason::Other)] {
        let here = locale(code);
        let messages = follow(here);
        let bought = buys(&house, &things[0], here, 1).await?;
        let amount = Money::new(100, bought.ledgers(&house).await?.total.currency);
        house.shop.shop.orders.refund_goodwill(bought.id, domain::RefundId(house.shop.shop.clock.id()), amount, why, staff()).await?;
        let mail = told(&house, &bought, messages.refunded_subject).await.context(code)?;
        let words = match why {
            GoodwillReason::Late => messages.why_late,
            GoodwillReason::Damaged => messages.why_damaged,
            _ => messages.why_goodwill,
        };
        says_all(&mail, &[words, &money(amount, here)]);
        let others: Vec<_> = whys(messages).into_iter().filter(|other| *other != words).collect();
        says_none(&mail, &[&others[..], &[messages.refunded_items]].concat());
    }

    // A payment that was declined is captured after all, when another has paid.
    let here = locale("en-gb");
    let visitor = house.shop.visitor();
    add(&visitor, here, &things[0]).await?;
    let page = type_card(&visitor, &place(&visitor, here).await?, DECLINES).await?;
    paid(&visitor, &page, till(here).status_declined).await?;
    let again = visitor.post(&format!("{page}/pay"), &[]).await?.location().context("the payment page")?;
    type_card(&visitor, &again, PAYS).await?;
    paid(&visitor, &page, till(here).status_paid).await?;
    let order = house.latest().await?;
    house.late_money(order.ledgers.payments[0].id).await?;
    let bought = Bought { visitor, page, id: order.id };
    let mail = told(&house, &bought, follow(here).refunded_subject).await?;
    says_all(&mail, &[follow(here).why_paid_twice, &money(order.total, here)]);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_did_not_come_after_days_is_told_and_a_card_that_is_declined_at_once_is_not() -> anyhow::Result<()> {
    const FAILS_DAYS_LATER: &str = "4000 0000 0000 3014";
    let house = house::open().await?;
    let things = house.things().await?;
    for code in ["de-de", "ja-jp"] {
        let here = locale(code);
        let messages = follow(here);
        let visitor = house.shop.visitor();
        add(&visitor, here, &things[0]).await?;
        let page = type_card(&visitor, &place(&visitor, here).await?, DECLINES).await?;
        paid(&visitor, &page, till(here).status_declined).await?;
        let bought = Bought { visitor, page, id: house.latest().await?.id };
        assert_eq!(count(&house, &bought, messages.failed_subject).await?, 0, "{code}: the page says so");
        let again = bought.visitor.post(&format!("{}/pay", bought.page), &[]).await?.location().context("the payment page")?;
        type_card(&bought.visitor, &again, FAILS_DAYS_LATER).await?;
        paid(&bought.visitor, &bought.page, till(here).status_pending).await?;
        house.provider_waits(6 * 24 * 3_600).await?;
        paid(&bought.visitor, &bought.page, till(here).status_declined).await?;
        let mail = told(&house, &bought, messages.failed_subject).await.context(code)?;
        let total = house.shop.shop.orders.by_id(bought.id).await?.context("an order")?.total;
        says_all(&mail, &[&with(messages.failed_text, total, here), messages.failed_next]);
        assert_eq!(mail.order()?, bought.page);
        assert_eq!(count(&house, &bought, messages.failed_subject).await?, 1, "{code}: once");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_came_back_is_told_again_when_it_was_paid_some_other_way() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("de-de");
    let (messages, orders) = (follow(here), &house.shop.shop.orders);
    let bought = buys(&house, &things[0], here, 1).await?;
    let cancelled = bought.visitor.post(&format!("{}/cancel", bought.page), &[("line-0", "1")]).await?;
    assert_eq!(cancelled.status, 303);
    let mail = told(&house, &bought, messages.cancelled_subject).await?;
    let refund = bought.ledgers(&house).await?.refunds[0].clone();
    says_all(&mail, &[&with(messages.refunded_text, refund.amount, here)]);
    orders.hear_refund(refund.id, RefundNews::Bounced).await?;
    orders.settle_refund_outside(bought.id, refund.id, staff()).await?;
    let mail = told(&house, &bought, messages.refunded_subject).await?;
    says_all(&mail, &[&filled(messages.refunded_otherwise, &[("amount", &money(refund.amount, here))]), messages.why_cancelled]);
    assert_eq!(count(&house, &bought, messages.refunded_subject).await?, 1);
    let shown = words(&bought.visitor.get(&bought.page).await?.body);
    assert!(shown.contains(till(here).text_cancelled) && !shown.contains(till(here).text_cancelled_paid), "{shown}");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_of_a_later_release_hold_nothing_up() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("en-us");
    let visitor = house.shop.visitor();
    add(&visitor, here, &things[0]).await?;
    let payment = place(&visitor, here).await?;
    let (shop, order) = (&house.shop.shop, house.latest().await?);
    let sql = "INSERT INTO mails (id, order_id, kind, occasion, about, state, attempts, next_at, created_at, updated_at) \
               VALUES ($1, $2, 'review_asked', '', '', 'waiting', 0, 0, 0, 0)";
    let id = domain::EventId(shop.clock.id());
    shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(async move { tx.execute(sql, params![id, order.id]).await })).await?;
    let page = type_card(&visitor, &payment, PAYS).await?;
    paid(&visitor, &page, till(here).status_paid).await?;
    house.shop.mail(|mail| mail.subject().starts_with("Payment received")).await?;
    let row = shop.db.first("SELECT state, attempts FROM mails WHERE kind = 'review_asked'", params![]).await?.context("a mail")?;
    assert_eq!((row.text("state")?.as_str(), row.int("attempts")?), ("waiting", 0), "it is left to servers that know it");
    let support = house.shop.signed_in(Role::Support).await?;
    assert_eq!(support.get(&format!("/ops/orders/{}", order.number)).await?.status, 200, "nor is the order's page");
    house.close().await
}
