//! Guests buy in every market: with cookies of their own, without script, and with a card that is declined first.

use crate::till::house::{self, DECLINES, PAYS, add, add_fields, checkout_fields, paid, place, post, type_card, words};
use anyhow::Context as _;
use app::i18n::{money, till};
use domain::locale::Locale;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_buys_in_each_of_the_eight_locales() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let thing = &things[0];
    let free = house.free(thing).await?;
    for locale in Locale::OFFERED {
        let visitor = house.shop.visitor();
        let messages = till(locale);
        add(&visitor, locale, thing).await.with_context(|| locale.to_string())?;
        let cart = visitor.get(&format!("/{locale}/cart")).await?;
        assert!(words(&cart.body).contains(messages.cart_heading) && cart.body.contains(messages.check_out), "{locale}: {}", words(&cart.body));
        assert_eq!((cart.header("cache-control"), cart.body.contains("noindex")), ("no-store", true), "{locale}");
        let payment = place(&visitor, locale).await.with_context(|| locale.to_string())?;
        let order = type_card(&visitor, &payment, PAYS).await?;
        let page = paid(&visitor, &order, messages.status_paid).await.with_context(|| locale.to_string())?;
        assert!(words(&page.body).contains("NG-"), "{locale}");
        assert_eq!((page.header("cache-control"), page.body.contains("noindex")), ("no-store", true), "{locale}");
        let cart = visitor.get(&format!("/{locale}/cart")).await?;
        assert!(words(&cart.body).contains(messages.empty_title), "{locale}: a paid cart is empty, but says {}", words(&cart.body));
    }
    assert_eq!(house.free(thing).await?, free - 8);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_decline_the_cart_is_whole_and_paying_again_works() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "en-us".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let payment = place(&visitor, locale).await?;
    let order = type_card(&visitor, &payment, DECLINES).await?;
    paid(&visitor, &order, "Payment declined").await?;
    let cart = visitor.get("/en-us/cart").await?;
    assert!(cart.body.contains(&things[0].title), "after a decline the cart is whole");
    // The same cart again leads to the same order, not to a second one.
    let again = place(&visitor, locale).await?;
    assert!(again.contains("/orders/") || again.contains("/pay/"), "{again}");
    assert_eq!(house.orders().await?, 1);
    let payment = visitor.post(&format!("{order}/pay"), &[]).await?.location().context("a way to pay again")?;
    let order = type_card(&visitor, &payment, PAYS).await?;
    paid(&visitor, &order, "Paid").await?;
    // Paying a third time leads to the page that says so.
    let third = visitor.post(&format!("{order}/pay"), &[]).await?;
    assert_eq!(third.location(), Some(order));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tax_that_only_the_address_tells_is_shown_before_the_order() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "fr-ca".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let page = visitor.get("/fr-ca/checkout").await?;
    assert!(words(&page.body).contains(till(locale).tax_from_address));
    let seen = post(&visitor, "/fr-ca/checkout", &checkout_fields(&page, locale)?).await?;
    assert_eq!((seen.status, seen.location().as_deref()), (303, Some("/fr-ca/checkout?said=total")));
    // As often as it is loaded: Back and Reload send no form again.
    visitor.get("/fr-ca/checkout?said=total").await?;
    let page = visitor.get("/fr-ca/checkout?said=total").await?;
    let text = words(&page.body);
    assert!(page.status == 200 && text.contains("TPS, Québec 5 %") && text.contains("TVQ, Québec 9,975 %"), "{text}");
    assert_eq!(house.orders().await?, 0, "nothing is ordered before the total was shown");
    let total: i64 = page.field("seen_total").context("a total")?.parse()?;
    let total = money(domain::money::Money::new(total, domain::money::Currency::CAD), locale);
    assert!(text.contains(&format!("Commander avec obligation de paiement : {total}").replace('\u{a0}', " ")), "{text}");
    assert!(page.body.contains("value=\"1 rue Crémazie\""), "what was typed stays");
    let placed = post(&visitor, "/fr-ca/checkout", &checkout_fields(&page, locale)?).await?;
    assert_eq!((placed.status, house.orders().await?), (303, 1));
    // Back from the payment page: the form as it was. Paid, it is forgotten; another visitor never sees it.
    let back = visitor.get("/fr-ca/checkout?said=total").await?;
    assert!(back.status == 200 && back.body.contains("value=\"1 rue Crémazie\"") && words(&back.body).contains("TVQ, Québec 9,975 %"));
    let other = house.shop.visitor();
    add(&other, locale, &things[0]).await?;
    assert!(!other.get("/fr-ca/checkout").await?.body.contains("Crémazie"));
    let order = type_card(&visitor, &placed.location().context("a payment page")?, PAYS).await?;
    paid(&visitor, &order, "Payée").await?;
    add(&visitor, locale, &things[1]).await?;
    assert!(!visitor.get("/fr-ca/checkout").await?.body.contains("Crémazie"), "a paid cart has no draft");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_survives_a_change_of_market() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let visitor = house.shop.visitor();
    for thing in &things[..2] {
        add(&visitor, "en-us".parse()?, thing).await?;
    }
    house.withdraw_from_germany(&things[1]).await?;
    let cart = visitor.get("/de-de/cart").await?;
    let text = words(&cart.body);
    assert!(text.contains('€') && !text.contains('$'), "{text}");
    assert!(text.contains("In diesem Land nicht erhältlich (Deutschland)"), "{text}");
    let back = words(&visitor.get("/en-us/cart").await?.body);
    assert!(back.contains('$') && !back.contains("Not sold in this country"), "{back}");
    // What is not sold there is left out of the order and stays in the cart.
    let payment = place(&visitor, "de-de".parse()?).await?;
    let order = type_card(&visitor, &payment, PAYS).await?;
    paid(&visitor, &order, "Bezahlt").await?;
    let left = words(&visitor.get("/en-us/cart").await?.body);
    assert!(left.contains(&things[1].title) && !left.contains(&things[0].title), "{left}");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_may_go_elsewhere_and_quantities_may_change() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "en-gb".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let line = format!("/en-gb/cart/lines/{}", things[0].variant);
    let updated = visitor.post(&line, &[("quantity", "3")]).await?;
    assert_eq!(updated.status, 303);
    let cart = words(&visitor.open(&updated.location().context("the cart")?).await?.body);
    assert!(cart.contains("Quantity changed") && cart.contains("each"), "{cart}");
    let page = visitor.get("/en-gb/checkout").await?;
    let mut fields = checkout_fields(&page, locale)?;
    fields[0].1 = "billing-other".to_owned();
    let page = post(&visitor, "/en-gb/checkout", &fields).await?;
    assert_eq!(page.location().as_deref(), Some("/en-gb/checkout#billing"));
    let page = visitor.get("/en-gb/checkout").await?;
    assert!(page.body.contains("name=\"billing_line1\"") && page.body.contains("value=\"12 St James"), "{}", words(&page.body));
    let mut fields = checkout_fields(&page, locale)?;
    fields.extend([("billing", "other"), ("billing_country", "DE")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    let wrong = post(&visitor, "/en-gb/checkout", &fields).await?;
    assert!(wrong.status == 422 && wrong.body.contains("id=\"billing_postcode-error\""), "{}", words(&wrong.body));
    let mut fields = checkout_fields(&wrong, locale)?;
    let bill = [("", "other"), ("_country", "DE"), ("_name", "ACME GmbH"), ("_line1", "Ackerstraße 12"), ("_postcode", "10115"), ("_city", "Berlin")];
    fields.extend(bill.map(|(name, value)| (format!("billing{name}"), value.to_owned())));
    let placed = post(&visitor, "/en-gb/checkout", &fields).await?;
    let order = type_card(&visitor, &placed.location().with_context(|| words(&placed.body))?, PAYS).await?;
    let text = words(&visitor.get(&order).await?.body);
    assert!(text.contains("ACME GmbH") && text.contains("10115 Berlin") && text.contains("SW1Y 4JH"), "{text}");
    let removed = visitor.post(&line, &[("quantity", "0")]).await?;
    assert_eq!(removed.status, 303);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_island_gets_a_badge_and_a_sentence() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let visitor = house.shop.visitor();
    let send = || {
        let request = visitor.client.post(format!("{}/en-us/cart/lines", visitor.url)).header("x-fragment", "1");
        crate::support::Answer::read(request.form(&add_fields(&things[0], "2")))
    };
    let answer = send().await?;
    assert_eq!(answer.status, 200);
    assert!(answer.body.starts_with("<b>2<") && answer.body.contains("role=\"status\">Added to cart: "), "{}", answer.body);
    let home = visitor.get("/en-us/cart").await?;
    assert!(home.body.contains("<b>2<"), "the badge follows");
    house.close().await
}
