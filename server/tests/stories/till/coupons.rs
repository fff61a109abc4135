//! Discount codes as a shopper meets them: one that works in every locale, and each that does not, with its sentence and nothing lost.

use crate::{
    support::{self, Answer, Visitor},
    till::house::{self, House, PAYS, Thing, add, add_fields, checkout_fields, paid, place, post, type_card, words},
};
use anyhow::Context as _;
use app::i18n::{coupon as coupon_messages, money, till};
use domain::{
    CouponId, ProductId,
    coupon::{Caps, Code, Coupon},
    discount::Effect,
    locale::{Locale, TextLanguage},
    money::{Currency, Money},
    promotion::{Combines, Rule, Scope},
};
use server::{Shop, coupons, params};
use std::{collections::BTreeMap, time::Duration};

/// A coupon with one code, changed before it is stored.
pub async fn offer(shop: &Shop, code: &str, change: impl FnOnce(&mut Coupon)) -> anyhow::Result<()> {
    let clock = &shop.clock;
    let mut coupon = Coupon {
        id: CouponId(clock.id()),
        rule: Rule {
            titles: BTreeMap::from([(TextLanguage::EnUs, format!("Title of {code}"))]),
            effect: Effect::Percent { millionths: 100_000 },
            markets: vec![],
            valid_from: clock.now() - 1,
            valid_until: None,
            minimum: None,
            audience: domain::promotion::Audience::Everyone,
            includes_reduced: true,
            scope: Scope::default(),
            combines: Combines::WithAll,
            priority: 0,
        },
        caps: Caps::default(),
    };
    change(&mut coupon);
    coupon.check()?;
    let code: Code = code.parse()?;
    shop.db
        .transact::<_, anyhow::Error>(|tx| {
            let (coupon, code, clock) = (coupon.clone(), code.clone(), clock.clone());
            Box::pin(async move {
                coupons::add(tx, &coupon, &clock).await?;
                assert!(coupons::add_code(tx, coupon.id, &code).await?);
                Ok(())
            })
        })
        .await
}

/// Types a code into the cart's field.
async fn apply(visitor: &Visitor, locale: Locale, code: &str) -> anyhow::Result<Answer> {
    visitor.post(&format!("/{locale}/cart/coupon"), &[("code", code)]).await
}

/// A thing that is not reduced anywhere.
async fn full_price(house: &House) -> anyhow::Result<Thing> {
    for thing in house.things().await? {
        let live = house.shop.shop.storefront.live(&[thing.product]).await?;
        let here = |locale: &Locale| live.first().and_then(|live| live.variant(locale.country, thing.variant));
        let now = house.shop.clock.now();
        if Locale::OFFERED
            .iter()
            .all(|locale| here(locale).and_then(|here| domain::offer::offer(&here.windows, now)).is_some_and(|offer| offer.was.is_none()))
        {
            return Ok(thing);
        }
    }
    anyhow::bail!("the demo has things at their full price")
}

