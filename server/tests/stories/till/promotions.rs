//! Promotions as shoppers and staff meet them: what is missing for one, what one took off and why another did not apply, from the cart to the
//! operators' page.

use crate::till::house::{self, House, PAYS, Thing, add, add_fields, paid, place, post, type_card, words};
use anyhow::Context as _;
use app::i18n::{promotion as messages, till};
use domain::{
    PromotionId,
    discount::Effect,
    locale::{Locale, TextLanguage},
    money::{Currency, Money},
    promotion::{Audience, Combines, Outcome, Promotion, Refusal, Rule, Scope},
    staff::Role,
};
use server::{
    params,
    promotions::{self, customers},
};
use std::collections::BTreeMap;

/// A promotion on one product, changed before it is stored.
async fn promote(house: &House, title: &str, effect: Effect, thing: &Thing, change: impl FnOnce(&mut Promotion)) -> anyhow::Result<PromotionId> {
    let (db, now) = (&house.shop.shop.db, house.shop.shop.clock.now());
    let rule = Rule {
        titles: BTreeMap::from([(TextLanguage::EnUs, title.to_owned()), (TextLanguage::De, format!("{title} auf Deutsch"))]),
        effect,
        markets: vec![],
        valid_from: now - 1,
        valid_until: None,
        minimum: None,
        scope: Scope { products: vec![thing.product], ..Scope::default() },
        audience: domain::promotion::Audience::Everyone,
        includes_reduced: true,
        combines: Combines::WithAll,
        priority: 0,
    };
    let mut promotion = Promotion { id: PromotionId(house.shop.shop.clock.id()), rule, hidden: false };
    change(&mut promotion);
    db.transact::<_, anyhow::Error>(|tx| {
        let promotion = promotion.clone();
        Box::pin(async move { promotions::put(tx, &promotion, now).await })
    })
    .await?;
    Ok(promotion.id)
}

const THREE_FOR_TWO: Effect = Effect::BuyGet { buy: 2, get: 1, millionths: 1_000_000 };

