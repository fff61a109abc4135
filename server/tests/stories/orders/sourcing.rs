//! Where an order's pieces come from, and what is never sold online.

use crate::orders::house::{self, House, PAYS, PRICE, line};
use domain::{money::Money, sourcing::Split};
use server::{
    catalog::{
        locations::{self, Location},
        stock::{self, Item, Shortage},
    },
    orders::{OrderRequest, PlaceOrderError},
    params,
};

/// One of each variant.
fn both(house: &House, quantity: u32) -> OrderRequest {
    let mut request = house.request(quantity);
    request.lines.push(line(house.other, 1));
    request.confirmed_total = Money::new(PRICE * i64::from(quantity + 1) + house::DELIVERY, request.confirmed_total.currency);
    request
}

async fn receive(house: &House, item: Item, location: &'static str, pieces: i64) -> anyhow::Result<()> {
    let clock = house.shop.shop.clock.clone();
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let clock = clock.clone();
            Box::pin(async move { stock::adjust(tx, &clock, item, location, pieces, "test", "test").await })
        })
        .await
}

async fn describe(house: &House, code: &str, safety: u32) -> anyhow::Result<()> {
    let (clock, location) = (house.shop.shop.clock.clone(), Location { code: code.to_owned(), name: code.to_owned(), safety });
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let (clock, location) = (clock.clone(), location.clone());
            Box::pin(async move { locations::set(tx, &clock, &location).await })
        })
        .await
}

async fn keep_back(house: &House, location: &'static str, pieces: Option<u32>) -> anyhow::Result<()> {
    let (clock, item) = (house.shop.shop.clock.clone(), house.item);
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let clock = clock.clone();
            Box::pin(async move { locations::keep_back(tx, &clock, item, location, pieces).await })
        })
        .await
}

/// Location and quantity of what is held.
async fn held(house: &House) -> anyhow::Result<Vec<(String, i64)>> {
    let rows = house.shop.shop.db.all("SELECT location, quantity FROM holds WHERE state = 'held' ORDER BY location, quantity", params![]).await?;
    rows.iter().map(|row| Ok((row.text("location")?, row.int("quantity")?))).collect()
}

fn places(held: &[(String, i64)]) -> Vec<(&str, i64)> {
    held.iter().map(|(location, pieces)| (location.as_str(), *pieces)).collect()
}

#[tokio::test]
async fn the_whole_order_is_one_parcel_although_each_line_alone_would_come_from_elsewhere() -> anyhow::Result<()> {
    let house = house::open(2, 3).await?;
    receive(&house, house.other, "rotterdam", -100).await?;
    receive(&house, house.other, "leipzig", 1).await?;
    let placed = house.orders.place(both(&house, 2)).await?;
    assert_eq!(places(&held(&house).await?), [("leipzig", 1), ("leipzig", 2)]);
    house.type_card(placed.redirect_url.as_deref().expect("a page"), PAYS).await?;
    assert_eq!(house.status(&placed.secret).await?, "paid");
    house.check_books().await?;
    // Leipzig has one belt left, Rotterdam none of the other: what is wanted now comes in two parcels.
    receive(&house, house.other, "leipzig", 1).await?;
    let placed = house.orders.place(both(&house, 2)).await?;
    assert_eq!(places(&held(&house).await?), [("leipzig", 1), ("rotterdam", 2)]);
    drop(placed);
    house.shop.stop().await
}

#[tokio::test]
async fn a_market_that_splits_nothing_refuses_and_says_what_one_parcel_could_hold() -> anyhow::Result<()> {
    let house = house::open(2, 3).await?;
    let mut request = both(&house, 3);
    request.market.split = Split::Never;
    // Rotterdam has two belts and the other; Leipzig three belts only.
    let refused = house.orders.place(request.clone()).await;
    let expected = [Shortage { variant: house.item.variant, left: 2 }];
    assert!(matches!(&refused, Err(PlaceOrderError::OutOfStock(short)) if *short == expected), "{refused:?}");
    assert_eq!((house.stock().await?, held(&house).await?.len()), ((5, 0), 0), "nothing was taken");
    let mut request = both(&house, 2);
    request.market.split = Split::Never;
    house.orders.place(request).await?;
    assert_eq!(places(&held(&house).await?), [("rotterdam", 1), ("rotterdam", 2)]);
    house.shop.stop().await
}

#[tokio::test]
async fn what_a_location_keeps_back_is_not_sold() -> anyhow::Result<()> {
    let house = house::open(5, 2).await?;
    describe(&house, "rotterdam", 3).await?;
    describe(&house, "leipzig", 2).await?;
    let refused = house.place(3).await;
    let expected = [Shortage { variant: house.item.variant, left: 2 }];
    assert!(matches!(&refused, Err(PlaceOrderError::OutOfStock(short)) if *short == expected), "{refused:?}");
    house.place(2).await?;
    assert_eq!(house.stock().await?, (5, 2));
    // One variant may be an exception, in both directions.
    keep_back(&house, "leipzig", Some(1)).await?;
    house.place(1).await?;
    assert_eq!(places(&held(&house).await?), [("leipzig", 1), ("rotterdam", 2)]);
    keep_back(&house, "leipzig", Some(0)).await?;
    keep_back(&house, "leipzig", None).await?;
    assert!(matches!(house.place(1).await, Err(PlaceOrderError::OutOfStock(_))), "as the location says again");
    house.check_books().await?;
    house.shop.stop().await
}
