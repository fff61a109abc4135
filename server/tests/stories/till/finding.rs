//! The way back to an order: by number and address, with the postcode, by a link that is old or was replaced; and the same once more.

use crate::{
    support::{Answer, Visitor, mails::Mail},
    till::house::{self, House, PAYS, Thing, add, paid, place, type_card, words},
};
use anyhow::Context as _;
use app::i18n::{shop, till};
use domain::{OrderId, locale::Locale};
use server::params;
use std::time::Duration;

const FIND: &str = "/en-gb/orders/find";

fn gb() -> Locale {
    "en-gb".parse().expect("a locale")
}

/// An order of somebody's: its path, its number and its id.
async fn bought(house: &House, thing: &Thing, locale: Locale) -> anyhow::Result<(Visitor, String, String, OrderId)> {
    let visitor = house.shop.visitor();
    add(&visitor, locale, thing).await?;
    let payment = place(&visitor, locale).await?;
    let order = type_card(&visitor, &payment, PAYS).await?;
    paid(&visitor, &order, till(locale).status_paid).await?;
    let row = house.shop.shop.db.first("SELECT id, number FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1", params![]).await?;
    let row = row.context("an order")?;
    Ok((visitor, order, row.text("number")?, row.parse("id")?))
}

async fn asks(visitor: &Visitor, number: &str, email: &str, postcode: &str) -> anyhow::Result<Answer> {
    visitor.post(FIND, &[("number", number), ("email", email), ("postcode", postcode)]).await
}

fn links(house: &House) -> anyhow::Result<Vec<Mail>> {
    Ok(house.shop.mails()?.into_iter().filter(|mail| mail.subject().starts_with("The link to your order")).collect())
}

