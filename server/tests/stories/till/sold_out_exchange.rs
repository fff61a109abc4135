//! An exchange whose replacement sells out while the pieces come back: the money goes back instead, and everybody is told what happened.

use crate::till::{
    house::{self, House, Thing, operate, paid, words},
    sending_back::{Bought, buys, locale, sends, siblings},
};
use anyhow::Context as _;
use app::{
    i18n::{filled, follow, give_back, money},
    staff::orders::english,
};
use domain::{VariantId, locale::Locale, order::ReturnState, staff::Role};

/// Bought with a charge for delivery: what it can be exchanged for as well.
async fn exchangeable(house: &House, here: Locale) -> anyhow::Result<(Bought, Thing, VariantId)> {
    for thing in house.things().await? {
        if let Some(wanted) = siblings(house, &thing, here).await?.first() {
            let bought = buys(house, &thing, here, 1).await?;
            if bought.ledgers(house).await?.delivery.minor > 0 {
                return Ok((bought, thing, *wanted));
            }
        }
    }
    anyhow::bail!("nothing costs so little that its delivery costs something, and has another variant")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_that_sold_out_on_the_way_becomes_a_refund_of_everything() -> anyhow::Result<()> {
    let house = house::open().await?;
    let here = locale("en-gb");
    let messages = give_back(here);
    let support = house.shop.signed_in(Role::Support).await?;
    let (bought, thing, wanted) = exchangeable(&house, here).await?;
    let order = house.shop.shop.orders.by_id(bought.id).await?.context("an order")?;
    sends(&house, &bought, true).await?;
    let wish = wanted.to_string();
    let answer = bought.visitor.post(&format!("{}/return", bought.page), &[("line-0", "1"), ("reason-0", "too_small"), ("for-0", &wish)]).await?;
    assert_eq!(answer.location(), Some(format!("{}?said=return", bought.page)), "{}", words(&answer.body));

    // Others buy what is left of it.
    let replacement = Thing { variant: wanted, ..thing.clone() };
    house.sell_out(&replacement).await?;
    let (free, ops) = (house.free(&thing).await?, format!("/ops/orders/{}", order.number));
    let form = support.get(&ops).await?;
    let text = words(&form.body);
    assert!(text.contains("to be exchanged for") && text.contains("Yes, if it is in stock"), "{text}");
    assert_eq!((form.field("delivery"), form.field("kept_back")), (Some("0.00"), Some("0.00")), "as if it were exchanged");
    let back = bought.ledgers(&house).await?.returns[0].id.to_string();
    let location = &bought.ledgers(&house).await?.fulfilments[0].location;
    let pieces = [("of", back.as_str()), ("location", location), ("shelf-0", "1"), ("exchange-0", "yes")];
    let sums = [("kept_back", "0.00"), ("delivery", "0.00"), ("sure", "yes")];
    let taken = operate(&support, &order.number, "receive", &[&pieces[..], &sums].concat()).await?;
    assert_eq!(taken.location(), Some(format!("{ops}?said=receive")), "{}", words(&taken.body));

    // Nothing stays with the shopper, so that all goes back (Directive 2011/83/EU, article 13), delivery too.
    let known = bought.ledgers(&house).await?;
    assert_eq!((known.lines.len(), known.refunds.len(), known.refunds[0].amount), (1, 1, known.total), "{known:?}");
    assert_eq!((house.free(&thing).await?, house.free(&replacement).await?), (free + 1, 0));
    let told = filled(messages.received_refunded, &[("amount", &money(known.total, here))]);
    let page = paid(&bought.visitor, &bought.page, &told).await?;
    let sent_for_it = format!(", {}", follow(here).in_exchange);
    assert!(!words(&page.body).contains(&sent_for_it), "{}", words(&page.body));
    assert!(words(&page.body).contains(messages.received_no_exchange), "the wish was not fulfilled: {}", words(&page.body));
    let mail = house.shop.mail(|mail| mail.subject().starts_with("Your return for") && mail.subject().ends_with("has arrived")).await?;
    assert!(mail.text.contains(&money(known.total, here)) && mail.text.contains(follow(here).not_exchanged), "{}", mail.text);

    let text = words(&support.get(&ops).await?.body);
    for part in [
        "1 came, 1 back on the shelf;".to_owned(),
        format!("{} of the delivery charge went back. Not everything was exchanged: money goes back for it.", money(known.delivery, english())),
        format!("{} paid back Returned", money(known.total, english())),
    ] {
        assert!(text.contains(&part), "{part}: {text}");
    }
    for list in ["return", "ship", "refund"] {
        let listed = support.get(&format!("/ops/orders?waits={list}")).await?;
        assert!(!listed.body.contains(&order.number.to_string()), "{list}: nobody has anything to do");
    }
    assert!(matches!(bought.ledgers(&house).await?.returns[0].state, ReturnState::Received { .. }));
    house.close().await
}
