//! What the operator pages refuse, each with the sentence that says what to do, and nothing changed by it.

use crate::{
    ops::{
        desk::{self, act, advance, done, log, page, refused, words},
        disputed::until,
    },
    orders::house::House,
};
use app::staff::moment;
use domain::{
    RefundId,
    dispute::DisputeState,
    money::{Currency, Money},
    order::Order,
    refund::{GoodwillReason, RefundState},
    staff::Role,
};
use server::{
    orders::{Placed, story::Actor},
    params,
};
use std::time::Duration;

#[tokio::test]
async fn an_order_that_waits_for_two_things_stands_in_both_lists() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 3).await?;
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")]).await?, "pack")?;
    done(&act(&support, &order, "return", &[("reason", "faulty"), ("line-0", "1")]).await?, "return")?;
    let number = order.number.to_string();
    let shown = async |url: &str| anyhow::Ok(support.get(url).await?.body.contains(&number));
    for list in ["/ops/orders?waits=return", "/ops/orders?waits=ship", "/ops/orders?waits=ship&market=DE", "/ops/orders/ship"] {
        assert!(shown(list).await?, "{list}");
    }
    assert!(!shown("/ops/orders?waits=refund").await? && !shown("/ops/orders?waits=ship&market=FR").await?);
    let counts = words(&support.get("/ops/orders").await?.body);
    assert!(counts.contains("Returns 1") && counts.contains("To ship 1"), "{counts}");
    let picks = support.get(&format!("/ops/orders/ship/picks?order={number}")).await?;
    assert!(picks.status == 200 && words(&picks.body).contains("Gürtel 2"), "{}", words(&picks.body));

    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "2"), ("carrier", "DHL")]).await?, "pack")?;
    assert!(!shown("/ops/orders?waits=ship").await? && !shown("/ops/orders/ship").await? && shown("/ops/orders?waits=return").await?);
    house.shop.stop().await
}

#[tokio::test]
async fn a_return_that_does_not_come_is_called_off_once() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let warehouse = desk::signed_in(&house, Role::Warehouse).await?;
    let order = desk::paid(&house, 1).await?;
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")]).await?, "pack")?;
    done(&act(&support, &order, "return", &[("reason", "too_small"), ("line-0", "1")]).await?, "return")?;
    let back = desk::ledgers(&house, &order).await?.returns[0].id.to_string();
    assert!(support.get(&page(&order)).await?.body.contains(&format!("{}/call-off", page(&order))), "there is a form for it");
    refused(&act(&support, &order, "call-off", &[("of", &back)]).await?, "Tick the box")?;
    assert_eq!(act(&warehouse, &order, "call-off", &[("of", &back), ("sure", "yes")]).await?.status, 403);
    done(&act(&support, &order, "call-off", &[("of", &back), ("sure", "yes")]).await?, "call-off")?;
    for (what, more) in [("call-off", ("sure", "yes")), ("refuse", ("why", "Worn."))] {
        refused(&act(&support, &order, what, &[("of", &back), ("sure", "yes"), more]).await?, "This return is decided already.")?;
    }
    assert!(words(&support.get(&page(&order)).await?.body).contains("Return called off: 1 × Gürtel"));
    assert!(!support.get("/ops/orders?waits=return").await?.body.contains(&order.number.to_string()));
    done(&act(&support, &order, "return", &[("reason", "late"), ("line-0", "1")]).await?, "return")?;
    assert_eq!(log(&house).await?, ["order packed", "return announced", "return called off", "return announced"]);
    house.shop.stop().await
}

#[tokio::test]
async fn an_unpaid_order_is_only_cancelled_and_a_cancelled_one_is_over() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = house.place(1).await?;
    let untouched = desk::ledgers(&house, &order).await?;
    for (what, fields, sentence) in [
        ("pack", vec![("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")], "The order is not paid: nothing is sent."),
        ("refund", vec![("amount", "5"), ("reason", "late"), ("sure", "yes")], "Nothing was paid."),
        ("return", vec![("reason", "late"), ("line-0", "1")], "Nothing is out there that could come back."),
    ] {
        refused(&act(&support, &order, what, &fields).await?, sentence)?;
    }
    assert_eq!(desk::ledgers(&house, &order).await?, untouched);

    // A provider that does not answer may have taken the money.
    house.faults(serde_json::json!({ "down": true })).await?;
    let cancel = [("reason", "changed_mind"), ("sure", "yes")];
    refused(&act(&support, &order, "cancel", &cancel).await?, "the provider does not close it. Wait until it is decided")?;
    house.faults(serde_json::json!({})).await?;
    let mut answer = act(&support, &order, "cancel", &cancel).await?;
    for _ in 0..60 {
        if answer.status == 303 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        answer = act(&support, &order, "cancel", &cancel).await?;
    }
    done(&answer, "cancel")?;
    let address = [("name", "Jürgen Groß"), ("line1", "Ackerstraße 13"), ("postcode", "10115"), ("city", "Berlin")];
    refused(&act(&support, &order, "address", &address).await?, "The order is over: nothing will be sent.")?;
    assert_eq!(log(&house).await?, ["order cancelled"]);
    house.shop.stop().await
}

