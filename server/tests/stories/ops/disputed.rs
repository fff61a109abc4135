//! Banks that ask for the money back: what staff cannot do meanwhile, and what follows when a bank has decided.

use crate::{
    ops::desk::{self, act, advance, done, page, refused, words},
    orders::house::House,
    support::Visitor,
};
use anyhow::{Context as _, ensure};
use app::staff::moment;
use domain::{
    dispute::DisputeState,
    order::{Order, Status},
    staff::Role,
};
use server::orders::Placed;
use std::time::Duration;

const WINS: &str = "4000 0000 0000 0259";
pub const LOSES: &str = "4000 0000 0000 2685";
/// Its bank asks before it claims the money.
pub const ASKS: &str = "4000 0000 0000 1976";
/// A bank comes after 10 seconds, waits a week for an answer and decides after 14 days.
pub const ASKED_S: u64 = 11;
pub const UNANSWERED_S: u64 = 7 * 24 * 3_600 + 60;
pub const DECIDED_S: u64 = 14 * 24 * 3_600 + 60;

pub async fn until(house: &House, order: &Placed, holds: impl Fn(&Order) -> bool) -> anyhow::Result<Order> {
    for _ in 0..200 {
        let known = desk::ledgers(house, order).await?;
        if holds(&known) {
            return Ok(known);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    anyhow::bail!("nothing came of it: {:?}", desk::ledgers(house, order).await?.disputes)
}

/// Of four pieces one was sent and comes back, one is packed, two lie there; then a bank asks for the money.
async fn disputed(house: &House, support: &Visitor, card: &str) -> anyhow::Result<Placed> {
    let order = desk::pays(house, 4, card).await?;
    done(&act(support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")]).await?, "pack")?;
    done(&act(support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("step", "pack")]).await?, "pack")?;
    done(&act(support, &order, "return", &[("reason", "faulty"), ("line-0", "1")]).await?, "return")?;
    advance(house, ASKED_S).await?;
    until(house, &order, Order::is_disputed).await?;
    Ok(order)
}

async fn waits(support: &Visitor, order: &Placed, what: &str) -> anyhow::Result<bool> {
    Ok(support.get(&format!("/ops/orders?waits={what}")).await?.body.contains(&order.number.to_string()))
}

/// Everything that staff might do about it, with what each form names.
fn deeds(packed: &str, back: &str) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let owned = |fields: &[(&'static str, &str)]| fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>();
    vec![
        ("refund", owned(&[("amount", "5"), ("reason", "late"), ("sure", "yes")])),
        ("cancel", owned(&[("reason", "fraud"), ("line-0", "1"), ("sure", "yes")])),
        ("pack", owned(&[("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")])),
        ("send", owned(&[("of", packed), ("carrier", "DHL")])),
        ("receive", owned(&[("of", back), ("location", "rotterdam"), ("shelf-0", "1"), ("delivery", "0"), ("sure", "yes")])),
        ("return", owned(&[("reason", "late"), ("line-0", "1")])),
    ]
}

async fn tries(support: &Visitor, order: &Placed, (what, fields): &(&str, Vec<(&'static str, String)>)) -> anyhow::Result<crate::support::Answer> {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    act(support, order, what, &fields).await
}

#[tokio::test]
async fn nothing_moves_while_a_bank_asks_and_everything_goes_on_when_we_win() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = disputed(&house, &support, WINS).await?;
    assert!(waits(&support, &order, "dispute").await? && !waits(&support, &order, "ship").await?);
    let known = desk::ledgers(&house, &order).await?;
    let deeds = deeds(&known.fulfilments[1].id.to_string(), &known.returns[0].id.to_string());
    for deed in &deeds {
        refused(&tries(&support, &order, deed).await?, "A bank questions the payment").with_context(|| deed.0)?;
    }
    assert_eq!(desk::ledgers(&house, &order).await?, known, "nothing was changed");
    let shown = words(&support.get(&page(&order)).await?.body);
    let due = known.disputes[0].state.due().map(moment).context("a deadline")?;
    for sentence in [
        format!("No refund while a bank claims the payment: it may take the money by itself, and it would go twice. Our evidence is due by {due}."),
        format!("The bank claims the money: evidence is due by {due}"),
    ] {
        assert!(shown.contains(&sentence), "{sentence}: {shown}");
    }
    assert!(!support.get(&page(&order)).await?.body.contains("tag live"), "nothing is well while a bank asks");

    advance(&house, DECIDED_S).await?;
    until(&house, &order, |known| !known.is_disputed()).await?;
    for deed in &deeds {
        done(&tries(&support, &order, deed).await?, deed.0).with_context(|| deed.0)?;
    }
    let known = desk::ledgers(&house, &order).await?;
    assert_eq!((known.tally(0).shipped, known.tally(0).cancelled, known.tally(0).returned, known.refunds.len()), (3, 1, 1, 3));
    house.shop.stop().await
}

#[tokio::test]
async fn what_a_bank_took_is_never_sent_and_staff_end_it() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let free = house.stock().await?.0;
    let order = disputed(&house, &support, LOSES).await?;
    advance(&house, DECIDED_S).await?;
    let known = until(&house, &order, Order::is_charged_back).await?;
    assert!(waits(&support, &order, "charged_back").await? && !waits(&support, &order, "ship").await?);
    let shown = words(&support.get(&page(&order)).await?.body);
    assert!(
        shown.contains("nothing more is sent. Put back what is packed, and cancel the pieces.")
            && !shown.contains("Ship from")
            && !shown.contains("Ship…"),
        "{shown}"
    );
    let packed = known.fulfilments[1].id.to_string();
    let deeds = deeds(&packed, &known.returns[0].id.to_string());
    for deed in deeds.iter().filter(|deed| matches!(deed.0, "pack" | "send")) {
        refused(&tries(&support, &order, deed).await?, "The bank took the money back: nothing is sent.").with_context(|| deed.0)?;
    }
    refused(&tries(&support, &order, &deeds[0]).await?, "Only €0.00 of what was paid is left")?;
    done(&act(&support, &order, "unpack", &[("of", &packed)]).await?, "unpack")?;
    done(&act(&support, &order, "cancel", &[("reason", "fraud"), ("line-0", "3"), ("sure", "yes")]).await?, "cancel")?;
    done(&tries(&support, &order, &deeds[4]).await?, "receive")?;
    let known = desk::ledgers(&house, &order).await?;
    ensure!(known.attention().is_empty() && known.refunds.is_empty(), "{known:?}");
    assert!(matches!(known.status(), Status::Paid { .. }));
    assert!(!waits(&support, &order, "charged_back").await?);
    assert_eq!(house.stock().await?.0, free, "all pieces are there again");
    house.shop.stop().await
}

#[tokio::test]
async fn a_bank_that_nobody_answers_claims_the_money() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::pays(&house, 1, ASKS).await?;
    let comes_to = async |word: &'static str| until(&house, &order, |known| known.disputes.iter().any(|dispute| dispute.state.word() == word)).await;
    advance(&house, ASKED_S).await?;
    let known = comes_to("inquiry").await?;
    assert!(matches!(known.disputes[0].state, DisputeState::Inquiry { evidence_due: Some(_) }) && waits(&support, &order, "dispute").await?);
    let shown = words(&support.get(&page(&order)).await?.body);
    assert!(shown.contains("the bank asks: an answer is due") && !shown.contains("Refund…"), "{shown}");
    let due = known.disputes[0].state.due().map(moment).context("a deadline")?;
    for sentence in [
        "No money has moved: the bank asks first",
        &format!(
            "No refund while a bank asks about the payment: it may still take the money by itself, and it would go twice. Our answer is due by {due}."
        ),
        &format!("The bank asks: an answer is due by {due}"),
    ] {
        assert!(shown.contains(sentence), "{sentence}: {shown}");
    }
    assert!(!shown.contains("disputes the payment") && !shown.contains("money is lost"), "{shown}");
    let list = words(&support.get("/ops/orders?waits=dispute").await?.body);
    assert!(list.contains(&format!("Bank asks answer by {due}")) && !list.contains("evidence by"), "{list}");
    assert!(words(&support.get("/ops/orders").await?.body).contains("Bank asks"));
    advance(&house, UNANSWERED_S).await?;
    let known = comes_to("open").await?;
    assert!(matches!(known.disputes[0].state, DisputeState::Open { evidence_due: Some(_) }) && known.disputes.len() == 1, "{known:?}");
    advance(&house, DECIDED_S).await?;
    let known = comes_to("won").await?;
    assert!(!known.is_disputed() && known.can_fulfil().is_ok() && !waits(&support, &order, "dispute").await?);
    house.shop.stop().await
}
