//! Coupons where money and crowds are: caps that no race beats, uses that come back with the pieces, orders that cost nothing.

use crate::orders::house::{self, DELIVERY, House, PAYS, PRICE};
use anyhow::Context as _;
use domain::{
    CartId, CouponId,
    account::Email,
    coupon::{Caps, Coupon},
    discount::Effect,
    locale::TextLanguage,
    money::{Currency, Money},
    promotion::{Combines, Refusal, Rule, Scope},
};
use futures::future::join_all;
use server::{
    coupons,
    orders::{OrderRequest, PlaceOrderError, Placed},
    params,
};
use std::{collections::BTreeMap, time::Duration};

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60 + 1);
/// 10 % of 119.00 € are 11.90 €.
const TENTH: i64 = PRICE / 10;

/// A coupon with one code: 10 % off.
async fn add(house: &House, code: &str, caps: Caps) -> anyhow::Result<CouponId> {
    add_with(house, code, Effect::Percent { millionths: 100_000 }, caps).await
}

async fn add_with(house: &House, code: &str, effect: Effect, caps: Caps) -> anyhow::Result<CouponId> {
    let clock = &house.shop.shop.clock;
    let coupon = Coupon {
        id: CouponId(clock.id()),
        rule: Rule {
            titles: BTreeMap::from([(TextLanguage::EnUs, "A tenth off".to_owned()), (TextLanguage::De, "Ein Zehntel weniger".to_owned())]),
            effect,
            markets: vec![],
            valid_from: clock.now(),
            valid_until: None,
            minimum: None,
            audience: domain::promotion::Audience::Everyone,
            includes_reduced: true,
            scope: Scope::default(),
            combines: Combines::WithAll,
            priority: 0,
        },
        caps,
    };
    let (id, code) = (coupon.id, code.parse()?);
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let (coupon, code, clock) = (coupon.clone(), domain::coupon::Code::clone(&code), clock.clone());
            Box::pin(async move {
                coupons::add(tx, &coupon, &clock).await?;
                assert!(coupons::add_code(tx, coupon.id, &code).await?);
                Ok(())
            })
        })
        .await?;
    Ok(id)
}

/// A cart of somebody's with one piece and a code, at the total that the code makes.
fn request(house: &House, email: &str, code: &str) -> anyhow::Result<OrderRequest> {
    let mut request = house.request(1);
    request.coupon = Some(code.parse()?);
    request.personal.contact.email = Email::parse(email)?;
    request.confirmed_total = Money::new(PRICE - TENTH + DELIVERY, Currency::EUR);
    Ok(request)
}

/// How often the coupon counts as used: by its own counter, and by the orders that used it.
async fn used(house: &House, coupon: CouponId) -> anyhow::Result<(i64, i64)> {
    let row = house
        .shop
        .shop
        .db
        .first(
            "SELECT used, (SELECT COUNT(*) FROM coupon_redemptions r WHERE r.coupon_id = c.id AND r.state = 'counted') AS orders FROM coupons c WHERE c.id = $1",
            params![coupon],
        )
        .await?
        .context("a coupon")?;
    Ok((row.int("used")?, row.int("orders")?))
}

fn refusal(outcome: &Result<Placed, PlaceOrderError>) -> Option<Refusal> {
    if let Err(PlaceOrderError::Coupon(refusal)) = outcome { Some(refusal.clone()) } else { None }
}

const CAPPED: fn(u32) -> Caps = |total| Caps { total: Some(total), ..Caps::default() };
const ONCE_EACH: Caps = Caps { total: None, per_code: None, per_customer: Some(1) };

