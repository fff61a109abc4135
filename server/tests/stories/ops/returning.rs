//! What comes back.

use crate::ops::desk::{self, act, done, key, log, page, refused};
use domain::{order::ReturnState, staff::Role};

#[tokio::test]
async fn what_comes_back_is_looked_at_and_refunded_once() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 4).await?;
    refused(&act(&support, &order, "return", &[("reason", "faulty"), ("line-0", "1")]).await?, "Nothing is out there")?;
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "4"), ("carrier", "DHL")]).await?, "pack")?;
    refused(&act(&support, &order, "return", &[("reason", "faulty"), ("line-0", "5")]).await?, "only 4 are left")?;
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
