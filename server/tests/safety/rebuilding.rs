//! After a restore from backup: what was sold since then comes back from the payment provider's ledger.

use crate::{
    books,
    buyer::{Buyer, THING},
    drill, support,
    world::World,
};
use server::params;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_a_backup_does_not_know_are_rebuilt_from_the_providers_ledger() -> anyhow::Result<()> {
    let mut world = World::open(&support::nextgen()).await?;
    let known = Buyer::buy(&world).await?;
    known.sees("Paid").await?;
    let mut waiting = Buyer::new(&world)?;
    waiting.place().await?;
    let saved = drill::save(&world)?;

    // All of this happens after the backup.
    waiting.pay().await?;
    let lost = [Buyer::buy(&world).await?, Buyer::buy(&world).await?];
    let changed_mind = pays_for_a_replaced_order(&world).await?;
    let paid: Vec<&Buyer> = [&known, &waiting, &changed_mind].into_iter().chain(&lost).collect();
    let mut pages = Vec::new();
    for buyer in &paid {
        buyer.sees("Paid").await?;
        pages.push(buyer.number().await?);
    }
    let mut undecided = Buyer::new(&world)?;
    undecided.place().await?;
    let before = books::agree(&world).await?;
    assert_eq!((before.captures, before.refunds), (6, 1));

    let said = drill::lose_and_restore(&mut world, &saved).await?;
    assert!(said.contains("4 orders rebuilt, 1 now paid, 1 refunds and 0 disputes taken over, 0 of another amount, 0 unexplained"), "{said}");
    let again = world.must(&["reconcile", "--since", "2026-01-01T00:00:00Z"])?;
    assert!(again.contains("0 orders rebuilt, 0 now paid, 0 refunds and 0 disputes taken over, 0 of another amount, 0 unexplained"), "{again}");
    world.start(&[]).await?;
    for (buyer, number) in paid.iter().zip(&pages) {
        buyer.sees("Paid").await?;
        buyer.sees("12 St James").await?;
        assert_eq!(&buyer.number().await?, number, "the same link leads to the same order");
    }
    assert!(!waiting.visitor.get("/en-gb/cart").await?.body.contains("Canvas tote"), "a paid cart is empty");
    // Whoever was at the payment page when all was lost pays there; the order comes with the money.
    undecided.pay().await?;
    undecided.sees("Paid").await?;
    let after = books::agree(&world).await?;
    assert_eq!((after.orders, after.captures, after.refunds), (before.orders, 7, 1));
    world.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_pieces_were_sold_again_gives_its_money_back() -> anyhow::Result<()> {
    let mut world = World::open(&support::nextgen()).await?;
    let file = world.folder.path().join("one.csv");
    std::fs::write(&file, format!("Handle,Title,Option1 Value,Variant Inventory Qty\n{},,Navy,1\n", THING.0))?;
    world.must(&["import", &file.to_string_lossy(), "--location", "rotterdam"])?;
    let saved = drill::save(&world)?;
    let lost = Buyer::buy(&world).await?;
    lost.sees("Paid").await?;
    // The provider cannot be asked while the shop comes back, and somebody buys the last piece again.
    world.faults(serde_json::json!({ "down": true })).await?;
    let said = drill::lose_and_restore(&mut world, &saved).await?;
    assert!(said.contains("could not be asked"), "{said}");
    world.start(&[]).await?;
    // The shop asks when it starts, thrice within a second, and again after a minute.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    world.faults(serde_json::json!({})).await?;
    let other = Buyer::buy(&world).await?;
    other.sees("Paid").await?;
    let said = world.must(&["reconcile"])?;
    assert!(said.contains("1 orders rebuilt"), "{said}");
    lost.sees("Refunded").await?;
    let books = books::agree(&world).await?;
    assert_eq!((books.orders, books.captures, books.refunds), (2, 2, 1));
    let db = world.db().await?;
    let below = db.first("SELECT COUNT(*) AS n FROM stock_balances WHERE free < 0", params![]).await?.expect("a count");
    assert_eq!(below.int("n")?, 0, "never beyond stock");
    db.close().await;
    world.close().await
}

/// Orders, wants one more, orders again and pays; then the money for the first order comes as well, and goes back.
async fn pays_for_a_replaced_order(world: &World) -> anyhow::Result<Buyer> {
    let mut buyer = Buyer::new(world)?;
    buyer.place().await?;
    buyer.add().await?;
    buyer.check_out().await?;
    let db = world.db().await?;
    let sql = "SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.pieces = 'withdrawn' AND p.state = 'closed'";
    let payment = db.first(sql, params![]).await?.expect("the first order's payment").text("id")?;
    buyer.pay().await?;
    world.late_money(&payment).await?;
    db.close().await;
    Ok(buyer)
}
