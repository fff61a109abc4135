//! Forms that are incomplete, too long or out of date: each gets a sentence, and changes nothing.

use crate::ops::desk::{self, act, done, log, page, refused, words};
use domain::{money::Currency, money::Money, staff::Role};
use server::orders::OrderRequest;

#[tokio::test]
async fn what_cannot_be_read_is_named_and_nothing_is_changed() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 2).await?;
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")]).await?, "pack")?;
    done(&act(&support, &order, "return", &[("reason", "faulty"), ("line-0", "1")]).await?, "return")?;
    let known = desk::ledgers(&house, &order).await?;
    let back = known.returns[0].id.to_string();
    let long = |characters: usize| "x".repeat(characters);
    let (carrier, tracking, why, note) = (long(41), long(61), long(501), long(2_001));
    for (what, fields, sentence) in [
        ("send", vec![("of", "nonsense"), ("carrier", "DHL")], "The form was incomplete."),
        ("receive", vec![("of", ""), ("sure", "yes")], "The form was incomplete."),
        ("return", vec![("line-0", "1")], "Choose a reason."),
        ("return", vec![("reason", "late")], "Choose at least one piece."),
        ("pack", vec![("of", "rotterdam"), ("line-0", "1"), ("carrier", &carrier)], "Name the carrier, in at most 40 characters."),
        (
            "pack",
            vec![("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL"), ("tracking", &tracking)],
            "A tracking number has at most 60 characters",
        ),
        ("refuse", vec![("of", &back), ("why", &why), ("sure", "yes")], "Say why, in at most 500 characters"),
        ("note", vec![("note", &note)], "Write a note of at most 2000 characters."),
        ("note", vec![("note", " ")], "Write a note of at most 2000 characters."),
    ] {
        refused(&act(&support, &order, what, &fields).await?, sentence)?;
    }
    let incomplete = support.post(&format!("{}/note", page(&order)), &[("id", "nonsense"), ("note", "x")]).await?;
    refused(&incomplete, "The form was incomplete. Load the page again and repeat it.")?;
    assert_eq!(desk::ledgers(&house, &order).await?, known, "nothing was changed");
    assert_eq!(log(&house).await?, ["order packed", "return announced"]);
    house.shop.stop().await
}

#[tokio::test]
async fn addresses_are_read_field_by_field() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 1).await?;
    let good = [("name", "Jürgen Groß"), ("line1", "Ackerstraße 13"), ("postcode", "10115"), ("city", "Berlin")];
    let long = "x".repeat(1_000);
    for (field, value, sentence) in [
        ("name", "", " is missing."),
        ("city", " ", " is missing."),
        ("line1", long.as_str(), " has at most "),
        ("postcode", "1011", " looks like "),
        ("postcode", "27498", "lies outside the VAT territory"),
    ] {
        let fields: Vec<(&str, &str)> = good.into_iter().map(|(name, known)| (name, if name == field { value } else { known })).collect();
        let answer = act(&support, &order, "address", &fields).await?;
        refused(&answer, sentence)?;
        assert!(answer.body.contains("value=\"Jürgen Groß\"") || field == "name", "what was typed stays");
    }
    assert!(log(&house).await?.is_empty());
    done(&act(&support, &order, "address", &good).await?, "address")?;
    house.shop.stop().await
}

#[tokio::test]
async fn what_is_over_or_gone_is_said_so() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let request = house.request(1);
    let first = house.orders.place(request.clone()).await?;
    let mut corrected = request.clone();
    corrected.key = "another form".to_owned();
    corrected.personal.delivery.line1 = "Torstraße 1".to_owned();
    house.orders.place(corrected).await?;
    assert_eq!(house.stored_status(&first).await?, "withdrawn");
    refused(&act(&support, &first, "cancel", &[("reason", "changed_mind"), ("sure", "yes")]).await?, "The order is over already.")?;

    // Of two lines one is packed already.
    let total = Money::new(2 * crate::orders::house::PRICE + crate::orders::house::DELIVERY, Currency::EUR);
    let lines = vec![crate::orders::house::line(house.item, 1), crate::orders::house::line(house.other, 1)];
    let order = house.orders.place(OrderRequest { lines, confirmed_total: total, ..house.request(2) }).await?;
    house.type_card(order.redirect_url.as_deref().unwrap_or_default(), crate::orders::house::PAYS).await?;
    house.until(&order, "paid").await?;
    let pack = [("of", "rotterdam"), ("line-1", "1"), ("carrier", "DHL")];
    done(&act(&support, &order, "pack", &pack).await?, "pack")?;
    refused(&act(&support, &order, "pack", &pack).await?, "Nothing of “Gürtel” is left for this.")?;
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")]).await?, "pack")?;
    refused(&act(&support, &order, "pack", &pack).await?, "Nothing is left to pack")?;
    house.shop.stop().await
}

#[tokio::test]
async fn bulk_shipping_says_of_each_row_why_it_was_not_sent() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let unpaid = format!("{} rotterdam", house.place(1).await?.number);
    let elsewhere = format!("{} atlantis", desk::paid(&house, 1).await?.number);
    let id = house.shop.shop.clock.id().to_string();
    for (row, sentence) in [
        ("NG-2222-2222 rotterdam", "There is no such order any more."),
        (unpaid.as_str(), "The order is not paid: nothing is sent."),
        (elsewhere.as_str(), "Nothing of it lies there any more."),
    ] {
        let answer = support.post("/ops/orders/ship", &[("id", &id), ("row", row), ("carrier", "DHL"), ("tracking", "A1")]).await?;
        refused(&answer, sentence)?;
    }
    for wrong in [
        vec![("id", "nonsense"), ("row", unpaid.as_str()), ("carrier", "DHL"), ("tracking", "")],
        vec![("id", id.as_str()), ("row", "NG-2222-2222"), ("carrier", "DHL"), ("tracking", "")],
        vec![("id", id.as_str()), ("row", unpaid.as_str()), ("row", elsewhere.as_str()), ("carrier", "DHL"), ("tracking", "")],
    ] {
        assert_eq!(support.post("/ops/orders/ship", &wrong).await?.status, 400, "{wrong:?}");
    }
    for (query, sentence) in [
        ("from=2026-13-01", "Type days as 2026-11-23, or choose them."),
        ("from=2026-11-24&to=2026-11-23", "The first day lies after the last one: swap them."),
        ("market=XX", "There is no such market: choose another."),
        ("waits=ship&market=XX", "There is no such market: choose another."),
    ] {
        let answer = support.get(&format!("/ops/orders?{query}")).await?;
        assert!(answer.status == 422 && words(&answer.body).contains(sentence), "{query}: {}", words(&answer.body));
    }
    assert!(log(&house).await?.is_empty());
    house.shop.stop().await
}