#[tokio::test]
async fn a_code_lowers_the_total_and_is_frozen_into_the_order() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let coupon = add(&house, "TENTH", CAPPED(5)).await?;
    let placed = house.orders.place(request(&house, "ada@example.com", " tenth ")?).await?;
    let view = house.look(&placed.secret).await?;
    let quote = &view.body.quote;
    assert_eq!(view.total.minor, PRICE - TENTH + DELIVERY);
    let frozen = &quote.discounts[0];
    assert_eq!(
        (frozen.code.as_str(), frozen.title.as_str(), frozen.amount.minor, frozen.coupon()),
        ("tenth", "Ein Zehntel weniger", TENTH, Some(coupon))
    );
    assert_eq!(quote.lines[0].discount.map(|share| share.minor), Some(TENTH));
    assert_eq!(view.body.paid.iter().map(|share| share.minor).collect::<Vec<_>>(), [PRICE - TENTH, DELIVERY], "what a return is worth");
    house.type_card(placed.redirect_url.as_deref().context("a page")?, PAYS).await?;
    house.until(&placed, "paid").await?;
    assert_eq!(used(&house, coupon).await?, (1, 1));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_code_that_gives_nothing_stores_nothing() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    add(&house, "TENTH", CAPPED(1)).await?;
    let outcome = house.orders.place(request(&house, "ada@example.com", "ELEVENTH")?).await;
    assert_eq!(refusal(&outcome), Some(Refusal::Unknown));
    let mut dearer = request(&house, "ada@example.com", "TENTH")?;
    dearer.confirmed_total = house.request(1).confirmed_total;
    assert!(matches!(house.orders.place(dearer).await, Err(PlaceOrderError::PriceChanged(quote)) if quote.total.minor == PRICE - TENTH + DELIVERY));
    for (what, sql) in [
        ("orders", "SELECT COUNT(*) AS n FROM orders"),
        ("holds", "SELECT COUNT(*) AS n FROM holds"),
        ("redemptions", "SELECT COUNT(*) AS n FROM coupon_redemptions"),
        ("uses", "SELECT CAST(COALESCE(SUM(used), 0) AS BIGINT) AS n FROM coupons"),
    ] {
        assert_eq!(house.count(sql).await?, 0, "{what}");
    }
    house.shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_buyers_use_a_code_capped_at_ten_ten_times() -> anyhow::Result<()> {
    let house = house::open(200, 0).await?;
    let coupon = add(&house, "TENTH", CAPPED(10)).await?;
    let buyers =
        (0..100).map(|n| Ok(house.orders.place(request(&house, &format!("buyer{n}@example.com"), "TENTH")?))).collect::<anyhow::Result<Vec<_>>>()?;
    let outcomes = join_all(buyers).await;
    let placed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let refused = outcomes.iter().filter(|outcome| refusal(outcome) == Some(Refusal::UsedUp)).count();
    let strange: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_err() && refusal(outcome) != Some(Refusal::UsedUp)).collect();
    assert_eq!((placed, refused), (10, 90), "{strange:?}");
    assert_eq!(used(&house, coupon).await?, (10, 10));
    assert_eq!(house.stock().await?, (190, 10));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customer_who_orders_many_times_at_once_uses_a_code_once() -> anyhow::Result<()> {
    let house = house::open(50, 0).await?;
    let coupon = add(&house, "TENTH", ONCE_EACH).await?;
    // One mailbox, however it is written; each from a cart of its own.
    let spellings = ["ada@example.com", "Ada@Example.com", "ADA@EXAMPLE.COM", "ada+shop@example.com", "ada+2@example.com", "ada@example.com"];
    let orders = spellings.iter().map(|email| Ok(house.orders.place(request(&house, email, "TENTH")?))).collect::<anyhow::Result<Vec<_>>>()?;
    let outcomes = join_all(orders).await;
    let strange: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_err() && refusal(outcome) != Some(Refusal::UsedByCustomer)).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{strange:?}");
    assert!(strange.is_empty(), "{strange:?}");
    assert_eq!(used(&house, coupon).await?.1, 1);
    // Others are not in the way, and nobody's address is stored with the use.
    house.orders.place(request(&house, "grace@example.com", "TENTH")?).await?;
    let rows = house.shop.shop.db.all("SELECT customer FROM coupon_redemptions", params![]).await?;
    assert!(rows.len() == 2 && rows.iter().all(|row| row.text("customer").is_ok_and(|customer| !customer.contains("example"))));
    house.shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unique_code_works_once_whoever_is_faster() -> anyhow::Result<()> {
    let house = house::open(50, 0).await?;
    add(&house, "UNIQUE1", Caps { per_code: Some(1), ..Caps::default() }).await?;
    let orders =
        (0..8).map(|n| Ok(house.orders.place(request(&house, &format!("buyer{n}@example.com"), "UNIQUE1")?))).collect::<anyhow::Result<Vec<_>>>()?;
    let outcomes = join_all(orders).await;
    let count = |wanted: fn(&Result<Placed, PlaceOrderError>) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    assert_eq!((count(Result::is_ok), count(|outcome| refusal(outcome) == Some(Refusal::UsedUp))), (1, 7), "{outcomes:?}");
    house.shop.stop().await
}

#[tokio::test]
async fn a_lapsed_order_gives_its_use_back_and_counts_again_when_it_is_paid_after_all() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let coupon = add(&house, "TENTH", Caps { total: Some(1), per_code: Some(1), per_customer: Some(1) }).await?;
    let late = house.orders.place(request(&house, "ada@example.com", "TENTH")?).await?;
    let early = house.orders.place(request(&house, "grace@example.com", "TENTH")?).await;
    assert_eq!(refusal(&early), Some(Refusal::UsedUp), "it is in use while the pieces are held");
    house.shop.clock.advance(HALF_AN_HOUR);
    house.tend_until(&late, "lapsed").await?;
    assert_eq!(used(&house, coupon).await?, (0, 0));
    let quick = house.orders.place(request(&house, "grace@example.com", "TENTH")?).await?;
    house.type_card(quick.redirect_url.as_deref().context("a page")?, PAYS).await?;
    house.until(&quick, "paid").await?;
    // What was confirmed is honoured, and counted: the cap is passed by one, and nobody else gets in.
    let page = house.orders.pay_again(&late.secret).await?;
    house.type_card(&page, PAYS).await?;
    house.until(&late, "paid").await?;
    assert_eq!(house.look(&late.secret).await?.total.minor, PRICE - TENTH + DELIVERY);
    assert_eq!(used(&house, coupon).await?, (2, 2));
    let third = house.orders.place(request(&house, "kay@example.com", "TENTH")?).await;
    assert_eq!(refusal(&third), Some(Refusal::UsedUp));
    let customers = house.count("SELECT CAST(SUM(used) AS BIGINT) AS n FROM coupon_customers").await?;
    assert_eq!((customers, house.count("SELECT used AS n FROM coupon_codes WHERE key = 'TENTH'").await?), (2, 2));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn late_money_that_goes_back_leaves_the_use_given_back() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let coupon = add(&house, "TENTH", CAPPED(5)).await?;
    let late = house.orders.place(request(&house, "ada@example.com", "TENTH")?).await?;
    let payment = house.payment(&late).await?;
    house.shop.clock.advance(HALF_AN_HOUR);
    house.tend_until(&late, "lapsed").await?;
    house.place(1).await?;
    house.late_money(payment).await?;
    house.tend_until(&late, "refunded").await?;
    assert_eq!(used(&house, coupon).await?, (0, 0));
    house.shop.stop().await
}

