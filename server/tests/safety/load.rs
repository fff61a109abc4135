//! People who buy, change their minds, walk away and pay too late, with cards that have an aftermath, and a clerk who serves them, until the
//! shop is killed; and what the shop said yes to before.

use crate::{
    books,
    buyer::{Buyer, PAYS, THING},
    clerk::Clerk,
    world::World,
};
use anyhow::{Context as _, ensure};
use domain::order::{DELIVERED_AFTER_US, Fulfilment, FulfilmentState};
use server::{
    params,
    sql::{Db, Tx},
};
use std::time::Duration;
use tokio::time::Instant;

/// How long a point may take to be reached: a round of everything takes two or three seconds.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// After so long at the provider transfers have come, refunds came back, and banks have claimed; the next time they have decided.
const LATER: Duration = Duration::from_hours(15 * 24);
/// Cards that pay and have an aftermath: the bank claims the money and loses, refunds come back, the bank claims and wins, refunds are
/// refused.
const AFTERMATHS: [&str; 4] = ["4000 0000 0000 0259", "4000 0000 0000 5126", "4000 0000 0000 2685", "4000 0000 0000 3022"];
const DECLINED: &str = "4000 0000 0000 0002";
/// Is under way for three days, as a bank transfer is.
const TRANSFERS: &str = "4000 0000 0000 3006";

/// Everybody who is busy with the shop.
pub struct Load {
    pub clerk: Clerk,
    /// Those to whom the shop may have said yes.
    buyers: Vec<Buyer>,
    /// Discount codes for one use each.
    codes: Vec<String>,
    rounds: usize,
}

impl Load {
    pub async fn new(world: &World) -> anyhow::Result<Self> {
        Ok(Self { clerk: Clerk::new(world).await?, buyers: Vec::new(), codes: codes(world)?, rounds: 0 })
    }

