//! The shop is killed at every point between two steps, while people buy, and started again; the provider lives on. Every capture ends in an
//! order or in a refund, the stock adds up, and nothing that was acknowledged is missing.
//!
//! It needs the binary with failpoints: `cargo xtask test --only crash` builds it, names it in `CRASH_BINARY` and runs this.

use crate::{
    books,
    buyer::{Buyer, THING},
    clerk::Clerk,
    support,
    world::World,
};
use anyhow::{Context as _, ensure};
use server::{params, sql::Db};
use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// How long a point may take to be reached: a round of everything takes two or three seconds.
const PATIENCE: Duration = Duration::from_secs(40);
/// People who buy at the same time.
const CROWD: usize = 3;

fn crashing() -> anyhow::Result<PathBuf> {
    support::variable("CRASH_BINARY").map(PathBuf::from).context("CRASH_BINARY names the binary with failpoints")
}

/// The names of the points in a binary.
fn points(binary: &Path) -> anyhow::Result<BTreeSet<String>> {
    let bytes = std::fs::read(binary).with_context(|| format!("reading {}", binary.display()))?;
    let opening = b"<failpoint ";
    let mut names = BTreeSet::new();
    for at in memchr_all(&bytes, opening) {
        let name: Vec<u8> = bytes[at + opening.len()..].iter().copied().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'-').collect();
        if !name.is_empty() && bytes.get(at + opening.len() + name.len()) == Some(&b'>') {
            names.insert(String::from_utf8(name)?);
        }
    }
    Ok(names)
}

fn memchr_all(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == wanted[0] && bytes[at..].starts_with(wanted) {
            found.push(at);
        }
    }
    found
}