fn locale(text: &str) -> anyhow::Result<Locale> {
    Locale::OFFERED.into_iter().find(|locale| locale.to_string() == text).context("a locale")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_for_two_is_told_from_the_cart_to_the_operators_page() -> anyhow::Result<()> {
    let house = house::open().await?;
    let thing = house.things().await?.swap_remove(0);
    promote(&house, "Three for two", THREE_FOR_TWO, &thing, |_| {}).await?;
    promote(&house, "A tenth alone", Effect::Percent { millionths: 100_000 }, &thing, |it| it.rule.combines = Combines::Never).await?;
    promote(&house, "For a fortune", Effect::Percent { millionths: 100_000 }, &thing, |it| {
        it.rule.minimum = Some(Money::new(10_000_000, Currency::USD));
        it.hidden = true;
    })
    .await?;
    let to_come = |it: &mut Promotion| it.rule.valid_from += 3_600_000_000;
    promote(&house, "From tomorrow on", Effect::Percent { millionths: 500_000 }, &thing, to_come).await?;
    let (visitor, us) = (house.shop.visitor(), locale("en-us")?);

    // Two pieces: a tenth applies, and one more piece would do better.
    assert_eq!(post(&visitor, "/en-us/cart/lines", &add_fields(&thing, "2")).await?.status, 303);
    let text = words(&visitor.get("/en-us/cart").await?.body);
    assert!(text.contains("1 more item for: Three for two") && text.contains("A tenth alone"), "{text}");

    // Three: the better one applies, and says why the other one does not.
    add(&visitor, us, &thing).await?;
    let checkout = words(&visitor.get("/en-us/checkout").await?.body);
    let cart = words(&visitor.get("/en-us/cart").await?.body);
    for text in [&cart, &checkout] {
        assert!(text.contains("Three for two") && text.contains("Free in each group of 3: 1, the cheapest first (1 × here)."), "{text}");
        let beaten = messages(us).beaten.replace("{title}", "Three for two");
        assert!(text.contains(messages(us).not_applied) && text.contains(&beaten), "{text}");
        assert!(!text.contains("For a fortune") && !text.contains("From tomorrow on"), "hidden, and not begun: {text}");
    }
    assert!(!cart.contains("1 more item for: Three for two"), "{cart}");

    let payment = place(&visitor, us).await?;
    let order = type_card(&visitor, &payment, PAYS).await?;
    let page = words(&paid(&visitor, &order, till(us).status_paid).await?.body);
    assert!(page.contains("Three for two"), "{page}");
    let kept = house.latest().await?;
    let quote = &kept.body.quote;
    let unit = quote.lines[0].unit;
    let applied: Vec<_> = quote.discounts.iter().map(|granted| (granted.title.as_str(), granted.amount, granted.coupon())).collect();
    assert_eq!(applied, [("Three for two", unit, None)]);
    let reasons: Vec<_> = quote.trace.iter().filter(|it| !it.title.contains("Clothing") && !it.title.contains("Power")).collect();
    assert!(matches!(reasons[0].outcome, Outcome::Applied { amount, .. } if amount == unit), "{reasons:?}");
    let left: BTreeMap<_, _> = reasons[1..].iter().map(|it| (it.title.as_str(), it.refusal())).collect();
    assert_eq!(left["A tenth alone"], Some(&Refusal::Beaten { by: "Three for two".to_owned() }));
    assert!(matches!(left["For a fortune"], Some(Refusal::BelowMinimum { .. })) && matches!(left["From tomorrow on"], Some(Refusal::NotYet { .. })));

    // Staff read all of it.
    let staff = house.shop.signed_in(Role::Support).await?;
    let ops = words(&staff.get(&format!("/ops/orders/{}", kept.number)).await?.body);
    for told in ["Three for two", "A tenth alone", "For a fortune (hidden)", "From tomorrow on", "in the order in which they applied"] {
        assert!(ops.contains(told), "{told}: {ops}");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_that_ended_meanwhile_is_not_charged_unseen() -> anyhow::Result<()> {
    let house = house::open().await?;
    let thing = house.things().await?.swap_remove(0);
    let id = promote(&house, "Half off", Effect::Percent { millionths: 500_000 }, &thing, |_| {}).await?;
    let (visitor, de) = (house.shop.visitor(), locale("de-de")?);
    add(&visitor, de, &thing).await?;
    let cart = words(&visitor.get("/de-de/cart").await?.body);
    assert!(cart.contains("Half off auf Deutsch"), "{cart}");
    let fields = house::checkout_fields(&visitor.get("/de-de/checkout").await?, de)?;
    // As `nextgen promotion end` does it: a version that has ended.
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let now = house.shop.shop.clock.now();
            Box::pin(async move {
                let row = tx.first("SELECT body FROM promotions WHERE id = $1", params![id]).await?.context("a promotion")?;
                let mut promotion: Promotion = serde_json::from_str(&row.text("body")?)?;
                promotion.rule.valid_until = Some(now);
                promotions::put(tx, &promotion, now).await
            })
        })
        .await?;
    let answer = post(&visitor, "/de-de/checkout", &fields).await?;
    let text = words(&answer.body);
    assert_eq!(answer.status, 409, "{text}");
    let (said, _) = till(de).err_total.split_once("{amount}").context("a sentence with an amount")?;
    assert!(text.contains(said) && !text.contains("Half off auf Deutsch -"), "{text}");
    assert_eq!(house.orders().await?, 0);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_for_some_customers_is_theirs_alone() -> anyhow::Result<()> {
    let house = house::open().await?;
    let thing = house.things().await?.swap_remove(0);
    let here = locale("en-us")?;
    let half = Effect::Percent { millionths: 500_000 };
    promote(&house, "First order", half.clone(), &thing, |it| it.rule.audience = Audience::FirstOrder).await?;
    promote(&house, "Welcome back", Effect::Percent { millionths: 100_000 }, &thing, |it| it.rule.audience = Audience::Returning).await?;
    promote(&house, "For the few", Effect::Percent { millionths: 200_000 }, &thing, |it| it.rule.audience = Audience::Segment("few".to_owned()))
        .await?;
    let applied = |order: &domain::order::Order, quote: &domain::pricing::Quote| {
        assert_eq!(order.total, quote.total);
        let titles = quote.trace.iter().filter(|it| matches!(it.outcome, Outcome::Applied { .. }) && it.code.is_empty()).map(|it| it.title.clone());
        titles.collect::<Vec<_>>()
    };
    let buys = async || {
        let visitor = house.shop.visitor();
        add(&visitor, here, &thing).await?;
        let cart = words(&visitor.get("/en-us/cart").await?.body);
        assert!(cart.contains("It is for a first order. We know by the email address at the checkout."), "{cart}");
        assert!(cart.contains("Welcome back") && !cart.contains("For the few"), "a segment is no news for others: {cart}");
        let page = place(&visitor, here).await?;
        let order = type_card(&visitor, &page, PAYS).await?;
        let page = words(&paid(&visitor, &order, messages(here).not_applied).await?.body);
        let known = house.latest().await?;
        anyhow::Ok((applied(&known.ledgers, &known.body.quote), page))
    };

    let (titles, page) = buys().await?;
    assert_eq!(titles, ["First order"]);
    assert!(page.contains("It is for customers who have ordered here before.") && !page.contains("We know by"), "{page}");
    let (titles, page) = buys().await?;
    assert_eq!(titles, ["Welcome back"]);
    assert!(page.contains("It is for a first order."), "{page}");

    // Staff put the customer into a segment, and take them out.
    let (shop, emails) = (&house.shop.shop, "ada@example.com\nADA@example.com \n\nbob@example.com\n");
    let change = async |emails: &str, is_added| customers::change(&shop.db, &shop.keys, &shop.clock, "few", emails, is_added).await;
    assert!(change("ada@example.com\nnobody\n", true).await.is_err_and(|error| error.to_string().starts_with("line 2 is no email address")));
    assert_eq!(change(emails, true).await?, "2 customers added to few; 0 there already.");
    assert_eq!(change(emails, true).await?, "0 customers added to few; 2 there already.");
    let (titles, _) = buys().await?;
    assert_eq!(titles, ["Welcome back", "For the few"]);
    assert_eq!(change("ada@example.com", false).await?, "1 customer taken out of few; 0 not in it.");
    assert_eq!(buys().await?.0, ["Welcome back"]);
    house.close().await
}