    /// Goes on until the shop is gone. Whether it went.
    pub async fn sell_until_it_dies(&mut self, world: &mut World) -> anyhow::Result<bool> {
        let begun = Instant::now();
        let db = world.db().await?;
        world.advance(LATER).await?;
        stock_up(&db).await?;
        while begun.elapsed() < PATIENCE {
            self.round(world, &db).await?;
            late_money(world, &db).await?;
            // First what is in doubt is asked about, then what was held too long is swept.
            for holds in [false, true] {
                let_time_pass(&db, holds).await?;
                for _ in 0..12 {
                    if !world.is_running()? {
                        db.close().await;
                        return Ok(true);
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        Ok(false)
    }

    /// Rounds that nothing disturbs, one for each aftermath, until all has come of them that will.
    pub async fn sell_undisturbed(&mut self, world: &World) -> anyhow::Result<()> {
        let db = world.db().await?;
        for _ in AFTERMATHS {
            stock_up(&db).await?;
            self.round(world, &db).await?;
        }
        // Refunds are sent before they can come back.
        books::agree(world).await?;
        world.advance(LATER).await?;
        books::agree(world).await?;
        self.check(world, &db).await?;
        db.close().await;
        Ok(())
    }

    async fn round(&mut self, world: &World, db: &Db) -> anyhow::Result<()> {
        self.rounds += 1;
        // The clerk serves them in this order, as long as the shop lives.
        let cards = [AFTERMATHS[self.rounds % AFTERMATHS.len()], PAYS, PAYS];
        let mut crowd = [Buyer::new(world)?, Buyer::new(world)?, Buyer::new(world)?];
        let mut fickle = [Buyer::new(world)?, Buyer::new(world)?, Buyer::new(world)?, Buyer::new(world)?];
        let [changes_mind, walks_away, declined, transfers] = &mut fickle;
        crowd[1].code = self.codes.pop();
        walks_away.code = self.codes.pop();
        let buying = crowd.into_iter().zip(cards).enumerate().map(|(place, (mut buyer, card))| async move {
            if buyer.place().await.is_ok() && buyer.pay_with(card).await.is_ok() {
                buyer.look().await.ok();
                if place == 2 {
                    buyer.renew().await.ok();
                }
            }
            buyer
        });
        let (bought, (), (), (), ()) = tokio::join!(
            futures::future::join_all(buying),
            async {
                // Orders, wants one more, orders again: the first order is withdrawn. Then the first page's money comes after all.
                if changes_mind.place().await.is_ok() {
                    changes_mind.add().await.ok();
                    changes_mind.check_out().await.ok();
                }
            },
            async { drop(walks_away.place().await) },
            async {
                if declined.place().await.is_ok() && declined.pay_with(DECLINED).await.is_ok() {
                    declined.pay_again().await.ok();
                    declined.pay().await.ok();
                }
            },
            async {
                if transfers.place().await.is_ok() {
                    transfers.pay_with(TRANSFERS).await.ok();
                }
            }
        );
        for buyer in &bought {
            // An order that is not paid yet has nothing to be sent; a shop that is gone answers nothing.
            let Ok(number) = buyer.number().await else { continue };
            if let Err(error) = self.clerk.serve(db, &number).await {
                ensure!(!world.lives().await?, "the shop lives, and refuses the clerk: {error:#}");
                break;
            }
        }
        self.buyers.extend(bought);
        self.buyers.extend(fickle);
        Ok(())
    }

    /// After a crash. Whoever was at the payment page when the shop died pays there, as real people would: the provider lives. Whoever got
    /// no answer at the operator pages sends the form again.
    pub async fn finish(&mut self, db: &Db) -> anyhow::Result<()> {
        for buyer in self.buyers.iter_mut().filter(|buyer| buyer.order.is_none()) {
            // Closed pages send the shopper back, too.
            buyer.pay().await.ok();
        }
        self.clerk.repeat(db).await?;
        let_time_pass(db, false).await
    }

    /// Every order whose page was handed out is there.
    pub async fn check(&mut self, world: &World, db: &Db) -> anyhow::Result<()> {
        for buyer in self.buyers.drain(..) {
            if let Some(order) = &buyer.order {
                ensure!(buyer.opens(world).await?, "{order} was acknowledged and does not open");
            }
        }
        let lost = db.first("SELECT COUNT(*) AS n FROM payments p LEFT JOIN orders o ON o.id = p.order_id WHERE o.id IS NULL", params![]).await?;
        ensure!(lost.context("a count")?.int("n")? == 0, "payments without orders");
        self.clerk.check(db).await
    }
}

/// Makes codes for one use each, which are counted in all and for each customer as well.
pub fn codes(world: &World) -> anyhow::Result<Vec<String>> {
    let said = world.must(&["coupon", "bulk", "1000", "--title", "Ten", "--percent", "10", "--cap", "1000", "--cap-per-customer", "1000"])?;
    // The first line is the column's name.
    Ok(said.lines().skip(1).map(str::to_owned).collect())
}

/// Money comes for an order that was withdrawn, and for one whose hold lapsed.
async fn late_money(world: &World, db: &Db) -> anyhow::Result<()> {
    let sql = "SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.pieces = $1 AND p.state = 'closed' ORDER BY p.created_at DESC LIMIT 1";
    for pieces in ["withdrawn", "lapsed"] {
        if let Some(row) = db.first(sql, params![pieces]).await? {
            world.late_money(&row.text("id")?).await?;
        }
    }
    Ok(())
}

/// What was held too long has lapsed and what was sent has arrived, or what is in doubt may be asked about, without anybody waiting for it.
async fn let_time_pass(db: &Db, holds: bool) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        Box::pin(async move {
            if holds {
                tx.execute("UPDATE orders SET hold_until = hold_until - 3600000000 WHERE pieces = 'held'", params![]).await?;
                send_earlier(tx).await?;
            }
            tx.execute("UPDATE payments SET updated_at = updated_at - 3600000000 WHERE state IN ('created', 'open', 'pending')", params![]).await?;
            tx.execute("UPDATE refunds SET next_at = 0 WHERE state = 'requested'", params![]).await?;
            Ok(())
        })
    })
    .await
}

/// What was sent was sent so long ago that it must have arrived.
async fn send_earlier(tx: &mut Tx) -> anyhow::Result<()> {
    for row in tx.all("SELECT id, body FROM fulfilments WHERE state = 'shipped'", params![]).await? {
        let mut sent: Fulfilment = serde_json::from_str(&row.text("body")?)?;
        if let FulfilmentState::Shipped { shipment } = &mut sent.state {
            shipment.at -= DELIVERED_AFTER_US;
        }
        let sql = "UPDATE fulfilments SET body = $2, updated_at = updated_at - $3 WHERE id = $1 AND state = 'shipped'";
        tx.execute(sql, params![sent.id, serde_json::to_string(&sent)?, DELIVERED_AFTER_US]).await?;
    }
    Ok(())
}

/// Enough pieces for another round.
async fn stock_up(db: &Db) -> anyhow::Result<()> {
    let row = db
        .first(
            "SELECT v.id, v.product_id FROM variants v JOIN products p ON p.id = v.product_id WHERE p.handle = $1 AND v.option_values = $2",
            params![THING.0, format!("[\"{}\"]", THING.2)],
        )
        .await?
        .context("the thing that is bought")?;
    let item = server::catalog::stock::Item { product: row.parse("product_id")?, variant: row.parse("id")? };
    let clock = server::clock::Clock::system();
    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move {
            let places = tx.all("SELECT location FROM stock_balances WHERE variant_id = $1", params![item.variant]).await?;
            for place in &places {
                server::catalog::stock::receipt(tx, &clock, item, &place.text("location")?, 20, "test").await?;
            }
            Ok(())
        })
    })
    .await
}