#[tokio::test]
async fn shipments_go_one_way_and_addresses_stay_in_their_country() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 2).await?;
    let address = [("name", "Jürgen Groß"), ("line1", "Ackerstraße 13"), ("postcode", "10115"), ("city", "Berlin")];
    for elsewhere in [("region", "BY"), ("country", "AT")] {
        let fields: Vec<(&str, &str)> = address.into_iter().chain([elsewhere]).collect();
        refused(&act(&support, &order, "address", &fields).await?, "Country, region and delivery zone stay as they are")?;
    }
    let many = vec!["00340"; 21].join("\n");
    let fields = [("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL"), ("tracking", many.as_str()), ("step", "ship")];
    refused(&act(&support, &order, "pack", &fields).await?, "A shipment has 1 to 20 parcels.")?;
    assert!(desk::ledgers(&house, &order).await?.fulfilments.is_empty());
    done(&act(&support, &order, "address", &address).await?, "address")?;

    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("step", "pack")]).await?, "pack")?;
    let sent = desk::ledgers(&house, &order).await?.fulfilments[0].id.to_string();
    let of = ("of", sent.as_str());
    refused(&act(&support, &order, "delivered", &[of, ("sure", "yes")]).await?, "The shipment has not left yet.")?;
    refused(&act(&support, &order, "parcels", &[of, ("carrier", "DHL")]).await?, "The shipment has not left yet.")?;
    refused(&act(&support, &order, "address", &address).await?, "Packing has begun")?;
    done(&act(&support, &order, "send", &[of, ("carrier", "DHL")]).await?, "send")?;
    for (what, fields) in [("send", vec![of, ("carrier", "UPS")]), ("unpack", vec![of])] {
        refused(&act(&support, &order, what, &fields).await?, "The shipment has left already.")?;
    }
    house.shop.stop().await
}

/// Puts a refund into a state, as if the provider had told so, or had not answered so often.
pub async fn becomes(house: &House, refund: RefundId, state: &'static str, attempts: i64) -> anyhow::Result<()> {
    let sql = "UPDATE refunds SET state = $2, attempts = $3, next_at = 9000000000000000 WHERE id = $1";
    house.shop.shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(async move { tx.execute(sql, params![refund, state, attempts]).await })).await?;
    Ok(())
}

#[tokio::test]
async fn stuck_refunds_wait_for_the_bank_and_never_pay_more_than_was_taken() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let goodwill = async |order: &Placed, amount: &str| {
        done(&act(&support, order, "refund", &[("amount", amount), ("reason", "late"), ("sure", "yes")]).await?, "refund")
    };

    // What failed is made good by another refund: neither again nor some other way.
    let order = desk::paid(&house, 1).await?;
    goodwill(&order, "100").await?;
    let first = desk::ledgers(&house, &order).await?.refunds[0].id;
    until(&house, &order, |known| known.refunds[0].state == RefundState::Issued).await?;
    becomes(&house, first, "bounced", 0).await?;
    let more = [("amount", "123.90"), ("reason", "late"), ("sure", "yes")];
    refused(
        &act(&support, &order, "refund", &more).await?,
        "€100.00 of what is left is owed by a refund that is stuck, see Refunds: type at most €23.90.",
    )?;
    let (id, of_order) = (RefundId(house.shop.shop.clock.id()), desk::id(&house, &order).await?);
    let all = Money::new(12_390, Currency::EUR);
    house.orders.refund_goodwill(of_order, id, all, GoodwillReason::Late, Actor::Shop).await?;
    let of = first.to_string();
    refused(&act(&support, &order, "settle", &[("of", &of), ("sure", "yes")]).await?, "Only €0.00 of what was paid is left")?;
    becomes(&house, first, "failed", 0).await?;
    refused(&act(&support, &order, "retry", &[("of", &of)]).await?, "of what was paid is left")?;

    // While a bank asks, nothing is asked of the provider.
    let disputed = desk::pays(&house, 1, "4000 0000 0000 0259").await?;
    goodwill(&disputed, "10").await?;
    let refund = desk::ledgers(&house, &disputed).await?.refunds[0].id;
    until(&house, &disputed, |known| known.refunds[0].state == RefundState::Issued).await?;
    becomes(&house, refund, "failed", 0).await?;
    advance(&house, 11).await?;
    until(&house, &disputed, Order::is_disputed).await?;
    let of = refund.to_string();
    refused(&act(&support, &disputed, "retry", &[("of", &of)]).await?, "A bank questions the payment")?;
    refused(&act(&support, &disputed, "settle", &[("of", &of), ("sure", "yes")]).await?, "A bank questions the payment")?;

    // The list tells by when evidence is due, and so does the order's page.
    let known = desk::ledgers(&house, &disputed).await?;
    let DisputeState::Open { evidence_due: Some(due) } = known.disputes[0].state else { anyhow::bail!("{:?}", known.disputes) };
    let due = moment(due);
    let list = words(&support.get("/ops/orders?waits=dispute").await?.body);
    assert!(list.contains(&format!("Dispute evidence by {due}")), "{list}");
    let shown = words(&support.get(&page(&disputed)).await?.body);
    assert!(shown.contains(&format!("evidence is due {due}")), "{shown}");
    house.shop.stop().await
}