#[test]
#[ignore = "needs the binary with failpoints: cargo xtask test --only crash"]
fn the_shipped_binary_has_no_failpoints() -> anyhow::Result<()> {
    let (with, shipped) = (points(&crashing()?)?, points(&support::nextgen())?);
    ensure!(with.len() >= 20, "the other one has only {with:?}");
    ensure!(shipped.is_empty(), "{shipped:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the binary with failpoints: cargo xtask test --only crash"]
async fn killed_anywhere_the_shop_loses_no_order_and_no_money() -> anyhow::Result<()> {
    let binary = crashing()?;
    let begun = Instant::now();
    let mut world = World::open(&binary).await?;
    let mut acknowledged = Acknowledged { buyers: Vec::new(), clerk: Clerk::new(&world).await? };
    let points = points(&binary)?;
    for point in &points {
        world.kill()?;
        // Work that was left over may lead there before anybody buys.
        let ready = world.start(&[("FAILPOINT", point)]).await;
        eprintln!("{:>4.0} s  {point}", begun.elapsed().as_secs_f32());
        if ready.is_ok() {
            let died = sell_until_it_dies(&mut world, &mut acknowledged).await.with_context(|| format!("while {point} was armed"))?;
            ensure!(died, "{point} was not reached within {PATIENCE:?}");
        }
        ensure!(world.was_killed()?, "armed with {point} the shop ended otherwise: {ready:?}");
        world.start(&[]).await?;
        acknowledged.finish_paying().await;
        acknowledged.finish_serving().await.with_context(|| format!("after a crash at {point}"))?;
        let db = world.db().await?;
        let_time_pass(&db, false).await?;
        books::agree(&world).await.with_context(|| format!("after a crash at {point}"))?;
        acknowledged.check(&db).await.with_context(|| format!("after a crash at {point}"))?;
        db.close().await;
    }
    let books = books::agree(&world).await?;
    let line = format!(
        "killed at each of {} points: {} orders, {} captures, {} refunds, nothing lost, in {:.0} s\n",
        points.len(),
        books.orders,
        books.captures,
        books.refunds,
        begun.elapsed().as_secs_f32()
    );
    std::io::stderr().write_all(line.as_bytes())?;
    ensure!(books.refunds > 0 && books.captures > points.len(), "{line}");
    let served = acknowledged.clerk.told();
    ensure!(served.len() == 5, "the clerk got nowhere with some kinds of form: {served:?}");
    world.close().await
}

/// What the shop said yes to.
struct Acknowledged {
    buyers: Vec<Buyer>,
    clerk: Clerk,
}

impl Acknowledged {
    /// Whoever was at the payment page when the shop died pays there, as real people would: the provider lives.
    async fn finish_paying(&mut self) {
        for buyer in self.buyers.iter_mut().filter(|buyer| buyer.order.is_none()) {
            // Closed pages send the shopper back, too.
            buyer.pay().await.ok();
        }
    }

    /// Whoever got no answer at the operator pages sends the form again.
    async fn finish_serving(&mut self) -> anyhow::Result<()> {
        self.clerk.repeat().await
    }

    /// Every order whose page was handed out is there.
    async fn check(&mut self, db: &Db) -> anyhow::Result<()> {
        for buyer in self.buyers.drain(..) {
            if let Some(order) = &buyer.order {
                let page = buyer.visitor.get(order).await?;
                ensure!(page.status == 200, "{order} was acknowledged and answers {}", page.status);
            }
        }
        let lost = db.first("SELECT COUNT(*) AS n FROM payments p LEFT JOIN orders o ON o.id = p.order_id WHERE o.id IS NULL", params![]).await?;
        ensure!(lost.context("a count")?.int("n")? == 0, "payments without orders");
        self.clerk.check(db).await
    }
}

/// People buy, change their minds, walk away and pay too late, until the shop is gone. Whether it went.
async fn sell_until_it_dies(world: &mut World, acknowledged: &mut Acknowledged) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let db = world.db().await?;
    stock_up(&db).await?;
    while begun.elapsed() < PATIENCE {
        let crowd = (0..CROWD).map(|_| Buyer::new(world)).collect::<anyhow::Result<Vec<_>>>()?;
        let buying = crowd.into_iter().map(|mut buyer| async move {
            if buyer.place().await.is_ok() && buyer.pay().await.is_ok() {
                buyer.look().await.ok();
            }
            buyer
        });
        let mut fickle = [Buyer::new(world)?, Buyer::new(world)?, Buyer::new(world)?];
        let [changes_mind, walks_away, declined] = &mut fickle;
        let (bought, (), (), ()) = tokio::join!(
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
                if declined.place().await.is_ok() && declined.pay_with("4000 0000 0000 0002").await.is_ok() {
                    declined.pay_again().await.ok();
                    declined.pay().await.ok();
                }
            }
        );
        for buyer in &bought {
            // An order that is not paid yet has nothing to be sent; a shop that is gone answers nothing.
            let Ok(number) = buyer.number().await else { continue };
            if let Err(error) = acknowledged.clerk.serve(&db, &number).await {
                ensure!(!world.lives().await?, "the shop lives, and refuses the clerk: {error:#}");
                break;
            }
        }
        acknowledged.buyers.extend(bought);
        acknowledged.buyers.extend(fickle);
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

/// Money comes for an order that was withdrawn.
async fn late_money(world: &World, db: &Db) -> anyhow::Result<()> {
    let sql = "SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.pieces = 'withdrawn' AND p.state = 'closed' ORDER BY p.created_at DESC LIMIT 1";
    if let Some(row) = db.first(sql, params![]).await? {
        world.late_money(&row.text("id")?).await?;
    }
    Ok(())
}

/// What was held too long has lapsed, and what is in doubt may be asked about, without anybody waiting for it.
async fn let_time_pass(db: &Db, holds: bool) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        Box::pin(async move {
            if holds {
                tx.execute("UPDATE orders SET hold_until = hold_until - 3600000000 WHERE pieces = 'held'", params![]).await?;
            }
            tx.execute("UPDATE payments SET updated_at = updated_at - 3600000000 WHERE state IN ('created', 'open', 'pending')", params![]).await?;
            tx.execute("UPDATE refunds SET next_at = 0 WHERE state = 'requested'", params![]).await?;
            Ok(())
        })
    })
    .await
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
