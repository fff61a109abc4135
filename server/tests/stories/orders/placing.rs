//! Placing: one order per wish, nothing stored on a refusal.

use crate::orders::house::{self, DECLINES, House, PAYS, PRICE};
use domain::money::{Currency, Money};
use server::{catalog::stock::Shortage, orders::PlaceOrderError, params};

async fn nothing_was_stored(house: &House) -> anyhow::Result<()> {
    for (what, sql) in [
        ("orders", "SELECT COUNT(*) AS n FROM orders"),
        ("holds", "SELECT COUNT(*) AS n FROM holds"),
        ("keys", "SELECT COUNT(*) AS n FROM idempotency_keys"),
        ("payments", "SELECT COUNT(*) AS n FROM payments"),
    ] {
        assert_eq!(house.count(sql).await?, 0, "{what}");
    }
    house.check_books().await
}

#[tokio::test]
async fn an_order_is_placed_paid_and_sold() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let placed = house.place(2).await?;
    assert_eq!(house.stock().await?, (3, 2));
    let view = house.look(&placed.secret).await?;
    assert_eq!((view.status.word(), view.total.minor), ("awaiting_payment", 2 * PRICE + house::DELIVERY));
    let back = house.type_card(placed.redirect_url.as_deref().expect("a page"), PAYS).await?;
    assert_eq!(back, format!("{}/de-de/orders/{}", house.shop.url, placed.secret));
    assert!(house::is_paid(&house.look(&placed.secret).await?));
    assert_eq!(house.stock().await?, (3, 0));
    let view = house.look(&placed.secret).await?;
    assert_eq!(view.personal.map(|personal| personal.delivery.line1), Some("Ackerstraße 12".to_owned()));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn what_is_personal_is_stored_encrypted_and_goes_with_its_key() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let placed = house.place(1).await?;
    let row = house.shop.shop.db.first("SELECT personal, body FROM orders", params![]).await?.expect("an order");
    let stored = [row.bytes_or_null("personal")?.unwrap_or_default(), row.text("body")?.into_bytes()].concat();
    for personal in ["Ada", "example.com", "Acker"] {
        assert!(!String::from_utf8_lossy(&stored).contains(personal), "{personal} can be read");
    }
    let erased =
        house.shop.shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute("UPDATE customer_keys SET wrapped_key = NULL", params![]))).await?;
    assert_eq!(erased, 1);
    assert!(house.look(&placed.secret).await?.personal.is_none());
    // The same customer may order again; what was erased stays closed.
    let again = house.place(1).await?;
    assert!(house.look(&again.secret).await?.personal.is_some());
    assert!(house.look(&placed.secret).await?.personal.is_none());
    house.shop.stop().await
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_another_content_is_refused() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let request = house.request(1);
    let (first, second, third) =
        tokio::join!(house.orders.place(request.clone()), house.orders.place(request.clone()), house.orders.place(request.clone()));
    let first = first?;
    assert_eq!(first, second?);
    assert_eq!(first, third?);
    assert!(first.redirect_url.is_some());
    let mut other = request.clone();
    other.personal.delivery.line1 = "Torstraße 1".to_owned();
    assert!(matches!(house.orders.place(other).await, Err(PlaceOrderError::KeyReused)));
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM orders").await?, 1);
    assert_eq!(house.stock().await?, (4, 1));
    house.shop.stop().await
}

#[tokio::test]
async fn a_second_tab_finds_the_first_ones_order() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let first_tab = house.request(1);
    let mut second_tab = first_tab.clone();
    second_tab.key = "another form".to_owned();
    let (first, second) = tokio::join!(house.orders.place(first_tab), house.orders.place(second_tab));
    let (placed, refused) = if first.is_ok() { (first?, second) } else { (second?, first) };
    assert!(matches!(refused, Err(PlaceOrderError::CartAlreadyOrdered { secret }) if secret == placed.secret));
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM orders").await?, 1);
    assert_eq!(house.stock().await?, (4, 1));
    house.shop.stop().await
}