#[tokio::test]
async fn late_money_that_is_kept_counts_the_use_again() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let coupon = add(&house, "TENTH", CAPPED(5)).await?;
    let late = house.orders.place(request(&house, "ada@example.com", "TENTH")?).await?;
    let payment = house.payment(&late).await?;
    house.shop.clock.advance(HALF_AN_HOUR);
    house.tend_until(&late, "lapsed").await?;
    assert_eq!(used(&house, coupon).await?, (0, 0));
    house.late_money(payment).await?;
    house.until(&late, "paid").await?;
    assert_eq!(used(&house, coupon).await?, (1, 1));
    house.shop.stop().await
}

#[tokio::test]
async fn ordering_anew_takes_the_use_along() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let coupon = add(&house, "TENTH", Caps { total: Some(1), per_code: None, per_customer: Some(1) }).await?;
    let first = request(&house, "ada@example.com", "TENTH")?;
    let placed = house.orders.place(first.clone()).await?;
    let mut corrected = OrderRequest { key: "another form".to_owned(), ..first.clone() };
    corrected.personal.delivery.line1 = "Torstraße 1".to_owned();
    let again = house.orders.place(corrected).await?;
    assert_ne!(placed.number, again.number);
    assert_eq!(house.stored_status(&placed).await?, "withdrawn");
    assert_eq!(used(&house, coupon).await?, (1, 1));
    // The same without the code is another order: the use comes back.
    let plain = OrderRequest { key: "a third form".to_owned(), coupon: None, confirmed_total: house.request(1).confirmed_total, ..first.clone() };
    house.orders.place(plain).await?;
    assert_eq!(used(&house, coupon).await?, (0, 0));
    // To its own cart the use was free all the while; to another one of the same customer it was not.
    let held = house.orders.place(OrderRequest { key: "a fourth form".to_owned(), ..first.clone() }).await?;
    let customer = coupons::Customer::new(&house.shop.shop.keys, &first.personal.contact.email);
    let code = "TENTH".parse()?;
    let seen = async |cart: CartId| -> anyhow::Result<_> {
        let found = coupons::find(&house.shop.shop.db, &code, cart, Some(&customer)).await?.context("a coupon")?;
        Ok((found.usage.total, found.usage.by_customer))
    };
    assert_eq!((seen(first.cart).await?, seen(CartId(house.shop.shop.clock.id())).await?), ((0, 0), (1, 1)));
    house.type_card(held.redirect_url.as_deref().context("a page")?, PAYS).await?;
    house.until(&held, "paid").await?;
    assert_eq!(seen(first.cart).await?, (1, 1), "paid is used, whichever cart it was");
    house.shop.stop().await
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_paid_at_once() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    let coupon = add_with(&house, "GIFT", Effect::Percent { millionths: 1_000_000 }, CAPPED(1)).await?;
    let free = serde_json::to_string(&serde_json::json!({
        "code": "standard", "names": {}, "price": { "minor": 0, "currency": "EUR" }, "days_min": 1, "days_max": 2,
        "cut_off": { "hour": 14, "minute": 0, "zone": "Europe/Berlin" }, "ships_from": "rotterdam",
    }))?;
    house.shop.shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute("UPDATE delivery_methods SET body = $1", params![&free]))).await?;
    let mut request = request(&house, "ada@example.com", "GIFT")?;
    request.confirmed_total = Money::zero(Currency::EUR);
    let placed = house.orders.place(request.clone()).await?;
    assert_eq!((placed.redirect_url.as_deref(), house.stored_status(&placed).await?.as_str()), (None, "paid"));
    assert_eq!(house.orders.place(request).await?, placed, "the same form again gets the same answer");
    assert_eq!((house.stock().await?, used(&house, coupon).await?), ((4, 0), (1, 1)));
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM outbox WHERE payload LIKE '%PaymentCaptured%'").await?, 1);
    house.orders.tend().await?;
    house.check_books().await?;
    house.shop.stop().await
}