fn us() -> Locale {
    "en-us".parse().expect("a locale")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demos_code_works_in_each_of_the_eight_locales() -> anyhow::Result<()> {
    let house = house::open().await?;
    let thing = full_price(&house).await?;
    for (n, locale) in Locale::OFFERED.into_iter().enumerate() {
        let visitor = house.shop.visitor();
        let messages = coupon_messages(locale);
        add(&visitor, locale, &thing).await?;
        let cart = visitor.get(&format!("/{locale}/cart")).await?;
        assert!(words(&cart.body).contains(messages.field), "{locale}: {}", words(&cart.body));
        // However it is typed.
        let answer = apply(&visitor, locale, " welc0me-1O ").await?;
        assert_eq!(answer.status, 303, "{locale}: {}", words(&answer.body));
        let cart = visitor.open(&answer.location().context("the cart")?).await?;
        let text = words(&cart.body);
        let title = if locale.text_language() == TextLanguage::De { "10 % auf die erste Bestellung" } else { "10" };
        assert!(text.contains(title) && text.contains("welc0me-1O"), "{locale}: {text}");
        let fields = checkout_fields(&visitor.get(&format!("/{locale}/checkout")).await?, locale)?;
        let fields: Vec<_> =
            fields.into_iter().map(|(name, value)| if name == "email" { (name, format!("guest{n}@example.com")) } else { (name, value) }).collect();
        // Where tax waits for the address, the first form shows the total.
        let mut answer = post(&visitor, &format!("/{locale}/checkout"), &fields).await?;
        if let Some(seen) = answer.location().filter(|location| location.ends_with("/checkout?said=total")) {
            answer = visitor.get(&seen).await?;
            let text = words(&answer.body);
            assert!(text.contains("welc0me-1O"), "{locale}: {text}");
            let mut second = fields.clone();
            for (name, value) in &mut second {
                if let Some(fresh) = answer.field(name).filter(|_| matches!(name.as_str(), "mutation" | "seen_total" | "cart_version")) {
                    fresh.clone_into(value);
                }
            }
            answer = post(&visitor, &format!("/{locale}/checkout"), &second).await?;
        }
        let payment = answer.location().with_context(|| format!("{locale}: {}", words(&answer.body)))?;
        let order = type_card(&visitor, &payment, PAYS).await?;
        let page = paid(&visitor, &order, till(locale).status_paid).await?;
        let text = words(&page.body);
        assert!(text.contains("welc0me-1O") && !page.body.contains("/cart/coupon"), "{locale}: {text}");
        // The next cart begins without it.
        add(&visitor, locale, &thing).await?;
        let cart = visitor.get(&format!("/{locale}/cart")).await?;
        assert!(!cart.body.contains("welc0me-1O"), "{locale}: {}", words(&cart.body));
    }
    let taken = house.shop.shop.db.all("SELECT body, total_minor FROM orders", params![]).await?;
    assert_eq!(taken.len(), 8);
    for row in taken {
        let body: server::orders::OrderBody = serde_json::from_str(&row.text("body")?)?;
        let goods = body.quote.goods.minor;
        assert_eq!(body.quote.discounts[0].amount.minor, (goods + 5) / 10, "a tenth in {}", body.quote.total.currency);
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_code_that_does_not_work_says_why_and_loses_nothing() -> anyhow::Result<()> {
    let house = house::open().await?;
    let shop = &house.shop.shop;
    let thing = full_price(&house).await?;
    let hour = Duration::from_hours(1).as_micros().try_into().unwrap_or(0);
    let now = shop.clock.now();
    offer(shop, "GOOD", |_| {}).await?;
    offer(shop, "TOMORROW", |coupon| coupon.rule.valid_from = now + 24 * hour).await?;
    offer(shop, "YESTERDAY", |coupon| (coupon.rule.valid_from, coupon.rule.valid_until) = (now - 2 * hour, Some(now - hour))).await?;
    offer(shop, "GERMAN", |coupon| coupon.rule.markets = vec!["DE".parse().expect("a code")]).await?;
    offer(shop, "YEN", |coupon| coupon.rule.effect = Effect::Amount { amount: Money::new(500, Currency::JPY) }).await?;
    offer(shop, "RICH", |coupon| coupon.rule.minimum = Some(Money::new(100_000_000, Currency::USD))).await?;
    offer(shop, "USEDUP", |coupon| coupon.caps.total = Some(1)).await?;
    shop.db
        .transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute("UPDATE coupons SET used = 1 WHERE body LIKE '%Title of USEDUP%'", params![])))
        .await?;
    offer(shop, "FREESHIP", |coupon| coupon.rule.effect = Effect::FreeStandardDelivery).await?;
    let visitor = house.shop.visitor();
    // Ten pieces: delivery is free anyway.
    let added = post(&visitor, "/en-us/cart/lines", &add_fields(&thing, "10")).await?;
    assert_eq!(added.status, 303);
    let good = apply(&visitor, us(), "GOOD").await?;
    assert_eq!(good.status, 303, "{}", words(&good.body));
    let evil = "<script>alert(1)</script>";
    let long = "A".repeat(5_000);
    for (code, sentence) in [
        ("NOPE", "We do not know the code NOPE. Please check how it is spelled."),
        ("割引", "We do not know the code 割引."),
        (evil, "We do not know the code &lt;script&gt;alert(1)&lt;/script&gt;."),
        (&long, "We do not know the code AAAA"),
        ("", "Please type a code first."),
        ("   ", "Please type a code first."),
        ("TOMORROW", "The code TOMORROW is valid from November 24, 2026 on."),
        ("yesterday", "The code yesterday has ended."),
        ("GERMAN", "The code GERMAN is not valid in this country (United States)."),
        ("YEN", "The code YEN is not valid in this country (United States)."),
        ("RICH", "more is needed for the code RICH."),
        ("USED-UP", "The code USED-UP has been used up."),
        ("FREESHIP", "The code FREESHIP does not apply to anything in this order."),
    ] {
        let answer = apply(&visitor, us(), code).await?;
        let text = words(&answer.body);
        assert_eq!(answer.status, 422, "{code}: {text}");
        assert!(text.contains(sentence), "{code}: {text}");
        assert!(!answer.body.contains("<script>alert"), "{code}");
        let typed: String = code.trim().chars().take(64).collect::<String>().replace('<', "&lt;").replace('>', "&gt;");
        assert!(answer.body.contains(&format!("value=\"{typed}\" autocomplete")), "{code} stays as typed");
        assert!(text.contains("Title of GOOD") && text.contains(&thing.title), "{code}: what worked still works: {text}");
    }
    // What is missing is said to the cent.
    let answer = apply(&visitor, us(), "RICH").await?;
    let goods: i64 = shop
        .db
        .first("SELECT amount_minor FROM prices WHERE variant_id = $1 AND price_list = 'us' ORDER BY valid_from DESC LIMIT 1", params![thing.variant])
        .await?
        .context("a price")?
        .int("amount_minor")?;
    let missing = money(Money::new(100_000_000 - 10 * goods, Currency::USD), us());
    assert!(words(&answer.body).contains(&format!("{missing} more is needed")), "{}", words(&answer.body));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_taken_out_again_in_the_cart_and_at_the_checkout() -> anyhow::Result<()> {
    let house = house::open().await?;
    let thing = full_price(&house).await?;
    offer(&house.shop.shop, "GOOD", |_| {}).await?;
    let visitor = house.shop.visitor();
    // Without a cart there is nothing to take a code for.
    assert_eq!(apply(&visitor, us(), "GOOD").await?.location().as_deref(), Some("/en-us/cart"));
    add(&visitor, us(), &thing).await?;
    apply(&visitor, us(), "GOOD").await?;
    let removed = visitor.post("/en-us/cart/coupon", &[("intent", "remove")]).await?;
    let cart = visitor.open(&removed.location().context("the cart")?).await?;
    let text = words(&cart.body);
    assert!(text.contains("The discount code was removed.") && !text.contains("GOOD"), "{text}");
    apply(&visitor, us(), "GOOD").await?;
    let page = visitor.get("/en-us/checkout").await?;
    assert!(page.body.contains("form=\"checkout\"") && words(&page.body).contains("Title of GOOD"), "{}", words(&page.body));
    let mut fields = checkout_fields(&page, us())?;
    fields[0].1 = "coupon-remove".to_owned();
    let removed = post(&visitor, "/en-us/checkout", &fields).await?;
    let page = visitor.get(&removed.location().with_context(|| words(&removed.body))?).await?;
    let text = words(&page.body);
    assert!(page.status == 200 && text.contains("The discount code was removed.") && !text.contains("GOOD"), "{text}");
    assert!(page.body.contains("value=\"12 Valencia Street\"") && page.body.contains("value=\"ada@example.com\""), "what was typed stays");
    place(&visitor, us()).await?;
    assert_eq!(house.orders().await?, 1);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_ends_before_the_order_shows_the_new_total_first() -> anyhow::Result<()> {
    let house = house::open().await?;
    let shop = &house.shop.shop;
    let thing = full_price(&house).await?;
    let locale: Locale = "en-gb".parse()?;
    offer(shop, "GOOD", |_| {}).await?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &thing).await?;
    apply(&visitor, locale, "GOOD").await?;
    let page = visitor.get("/en-gb/checkout").await?;
    let with: i64 = page.field("seen_total").context("a total")?.parse()?;
    let fields = checkout_fields(&page, locale)?;
    let now = shop.clock.now();
    shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute("UPDATE coupons SET ended_at = $1", params![now]))).await?;
    let refused = post(&visitor, "/en-gb/checkout", &fields).await?;
    let text = words(&refused.body);
    let without: i64 = refused.field("seen_total").context("a total")?.parse()?;
    let total = money(Money::new(without, Currency::GBP), locale);
    assert!(refused.status == 409 && text.contains(&format!("The code GOOD has ended. The total is now {total}.")), "{text}");
    assert!(without > with && refused.body.contains("value=\"12 St James"), "{with} {without}");
    assert_eq!(house.orders().await?, 0);
    let placed = post(&visitor, "/en-gb/checkout", &checkout_fields(&refused, locale)?).await?;
    assert!(placed.status == 303 && house.orders().await? == 1, "{}", words(&placed.body));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_order_of_one_customer_is_told_that_the_code_was_used() -> anyhow::Result<()> {
    let house = house::open().await?;
    let thing = full_price(&house).await?;
    let locale: Locale = "de-de".parse()?;
    for expected in [303, 409] {
        let visitor = house.shop.visitor();
        add(&visitor, locale, &thing).await?;
        // The cart does not know who it is, so it takes the code.
        assert_eq!(apply(&visitor, locale, "WELCOME10").await?.status, 303);
        let page = visitor.get("/de-de/checkout").await?;
        let answer = post(&visitor, "/de-de/checkout", &checkout_fields(&page, locale)?).await?;
        let text = words(&answer.body);
        assert_eq!(answer.status, expected, "{text}");
        if expected == 409 {
            assert!(text.contains("Der Code WELCOME10 wurde mit dieser E-Mail-Adresse schon eingelöst."), "{text}");
            let placed = post(&visitor, "/de-de/checkout", &checkout_fields(&answer, locale)?).await?;
            assert_eq!(placed.status, 303, "without the code it goes on: {}", words(&placed.body));
        } else {
            // The cart's own order is no reason against it.
            let cart = visitor.get("/de-de/cart").await?;
            assert!(words(&cart.body).contains("10 % auf die erste Bestellung"), "{}", words(&cart.body));
        }
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_never_reaches_a_public_page() -> anyhow::Result<()> {
    let house = house::open().await?;
    let thing = full_price(&house).await?;
    let visitor = house.shop.visitor();
    add(&visitor, us(), &thing).await?;
    apply(&visitor, us(), "Welcome-1-0").await?;
    let slug = slug_of(&house, thing.product).await?;
    for path in
        ["/en-us".to_owned(), "/en-us/all".to_owned(), format!("/en-us/p/{slug}"), "/en-us/search?q=belt".to_owned(), "/en-us/help/faq".to_owned()]
    {
        let page = visitor.get(&path).await?;
        assert!(page.status == 200 && !page.body.contains("Welcome-1-0") && !page.body.contains("10% off your first order"), "{path}");
    }
    assert!(visitor.get("/en-us/cart").await?.body.contains("Welcome-1-0"));
    house.close().await
}

async fn slug_of(house: &House, product: ProductId) -> anyhow::Result<String> {
    let cards = house.shop.shop.storefront.cards(TextLanguage::EnUs, &[product]).await?;
    Ok(cards.first().context("a card")?.slug.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed_down() -> anyhow::Result<()> {
    let shop = support::start_with(|config| config.rate_limits = true).await?;
    let visitor = shop.visitor();
    let row = shop
        .shop
        .db
        .first("SELECT v.id, v.product_id, p.options, v.option_values FROM variants v JOIN products p ON p.id = v.product_id WHERE p.handle = 'canvas-tote' ORDER BY v.position LIMIT 1", params![])
        .await?
        .context("a tote")?;
    let product = row.text("product_id")?;
    let added = visitor.post("/en-gb/cart/lines", &[("product", &product), ("colour", "navy"), ("quantity", "1")]).await?;
    assert_eq!(added.status, 303, "{}", words(&added.body));
    let locale: Locale = "en-gb".parse()?;
    let mut answers = Vec::new();
    for n in 0..22 {
        answers.push(apply(&visitor, locale, &format!("GUESS{n}")).await?);
    }
    assert!(answers[..20].iter().all(|answer| answer.status == 422));
    let last = &answers[21];
    assert!(last.status == 429 && words(&last.body).contains("That was a lot of codes in a short time."), "{} {}", last.status, words(&last.body));
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds <= 6));
    // Everything else goes on.
    assert_eq!(visitor.get("/en-gb/cart").await?.status, 200);
    shop.stop().await
}
