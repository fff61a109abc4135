//! Hot variants whose stock lies in several rows: nothing oversold, no piece out of reach, the ledger adds up.

use crate::orders::house::{self, House, PAYS};
use anyhow::{Context as _, ensure};
use domain::{OrderId, sourcing::Split};
use server::{
    catalog::stock::{self, Holding, Keeper},
    orders::PlaceOrderError,
    params,
};
use std::{sync::Arc, time::Duration};

async fn spread(house: &House, location: &'static str, buckets: u32) -> anyhow::Result<()> {
    let (clock, item) = (house.shop.shop.clock.clone(), house.item);
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let clock = clock.clone();
            Box::pin(async move { stock::spread(tx, &clock, item, location, buckets).await })
        })
        .await
}

async fn gather(house: &House, location: &'static str) -> anyhow::Result<()> {
    let (clock, item) = (house.shop.shop.clock.clone(), house.item);
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let clock = clock.clone();
            Box::pin(async move { stock::gather(tx, &clock, item, location).await })
        })
        .await
}

/// What is free in each row of a location.
async fn free(house: &House, location: &str) -> anyhow::Result<Vec<i64>> {
    let rows = house
        .shop
        .shop
        .db
        .all("SELECT free FROM stock_balances WHERE variant_id = $1 AND location = $2 ORDER BY bucket", params![house.item.variant, location])
        .await?;
    rows.iter().map(|row| row.int("free")).collect()
}

/// A crowd of buyers who do not pay yet; how many got a piece.
async fn crowd(house: &Arc<House>, buyers: u32) -> anyhow::Result<i64> {
    let buying: Vec<_> = (0..buyers)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move {
                match house.place(1).await {
                    Ok(_) => Ok(1),
                    Err(PlaceOrderError::OutOfStock(short)) => {
                        ensure!(short.len() == 1 && short[0].left == 0, "one was left: {short:?}");
                        Ok(0)
                    }
                    Err(error) => Err(error.into()),
                }
            })
        })
        .collect();
    let mut placed = 0;
    for buyer in buying {
        placed += buyer.await??;
    }
    Ok(placed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_buys_a_spread_variant_to_the_last_piece() -> anyhow::Result<()> {
    let house = Arc::new(house::open(90, 7).await?);
    spread(&house, "rotterdam", 16).await?;
    assert_eq!(free(&house, "rotterdam").await?, [vec![15], vec![5; 15]].concat());
    house.check_books().await?;
    assert_eq!(crowd(&house, 120).await?, 97);
    assert_eq!(house.stock().await?, (0, 97), "nothing free, everything held");
    house.check_books().await?;
    // What lapses is free again, in whichever row, and is found.
    house.shop.clock.advance(Duration::from_mins(31));
    for _ in 0..100 {
        house.orders.tend().await?;
        if house.stock().await?.1 == 0 {
            break;
        }
    }
    assert_eq!(house.stock().await?, (97, 0));
    let whole = house.place(10).await?;
    house.type_card(whole.redirect_url.as_deref().context("a page")?, PAYS).await?;
    house.until(&whole, "paid").await?;
    assert_eq!(house.stock().await?, (87, 0));
    house.check_books().await?;
    Arc::into_inner(house).context("all buyers have left")?.shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_buys_while_its_variant_is_spread_and_gathered() -> anyhow::Result<()> {
    let house = Arc::new(house::open(60, 0).await?);
    let moving = {
        let house = house.clone();
        tokio::spawn(async move {
            for buckets in [16, 4, 8, 16, 2, 16] {
                spread(&house, "rotterdam", buckets).await?;
                tokio::time::sleep(Duration::from_millis(60)).await;
                gather(&house, "rotterdam").await?;
            }
            anyhow::Ok(())
        })
    };
    assert_eq!(crowd(&house, 90).await?, 60);
    moving.await??;
    assert_eq!(house.stock().await?, (0, 60));
    house.check_books().await?;
    Arc::into_inner(house).context("all buyers have left")?.shop.stop().await
}

#[tokio::test]
async fn an_order_takes_more_than_any_bucket_holds() -> anyhow::Result<()> {
    let house = house::open(8, 0).await?;
    spread(&house, "rotterdam", 4).await?;
    assert_eq!(free(&house, "rotterdam").await?, [2, 2, 2, 2]);
    let placed = house.place(7).await?;
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM holds").await?, 4, "from four rows, in one parcel");
    assert_eq!(house.count("SELECT COUNT(DISTINCT location) AS n FROM holds").await?, 1);
    let refused = house.place(2).await;
    assert!(matches!(&refused, Err(PlaceOrderError::OutOfStock(short)) if short[0].left == 1), "{refused:?}");
    house.place(1).await?;
    house.type_card(placed.redirect_url.as_deref().context("a page")?, PAYS).await?;
    house.until(&placed, "paid").await?;
    assert_eq!(house.stock().await?, (0, 1));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn what_many_want_is_spread_by_itself_and_laid_together_when_little_is_left() -> anyhow::Result<()> {
    let house = house::open(300, 0).await?;
    let (db, clock, item) = (house.shop.shop.db.clone(), house.shop.shop.clock.clone(), house.item);
    let take = async |quantity: u32| {
        db.transact::<_, anyhow::Error>(|tx| {
            let clock = clock.clone();
            Box::pin(async move {
                let locations = ["rotterdam".to_owned()];
                let holding = Holding { order: OrderId(clock.id()), locations: &locations, split: Split::Allowed };
                ensure!(stock::hold(tx, &clock, holding, &[(item, quantity)]).await?.is_ok(), "there is enough");
                Ok(())
            })
        })
        .await
    };
    let mut keeper = Keeper::new(db.clone(), clock.clone());
    take(1).await?;
    keeper.tend().await?;
    assert_eq!(free(&house, "rotterdam").await?.len(), 1, "one order makes nothing hot");
    for _ in 0..125 {
        take(1).await?;
    }
    keeper.tend().await?;
    let rows = free(&house, "rotterdam").await?;
    assert_eq!((rows.len(), rows.iter().sum::<i64>()), (16, 174), "{rows:?}");
    assert!(rows.iter().all(|free| *free >= 10), "{rows:?}");
    take(160).await?;
    keeper.tend().await?;
    let rows = free(&house, "rotterdam").await?;
    assert_eq!(rows, [vec![14], vec![0; 15]].concat(), "too few for sixteen rows");
    // More comes in and is spread, until the variant has cooled down.
    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move { stock::receipt(tx, &clock, item, "rotterdam", 200, "test").await })
    })
    .await?;
    keeper.tend().await?;
    assert!(free(&house, "rotterdam").await?.iter().all(|free| *free >= 10));
    // The minute ends, and ten more.
    for _ in 0..60 {
        keeper.tend().await?;
    }
    house.shop.clock.advance(Duration::from_mins(11));
    keeper.tend().await?;
    assert_eq!(free(&house, "rotterdam").await?, [vec![214], vec![0; 15]].concat());
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM stock_spreads").await?, 0);
    // Fewer than were counted are missing from all of them, wherever they lie.
    spread(&house, "rotterdam", 8).await?;
    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move { stock::adjust(tx, &clock, item, "rotterdam", -200, "count", "test").await })
    })
    .await?;
    assert_eq!(free(&house, "rotterdam").await?.iter().sum::<i64>(), 14);
    assert!(free(&house, "rotterdam").await?.iter().all(|free| *free >= 0));
    house.shop.stop().await
}
