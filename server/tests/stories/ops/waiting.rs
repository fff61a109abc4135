//! Lists of what waits, beside servers of the release before: those know the most urgent kind alone, in `orders.attention`.

use crate::{
    ops::desk::{self, act, advance, done, words},
    orders::house::House,
    support::Visitor,
};
use domain::{order::Order, staff::Role};
use server::{orders::Placed, params};
use std::time::Duration;

async fn run(house: &House, sql: &'static str) -> anyhow::Result<()> {
    house.shop.shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(async move { tx.execute(sql, params![]).await })).await?;
    Ok(())
}

async fn lists(support: &Visitor, order: &Placed) -> anyhow::Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for kind in ["dispute", "amount", "refund", "charged_back", "return", "ship"] {
        if support.get(&format!("/ops/orders?waits={kind}")).await?.body.contains(&order.number.to_string()) {
            found.push(kind);
        }
    }
    Ok(found)
}

#[tokio::test]
async fn what_another_release_wrote_is_put_right() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let partly = desk::paid(&house, 2).await?;
    done(&act(&support, &partly, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL")]).await?, "pack")?;
    done(&act(&support, &partly, "return", &[("reason", "faulty"), ("line-0", "1")]).await?, "return")?;
    let disputed = desk::pays(&house, 1, "4000 0000 0000 0259").await?;
    advance(&house, 11).await?;
    for _ in 0..200 {
        if desk::ledgers(&house, &disputed).await?.is_disputed() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let unpaid = house.place(1).await?;
    let sorted = async || anyhow::Ok(words(&support.get("/ops/orders?waits=dispute").await?.body));
    let told = sorted().await?;
    assert!(told.contains("evidence by"), "{told}");

    // As after the migration: no rows at all.
    run(&house, "DELETE FROM order_waits").await?;
    assert!(lists(&support, &partly).await?.is_empty());
    house.orders.mend_waits().await?;
    assert_eq!((lists(&support, &partly).await?, lists(&support, &disputed).await?), (vec!["return", "ship"], vec!["dispute"]));
    assert_eq!(sorted().await?, told, "with its deadline");

    // As when the other release took the return, or sent an order, and left our rows as they were.
    let before = "INSERT INTO order_waits (order_id, kind, market, turn_at, as_of) SELECT id, 'refund', market, placed_at, 0 FROM orders";
    run(&house, before).await?;
    assert_eq!(lists(&support, &unpaid).await?, ["refund"]);
    house.orders.mend_waits().await?;
    assert!(lists(&support, &unpaid).await?.is_empty());
    assert_eq!((lists(&support, &partly).await?, lists(&support, &disputed).await?), (vec!["return", "ship"], vec!["dispute"]));

    // A word that the ledgers do not bear out does not come up again and again.
    run(&house, "UPDATE orders SET attention = 'ship' WHERE attention = ''").await?;
    house.orders.mend_waits().await?;
    let row = house.shop.shop.db.first("SELECT COUNT(*) AS n FROM orders WHERE attention = 'ship'", params![]).await?;
    assert_eq!(row.map(|row| row.int("n")).transpose()?, Some(0));
    let still: Order = desk::ledgers(&house, &partly).await?;
    assert_eq!(still.attention().len(), 2);
    house.shop.stop().await
}
