//! What mails tell of returns: announced, come, exchanged, paid back, refused and called off.

use crate::till::{
    house::{self, House, Thing, words},
    sending_back::{buys, locale, sends, siblings, staff},
    told_by_mail::{count, says_all, says_none, title, told, with},
};
use anyhow::{Context as _, ensure};
use app::{
    i18n::{filled, follow, give_back, money},
    mail::Kind,
};
use domain::{
    ReturnId, VariantId,
    locale::Locale,
    money::Money,
    order::{Portion, Receipt, Resolution, Restock, ReturnItem, ReturnReason},
};
use server::{mail::CannotResend, orders::Received, params};
use std::time::Duration;

async fn exchangeable(house: &House, here: Locale) -> anyhow::Result<(Thing, VariantId)> {
    for thing in house.things().await? {
        if let Some(other) = siblings(house, &thing, here).await?.first() {
            return Ok((thing, *other));
        }
    }
    anyhow::bail!("nothing has two variants at one price")
}

async fn location(house: &House) -> anyhow::Result<String> {
    house
        .shop
        .shop
        .db
        .first("SELECT location FROM stock_balances ORDER BY location LIMIT 1", params![])
        .await?
        .context("a location")?
        .text("location")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_return_is_told_from_its_announcement_to_its_exchange_and_money() -> anyhow::Result<()> {
    let house = house::open().await?;
    let here = locale("en-gb");
    let (messages, returns, shop) = (follow(here), give_back(here), &house.shop.shop);
    let (thing, other) = exchangeable(&house, here).await?;
    let bought = buys(&house, &thing, here, 4).await?;
    sends(&house, &bought, true).await?;

    // Three come back to be exchanged, announced by the shopper.
    let fields = [("line-0", "3"), ("reason-0", "too_small"), ("for-0", &*other.to_string())];
    let announced = bought.visitor.post(&format!("{}/return", bought.page), &fields).await?;
    assert_eq!(announced.status, 303, "{}", words(&announced.body));
    let mail = told(&house, &bought, messages.return_announced_subject).await?;
    let number = shop.orders.by_id(bought.id).await?.context("an order")?.number.to_string();
    let how = filled(returns.label_how, &[("number", &number)]);
    let exchange = returns.wish_exchange.split('{').next().unwrap_or_default();
    says_all(
        &mail,
        &[returns.said_announced, returns.reason_too_small, exchange, &title(&house, &bought).await?, &how, returns.label_free, returns.amount_none],
    );
    assert_eq!(mail.order()?, bought.page);

    // Two of them came; one is exchanged, for the other the money goes back, less what was kept.
    let known = bought.ledgers(&house).await?;
    let id = known.returns[0].id;
    let receipt = |exchanged| Receipt { line: 0, quantity: 1, restock: Restock::Shelf, exchanged };
    let kept_back = Money::new(50, known.total.currency);
    let received = Received { receipts: vec![receipt(true), receipt(false)], location: location(&house).await?, kept_back, delivery: None };
    shop.orders.receive_return(bought.id, id, &received, staff()).await?;
    let mail = told(&house, &bought, messages.returned_subject).await?;
    let known = bought.ledgers(&house).await?;
    says_all(
        &mail,
        &[
            messages.returned_text,
            messages.exchange_items,
            messages.exchange_next,
            messages.not_exchanged,
            messages.missing_items,
            messages.kept_back,
            &money(kept_back, here),
            &with(messages.refunded_text, known.refunds[0].amount, here),
        ],
    );
    assert_eq!(count(&house, &bought, messages.refunded_subject).await?, 0, "the money is told already");

    // What is sent in exchange is called so.
    sends(&house, &bought, true).await?;
    told(&house, &bought, messages.shipped_exchange_subject).await?;
    told(&house, &bought, messages.delivered_exchange_subject).await?;

    // One whose exchange is all there is: nobody speaks of money.
    let resolution = Resolution::Exchange { product: thing.product, variant: other };
    let wish = [ReturnItem { line: 0, quantity: 1, reason: ReturnReason::TooLarge, resolution }];
    let second = buys(&house, &thing, here, 1).await?;
    sends(&house, &second, true).await?;
    let back = ReturnId(shop.clock.id());
    shop.orders.request_return(second.id, back, &wish, staff()).await?;
    told(&house, &second, messages.return_announced_subject).await?;
    let none = Money::zero(known.total.currency);
    let received = Received { receipts: vec![receipt(true)], location: location(&house).await?, kept_back: none, delivery: None };
    shop.orders.receive_return(second.id, back, &received, staff()).await?;
    let mail = told(&house, &second, messages.returned_subject).await?;
    says_all(&mail, &[messages.exchange_items, messages.exchange_next]);
    says_none(&mail, &[messages.refund_none, messages.not_exchanged, messages.missing_items, messages.kept_back, &format!("{}:", messages.refund)]);

    // One for which nothing is left.
    let third = buys(&house, &thing, here, 1).await?;
    sends(&house, &third, true).await?;
    let back = ReturnId(shop.clock.id());
    shop.orders.request_return(third.id, back, &[ReturnItem { resolution: Resolution::Refund, ..wish[0].clone() }], staff()).await?;
    let ledgers = third.ledgers(&house).await?;
    let worth = ledgers.value(&[Portion { line: 0, quantity: 1 }]);
    let received = Received { receipts: vec![receipt(false)], location: location(&house).await?, kept_back: worth, delivery: Some(none) };
    shop.orders.receive_return(third.id, back, &received, staff()).await?;
    let mail = told(&house, &third, messages.returned_subject).await?;
    says_all(&mail, &[messages.refund_none, messages.kept_back, &money(worth, here)]);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_return_that_is_refused_or_called_off_is_told_with_its_why() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let orders = &house.shop.shop.orders;
    for code in ["de-de", "fr-ca", "ja-jp"] {
        let here = locale(code);
        let messages = follow(here);
        let bought = buys(&house, &things[0], here, 2).await?;
        sends(&house, &bought, true).await?;
        let announce = [("line-0", "1"), ("reason-0", "changed_mind")];
        for (at, ends) in ["refused", "kept", "called off"].into_iter().enumerate() {
            assert_eq!(bought.visitor.post(&format!("{}/return", bought.page), &announce).await?.status, 303, "{code} {ends}");
            let known = bought.ledgers(&house).await?;
            ensure!(known.returns.len() == at + 1, "{code}: {known:?}");
            let id = known.returns[at].id;
            match ends {
                "refused" => drop(orders.refuse_return(bought.id, id, "Das Siegel ist gebrochen & der Hut ist getragen.", staff()).await?),
                "kept" => {
                    let kept = bought.visitor.post(&format!("{}/keep", bought.page), &[("return", &id.to_string())]).await?;
                    assert_eq!(kept.status, 303, "{code}");
                }
                _ => drop(orders.cancel_return(bought.id, id, staff()).await?),
            }
        }
        let refused = told(&house, &bought, messages.return_refused_subject).await.context(code)?;
        says_all(&refused, &[messages.return_refused_text, "Das Siegel ist gebrochen & der Hut ist getragen.", give_back(here).reason]);
        says_none(&refused, &[give_back(here).reason_changed_mind, &format!(", {}", give_back(here).wish_refund)]);
        let off = told(&house, &bought, messages.return_called_off_subject).await.context(code)?;
        says_all(&off, &[messages.return_called_off_text]);
        for _ in 0..200 {
            if count(&house, &bought, messages.return_called_off_subject).await? == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(count(&house, &bought, messages.return_called_off_subject).await?, 2, "{code}: by the shopper, and by staff");
        assert_eq!(count(&house, &bought, messages.return_refused_subject).await?, 1, "{code}");
        orders.resend(bought.id, Kind::ReturnRefused).await?;
        assert!(matches!(orders.resend(bought.id, Kind::Returned).await, Err(CannotResend::NothingToTell)), "{code}: nothing came");
        assert!(matches!(orders.resend(bought.id, Kind::ReturnAnnounced).await, Err(CannotResend::NothingToTell)), "{code}: none is awaited");
    }
    house.close().await
}