#[tokio::test]
async fn ordering_anew_replaces_what_nobody_paid() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let request = house.request(1);
    let first = house.orders.place(request.clone()).await?;
    house.type_card(first.redirect_url.as_deref().expect("a page"), DECLINES).await?;
    let mut corrected = request.clone();
    corrected.key = "another form".to_owned();
    corrected.personal.delivery.line1 = "Torstraße 1".to_owned();
    let second = house.orders.place(corrected.clone()).await?;
    assert_ne!(first.number, second.number);
    assert_eq!((house.status(&first.secret).await?, house.stock().await?), ("withdrawn", (0, 1)));
    // The first one's page, had it been open still, takes no money any more.
    assert!(house.orders.pay_again(&first.secret).await.is_err());
    house.type_card(second.redirect_url.as_deref().expect("a page"), PAYS).await?;
    assert_eq!(house.status(&second.secret).await?, "paid");
    // Once it is paid, the same cart is not sold again, whatever the form says.
    corrected.key = "a third form".to_owned();
    corrected.personal.delivery.line1 = "Linienstraße 1".to_owned();
    assert!(matches!(house.orders.place(corrected).await, Err(PlaceOrderError::CartAlreadyOrdered { secret }) if secret == second.secret));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn another_total_than_confirmed_stores_nothing() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let mut request = house.request(1);
    request.confirmed_total = Money::new(1, Currency::EUR);
    let refused = house.orders.place(request.clone()).await;
    let Err(PlaceOrderError::PriceChanged(quote)) = refused else { panic!("{refused:?}") };
    assert_eq!(quote.total.minor, PRICE + house::DELIVERY);
    nothing_was_stored(&house).await?;
    // The same key may be used with the new total: nothing was stored under it.
    request.confirmed_total = quote.total;
    house.orders.place(request).await?;
    house.shop.stop().await
}

#[tokio::test]
async fn what_cannot_be_had_is_named_and_nothing_is_stored() -> anyhow::Result<()> {
    let house = house::open(2, 1).await?;
    let refused = house.place(4).await;
    assert!(
        matches!(&refused, Err(PlaceOrderError::OutOfStock(short)) if *short == [Shortage { variant: house.item.variant, left: 3 }]),
        "{refused:?}"
    );
    let mut request = house.request(1);
    request.method = "rocket".to_owned();
    assert!(matches!(house.orders.place(request).await, Err(PlaceOrderError::UnknownMethod)));
    let mut request = house.request(1);
    request.lines[0].variant = domain::VariantId(house.shop.shop.clock.id());
    assert!(matches!(house.orders.place(request.clone()).await, Err(PlaceOrderError::NotSold(variants)) if variants == [request.lines[0].variant]));
    let mut request = house.request(1);
    request.lines.clear();
    assert!(matches!(house.orders.place(request).await, Err(PlaceOrderError::Empty)));
    nothing_was_stored(&house).await?;
    house.shop.stop().await
}

#[tokio::test]
async fn an_order_is_split_over_places_when_no_place_has_it_all() -> anyhow::Result<()> {
    let house = house::open(2, 3).await?;
    let whole = house.place(3).await?;
    let rows = house.shop.shop.db.all("SELECT location, quantity FROM holds", params![]).await?;
    assert_eq!(
        rows.iter().map(|row| (row.text("location"), row.int("quantity"))).map(|(l, q)| (l.ok(), q.ok())).collect::<Vec<_>>(),
        [(Some("leipzig".to_owned()), Some(3))]
    );
    house.type_card(whole.redirect_url.as_deref().expect("a page"), PAYS).await?;
    assert_eq!(house.status(&whole.secret).await?, "paid");
    assert_eq!(house.stock().await?, (2, 0));
    house.check_books().await?;
    house.shop.stop().await
}
