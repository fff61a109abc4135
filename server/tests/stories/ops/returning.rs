//! What comes back.

use crate::{
    ops::desk::{self, act, done, key, log, page, refused, words},
    orders::house::House,
};
use anyhow::Context as _;
use domain::{VariantId, order::ReturnState, staff::Role};
use server::params;

#[tokio::test]
async fn what_comes_back_is_looked_at_and_refunded_once() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 4).await?;
    refused(&act(&support, &order, "return", &[("reason", "faulty"), ("line-0", "1")]).await?, "Nothing is out there")?;
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "4"), ("carrier", "DHL")]).await?, "pack")?;
    refused(&act(&support, &order, "return", &[("reason", "faulty"), ("line-0", "5")]).await?, "only 4 are left for this: type at most 4.")?;
    let other = house.other.variant.to_string();
    let id = key(&support, &order).await?;
    let fields = [("id", id.as_str()), ("reason", "too_small"), ("line-0", "2"), ("for-0", &other)];
    for _ in 0..2 {
        done(&support.post(&format!("{}/return", page(&order)), &fields).await?, "return")?;
    }
    done(&act(&support, &order, "return", &[("reason", "late"), ("line-0", "1")]).await?, "return")?;
    let known = desk::ledgers(&house, &order).await?;
    let returns: Vec<String> = known.returns.iter().map(|back| back.id.to_string()).collect();
    assert_eq!((returns.len(), known.tally(0).returning), (2, 3));
    assert!(support.get("/ops/orders?waits=return").await?.body.contains(&order.number.to_string()));

    let form = support.get(&page(&order)).await?.body;
    assert!(form.contains("<option value=\"rotterdam\" selected"), "it comes back to where it left: {form}");

    let receive = |more: &[(&'static str, &'static str)]| {
        let mut fields =
            vec![("of", returns[0].as_str()), ("location", "rotterdam"), ("shelf-0", "1"), ("discard-0", "1"), ("delivery", "0"), ("sure", "yes")];
        for (name, value) in more {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields
    };
    for (wrong, sentence) in [
        (("kept_back", "500"), "More would be kept back"),
        (("delivery", "5.00"), "More of the delivery charge"),
        (("location", "atlantis"), "Choose the location"),
        (("discard-0", "5"), "only 2 are left"),
        (("sure", ""), "Tick the box"),
    ] {
        refused(&act(&support, &order, "receive", &receive(&[wrong])).await?, sentence)?;
    }
    let id = key(&support, &order).await?;
    for _ in 0..2 {
        let mut fields = receive(&[("exchange-0", "no"), ("kept_back", "10.00")]);
        fields.push(("id", id.as_str()));
        done(&support.post(&format!("{}/receive", page(&order)), &fields).await?, "receive")?;
    }
    refused(&act(&support, &order, "refuse", &[("of", &returns[1]), ("sure", "yes")]).await?, "Say why")?;
    done(&act(&support, &order, "refuse", &[("of", &returns[1]), ("why", "Worn."), ("sure", "yes")]).await?, "refuse")?;
    let known = desk::ledgers(&house, &order).await?;
    assert_eq!(known.refunds.iter().map(|refund| refund.amount.minor).collect::<Vec<_>>(), [2 * 11_900 - 1_000]);
    assert!(matches!(&known.returns[1].state, ReturnState::Refused { why, .. } if why == "Worn."));
    assert_eq!(log(&house).await?, ["order packed", "return announced", "return announced", "return received", "return refused"]);
    house.shop.stop().await
}

#[tokio::test]
async fn staff_exchange_for_another_variant_of_the_same_product_and_send_it() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 1).await?;
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")]).await?, "pack")?;
    let (stranger, other) = (house.shop.shop.clock.id().to_string(), house.other.variant.to_string());
    for (variant, sentence) in [(stranger.as_str(), "another variant of the same product"), ("nonsense", "Choose what the shopper gets")] {
        refused(&act(&support, &order, "return", &[("reason", "too_small"), ("line-0", "1"), ("for-0", variant)]).await?, sentence)?;
    }
    done(&act(&support, &order, "return", &[("reason", "too_small"), ("line-0", "1"), ("for-0", &other)]).await?, "return")?;
    let back = desk::ledgers(&house, &order).await?.returns[0].id.to_string();
    let id = key(&support, &order).await?;
    let fields = [("id", id.as_str()), ("of", &back), ("location", "rotterdam"), ("shelf-0", "1"), ("delivery", "0"), ("sure", "yes")];
    for _ in 0..2 {
        done(&support.post(&format!("{}/receive", page(&order)), &fields).await?, "receive")?;
    }
    let known = desk::ledgers(&house, &order).await?;
    assert_eq!((known.lines.len(), known.lines[1].variant, known.refunds.len()), (2, house.other.variant, 0), "another piece instead of money, once");
    assert_eq!(known.lines[1].replaces.map(|of| of.to_string()), Some(back));
    let list = words(&support.get("/ops/orders?waits=ship").await?.body);
    assert!(list.contains(&order.number.to_string()) && list.contains("Exchange to send"), "{list}");
    let shown = words(&support.get(&page(&order)).await?.body);
    assert!(shown.contains("Exchange to send") && !shown.contains("of 2 shipped"), "{shown}");
    // What was paid is told once, and each piece stands in one place.
    let (table, _) = shown.split_once("Shipments ").with_context(|| shown.clone())?;
    assert!(table.contains("in exchange") && table.contains("1 to pack in") && table.contains("1 came back"), "{table}");
    assert!(!table.contains("1 shipped") && table.matches("€119.00").count() == 2, "{table}");
    assert_eq!(words(&support.get("/ops/orders?state=exchange_to_send").await?.body).matches(&order.number.to_string()).count(), 1);
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-1", "1"), ("carrier", "DHL")]).await?, "pack")?;
    assert!(words(&support.get(&page(&order)).await?.body).contains("1 shipped from"));
    assert_eq!(log(&house).await?, ["order packed", "return announced", "return received", "order packed"]);
    house.shop.stop().await
}

/// A variant costs a cent more from now on.
async fn dearer(house: &House, variant: VariantId) -> anyhow::Result<()> {
    let sql = "UPDATE prices SET amount_minor = amount_minor + 1 WHERE variant_id = $1";
    house.shop.shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(async move { tx.execute(sql, params![variant]).await })).await?;
    Ok(())
}

#[tokio::test]
async fn staff_exchange_at_the_same_price_only() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 3).await?;
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "3"), ("carrier", "DHL")]).await?, "pack")?;
    let other = house.other.variant.to_string();
    let offered = async || anyhow::Ok(support.get(&page(&order)).await?.body.contains(&format!("value=\"{other}\"")));
    let announce = async || act(&support, &order, "return", &[("reason", "too_small"), ("line-0", "1"), ("for-0", &other)]).await;
    assert!(offered().await?);
    done(&announce().await?, "return")?;

    dearer(&house, house.other.variant).await?;
    assert!(!offered().await?);
    refused(&announce().await?, "This costs another amount now. Give the money back, and ask the shopper to order the other one.")?;
    assert_eq!(desk::ledgers(&house, &order).await?.returns.len(), 1);

    // What was bought became dearer as well: both cost the same again.
    dearer(&house, house.item.variant).await?;
    assert!(offered().await?);
    done(&announce().await?, "return")?;
    house.shop.stop().await
}