/// Waits for so many links; and a moment, so that one too many would be there.
async fn mailed(house: &House, count: usize) -> anyhow::Result<Vec<Mail>> {
    for _ in 0..200 {
        if links(house)?.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    links(house)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_an_order_learns_nothing_and_its_owner_gets_a_mail() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let (_, order, number, _) = bought(&house, &things[0], gb()).await?;
    let stranger = house.shop.visitor();
    for locale in Locale::OFFERED {
        let page = stranger.get(&format!("/{locale}/orders/find")).await?;
        assert!(page.status == 200 && words(&page.body).contains(shop(locale).find_order), "{locale}: {}", words(&page.body));
        assert_eq!((page.header("cache-control"), page.body.contains("noindex")), ("no-store", true), "{locale}");
        let home = stranger.get(&format!("/{locale}")).await?;
        assert!(home.body.contains(&format!("href=\"/{locale}/orders/find\"")), "{locale}: the footer leads there");
    }
    let other = if number.ends_with('2') { format!("{}3", &number[..11]) } else { format!("{}2", &number[..11]) };
    let mut answers = Vec::new();
    for (number, email, postcode) in [
        (number.as_str(), "ada@example.com", ""),
        (number.as_str(), "bob@example.com", ""),
        (other.as_str(), "ada@example.com", ""),
        (number.as_str(), "bob@example.com", "SW1Y 4JH"),
        (other.as_str(), "ada@example.com", "SW1Y 4JH"),
        // The postcode of somebody else, and a number as it is read out.
        (&number.to_lowercase().replace('-', " "), " ADA@example.com", "E1 6AN"),
    ] {
        let started = tokio::time::Instant::now();
        let answer = asks(&stranger, number, email, postcode).await?;
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(3), "{took:?}");
        answers.push((answer.status, answer.location(), answer.body));
    }
    answers.dedup();
    assert_eq!(answers, [(303, Some(format!("{FIND}?said=sent")), String::new())], "the same answer, whatever fits");
    assert!(words(&stranger.get(&format!("{FIND}?said=sent")).await?.body).contains("we have mailed you a link"));
    let mails = mailed(&house, 2).await?;
    assert_eq!(mails.len(), 2, "for the two questions in which number and address fit");
    assert_eq!((mails[0].to(), mails[0].order()?), ("ada@example.com", order.clone()));
    assert!(!mails[0].text.contains("St James"), "a link is no place for an address");

    for (number, email, sentence) in [
        ("", "ada@example.com", "Please fill in: Order number"),
        ("NG-12", "ada@example.com", "An order number looks like"),
        (number.as_str(), "", "Please fill in: Email"),
        (number.as_str(), "<b>", "An email address looks like"),
    ] {
        let answer = asks(&stranger, number, email, "SW1Y 4JH").await?;
        assert!(answer.status == 422 && words(&answer.body).contains(sentence), "{}", words(&answer.body));
        assert!(answer.body.contains("value=\"SW1Y 4JH\"") && answer.body.contains("aria-invalid=\"true\""), "what was typed stays");
    }

    // All three open the order at once; postcodes are ten a day.
    let opened = asks(&stranger, &number, "ada@example.com", "sw1y4jh").await?;
    assert_eq!(opened.location(), Some(order.clone()));
    futures::future::try_join_all((0..12).map(|_| asks(&stranger, &number, "ada@example.com", "E1 6AN"))).await?;
    let locked = asks(&stranger, &number, "ada@example.com", "sw1y4jh").await?;
    assert_eq!(locked.location(), Some(format!("{FIND}?said=sent")));
    assert_eq!(stranger.get(&order).await?.status, 200, "the link that is in use stays");
    house.shop.clock.advance(Duration::from_hours(24));
    let tomorrow = asks(&stranger, &number, "ada@example.com", "sw1y4jh").await?;
    assert_eq!(tomorrow.location(), Some(order));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_for_orders_are_limited() -> anyhow::Result<()> {
    let house = house::open_with(|config| config.rate_limits = true).await?;
    let visitor = house.shop.visitor();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(asks(&visitor, "NG-7K2M-Q4XD", "ada@example.com", "").await?.status);
    }
    assert_eq!(statuses, [303, 303, 303, 303, 303, 303, 429, 429]);
    let refused = asks(&visitor, "NG-7K2M-Q4XD", "ada@example.com", "").await?;
    assert!(words(&refused.body).contains("Please wait 10 minutes") && refused.body.contains("value=\"NG-7K2M-Q4XD\""), "{}", words(&refused.body));
    assert!(refused.header("retry-after").parse::<u64>()? > 300);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_link_asks_for_the_postcode_before_it_shows_anything() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let (_, order, number, _) = bought(&house, &things[0], gb()).await?;
    let visitor = house.shop.visitor();
    house.shop.clock.advance(Duration::from_hours(30 * 24 - 1));
    assert!(words(&visitor.get(&order).await?.body).contains(&number), "for 30 days the link is enough");
    house.shop.clock.advance(Duration::from_hours(2));
    let gate = visitor.get(&order).await?;
    assert!(gate.status == 200 && words(&gate.body).contains("please enter the postcode"), "{}", words(&gate.body));
    for secret in [number.as_str(), "ada@example.com", "Lovelace", "St James", &things[0].title] {
        assert!(!words(&gate.body).contains(secret), "{secret} is shown");
    }
    for action in ["again", "renew"] {
        assert_eq!(visitor.post(&format!("{order}/{action}"), &[]).await?.location(), Some(order.clone()), "{action} asks, too");
    }
    let wrong = visitor.post(&format!("{order}/open"), &[("postcode", "E1 6AN")]).await?;
    assert!(wrong.status == 422 && words(&wrong.body).contains("This is not the postcode"), "{}", words(&wrong.body));
    let right = visitor.post(&format!("{order}/open"), &[("postcode", "sw1y 4jh")]).await?;
    assert_eq!((right.status, right.location()), (303, Some(order.clone())));
    assert!(words(&visitor.get(&order).await?.body).contains("Lovelace"));
    assert!(!words(&house.shop.visitor().get(&order).await?.body).contains("Lovelace"), "for whoever told it");
    house.shop.clock.advance(Duration::from_hours(25));
    assert!(!words(&visitor.get(&order).await?.body).contains("Lovelace"), "for a day");

    // Ten wrong ones, many at once, lock the link; a new one comes by mail.
    let thief = house.shop.visitor();
    let (path, wrong) = (format!("{order}/open"), [("postcode", "E1 6AN")]);
    let tries = futures::future::join_all((0..14).map(|_| thief.post(&path, &wrong))).await;
    let statuses = tries.into_iter().map(|answer| Ok(answer?.status)).collect::<anyhow::Result<Vec<_>>>()?;
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 10, "{statuses:?}");
    let locked = visitor.post(&path, &[("postcode", "sw1y4jh")]).await?;
    assert!(locked.status == 429 && words(&locked.body).contains("too many tries"), "{}", words(&locked.body));
    asks(&visitor, &number, "ada@example.com", "").await?;
    let mails = mailed(&house, 1).await?;
    let fresh = mails.first().context("a mail")?.order()?;
    assert_ne!(fresh, order);
    assert!(words(&visitor.get(&fresh).await?.body).contains("Lovelace"), "a new link opens by itself again");
    let old = visitor.get(&order).await?;
    assert!(old.status == 404 && words(&old.body).contains("This link leads nowhere") && old.body.contains(FIND), "{}", words(&old.body));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_others_saw_can_be_replaced() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let (visitor, order, number, id) = bought(&house, &things[0], gb()).await?;
    let renewed = visitor.post(&format!("{order}/renew"), &[]).await?;
    let fresh = renewed.location().context("the new address")?;
    let page = visitor.get(&fresh).await?;
    assert!(words(&page.body).contains("The earlier one no longer works") && words(&page.body).contains(&number), "{}", words(&page.body));
    for (path, method) in
        [(order.clone(), "GET"), (format!("{order}/pay"), "POST"), (format!("{order}/again"), "POST"), (format!("{order}/renew"), "POST")]
    {
        let answer = if method == "GET" { visitor.get(&path).await? } else { visitor.post(&path, &[]).await? };
        assert_eq!(answer.status, 404, "{path}");
    }
    let mails = mailed(&house, 1).await?;
    let fresh = fresh.split('?').next().context("a path")?;
    assert_eq!(mails[0].order()?, fresh);
    // The provider's way back and mails that come later lead to the present link.
    house.shop.mail(|mail| mail.subject().starts_with("Payment received")).await?;
    house.shop.shop.orders.resend(id, app::mail::Kind::Paid).await?;
    house.shop.mail(|mail| mail.subject().starts_with("Payment received") && mail.order().is_ok_and(|path| path == fresh)).await?;
    let again = visitor.post(&format!("{fresh}/renew"), &[]).await?.location().context("the third address")?;
    assert_ne!(again.split('?').next(), Some(fresh));
    assert_eq!(visitor.get(fresh).await?.status, 404);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_again_is_in_the_cart_as_far_as_it_is_there() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "de-de".parse()?;
    let visitor = house.shop.visitor();
    for thing in &things[..2] {
        add(&visitor, locale, thing).await?;
    }
    let payment = place(&visitor, locale).await?;
    let order = type_card(&visitor, &payment, PAYS).await?;
    let page = paid(&visitor, &order, "Bezahlt").await?;
    let mutation = page.field("mutation").context("a form")?.to_owned();
    // A double click adds once.
    let path = format!("{order}/again");
    for _ in 0..2 {
        assert_eq!(visitor.post(&path, &[("mutation", &mutation)]).await?.location().as_deref(), Some("/de-de/cart?said=again"));
    }
    let cart = visitor.get("/de-de/cart?said=again").await?;
    let text = words(&cart.body);
    assert!(text.contains("liegen im Warenkorb") && text.contains("Warenkorb, 2 Artikel") || cart.body.contains("<b>2<"), "{text}");
    // Somebody else with the link, after one of the two sold out and the other is no longer sold here.
    let friend = house.shop.visitor();
    house.sell_out(&things[0]).await?;
    let some = friend.post(&path, &[]).await?.location().context("the cart")?;
    let text = words(&friend.get(&some).await?.body);
    assert!(text.contains("Nicht dabei: ") && text.contains("Was noch erhältlich ist"), "{text}");
    house.withdraw_from_germany(&things[1]).await?;
    let nobody = house.shop.visitor();
    let none = nobody.post(&path, &[]).await?.location().context("the cart")?;
    let text = words(&nobody.get(&none).await?.body);
    assert!(none.contains("said=none") && text.contains("Es kam nichts in den Warenkorb"), "{text}");
    house.close().await
}
