//! Input that should not be, each with the status and the sentence that it gets. Nothing is lost, nothing is doubled, and nothing is
//! anybody's stack trace.

use crate::{
    support::{Answer, Visitor},
    till::house::{self, House, Thing, add, add_fields, address, checkout_fields, post, words},
};
use anyhow::Context as _;
use domain::locale::Locale;
use reqwest::header;
use std::time::Duration;

const EVIL: &str = "'; DROP TABLE orders;-- <script>alert(1)</script> {{7*7}} \u{202e}\u{e000}badge\u{e001}";
const US: &str = "en-us";

/// What it is, the form, the status and the sentence that it gets.
type Case = (&'static str, Vec<(String, String)>, u16, &'static str);

fn us() -> Locale {
    US.parse().expect("a locale")
}

/// Fields with one replaced, added, or (with `None`) left out.
fn with(fields: &[(String, String)], name: &str, value: Option<&str>) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields.iter().filter(|(known, _)| known != name).cloned().collect();
    fields.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    fields
}

async fn somebody_with(house: &House, thing: &Thing) -> anyhow::Result<Visitor> {
    let visitor = house.shop.visitor();
    add(&visitor, us(), thing).await?;
    Ok(visitor)
}

async fn pieces(visitor: &Visitor) -> anyhow::Result<u32> {
    let cart = visitor.get("/en-us/cart").await?;
    let mut rest = cart.body.as_str();
    let mut sum = 0;
    while let Some((_, tail)) = rest.split_once("id=\"quantity-") {
        let (_, value) = tail.split_once("value=\"").context("a value")?;
        sum += value.split('"').next().context("a value")?.parse::<u32>()?;
        rest = tail;
    }
    Ok(sum)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cart_answers_every_strange_form() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let (thing, sold_out) = (&things[0], &things[1]);
    house.sell_out(sold_out).await?;
    let good = add_fields(thing, "1");
    let option = thing.options.first().context("an option")?.0.clone();
    let with = |name: &str, value: Option<&str>| with(&good, name, value);
    let long = "9".repeat(5_000);
    let table: Vec<Case> = vec![
        ("an unknown product", with("product", Some("00000000-0000-7000-8000-000000000000")), 404, "We do not have this product"),
        ("a SKU for a product", with("product", Some("NG-BELT-90")), 404, "We do not have this product"),
        ("SQL and HTML for a product", with("product", Some(EVIL)), 404, "We do not have this product"),
        ("an empty product", with("product", Some("")), 404, "We do not have this product"),
        ("no product at all", with("product", None), 400, "We could not read this form"),
        ("nothing at all", Vec::new(), 400, "We could not read this form"),
        ("no option", with(&option, None), 422, "Please choose for"),
        ("an option that does not exist", with(&option, Some("plaid")), 422, "Please choose for"),
        ("SQL and HTML for an option", with(&option, Some(EVIL)), 422, "Please choose for"),
        ("a sold-out variant", add_fields(sold_out, "1"), 409, "is sold out. Nothing was added."),
        ("quantity 0", with("quantity", Some("0")), 422, "A quantity is a whole number from 1 to 10"),
        ("quantity -1", with("quantity", Some("-1")), 422, "A quantity is a whole number from 1 to 10"),
        ("quantity 10^9", with("quantity", Some("1000000000")), 422, "A quantity is a whole number from 1 to 10"),
        ("quantity 11", with("quantity", Some("11")), 422, "A quantity is a whole number from 1 to 10"),
        ("quantity 1.5", with("quantity", Some("1.5")), 422, "A quantity is a whole number from 1 to 10"),
        ("quantity 1e3", with("quantity", Some("1e3")), 422, "A quantity is a whole number from 1 to 10"),
        ("quantity abc", with("quantity", Some("abc")), 422, "A quantity is a whole number from 1 to 10"),
        ("a quantity of 5,000 digits", with("quantity", Some(&long)), 422, "A quantity is a whole number from 1 to 10"),
        ("SQL and HTML for a quantity", with("quantity", Some(EVIL)), 422, "A quantity is a whole number from 1 to 10"),
        ("a tampered form id", with("mutation", Some("1")), 400, "We could not read this form"),
        ("SQL and HTML for a form id", with("mutation", Some(EVIL)), 400, "We could not read this form"),
        ("fields of no form", with("price", Some("0.01")), 303, ""),
        ("a full-width quantity", with("quantity", Some("２")), 303, ""),
        ("no quantity", with("quantity", None), 303, ""),
    ];
    let visitor = somebody_with(&house, thing).await?;
    let mut expected = 1;
    for (name, fields, status, sentence) in table {
        let answer = post(&visitor, "/en-us/cart/lines", &fields).await?;
        assert_eq!(answer.status, status, "{name}: {}", words(&answer.body));
        assert!(words(&answer.body).contains(sentence), "{name}: {}", words(&answer.body));
        assert!(!answer.body.contains("<script>alert"), "{name}");
        if status == 303 {
            expected += if name.contains("full-width") { 2 } else { 1 };
        }
        assert_eq!(pieces(&visitor).await?, expected, "{name}: nothing lost, nothing doubled");
    }

    // Lines that are there, and lines that are not.
    let line = format!("/en-us/cart/lines/{}", thing.variant);
    let other = format!("/en-us/cart/lines/{}", sold_out.variant);
    for (name, path, quantity, status, sentence) in [
        ("quantity -1", line.as_str(), "-1", 422, "A quantity is a whole number from 1 to 10"),
        ("quantity 10^9", &line, "1000000000", 422, "A quantity is a whole number from 1 to 10"),
        ("an empty quantity", &line, "", 422, "A quantity is a whole number from 1 to 10"),
        ("SQL and HTML", &line, EVIL, 422, "A quantity is a whole number from 1 to 10"),
        ("a line that is not there", &other, "2", 409, "This was not in the cart any more"),
        ("a line that is nonsense", "/en-us/cart/lines/abc", "2", 404, ""),
        ("a locale that is none", "/xx-yy/cart/lines/abc", "2", 404, ""),
    ] {
        let answer = visitor.post(path, &[("quantity", quantity)]).await?;
        assert_eq!(answer.status, status, "{name}: {}", words(&answer.body));
        assert!(words(&answer.body).contains(sentence), "{name}: {}", words(&answer.body));
        assert_eq!(pieces(&visitor).await?, expected, "{name}");
    }

    // Beyond the limit of a line: as much as fits, and then a clear no.
    let up_to = post(&visitor, "/en-us/cart/lines", &add_fields(thing, "10")).await?;
    let page = visitor.open(&up_to.location().context("the cart")?).await?;
    assert!(words(&page.body).contains("at most 10 per order"), "{}", words(&page.body));
    let full = post(&visitor, "/en-us/cart/lines", &add_fields(thing, "1")).await?;
    assert!(full.status == 409 && words(&full.body).contains("there are already 10 in your cart"), "{}", words(&full.body));

    // A double click is one wish, also from two connections at once.
    let twice = house.shop.visitor();
    add(&twice, us(), &things[2]).await?;
    let mutation = house.shop.shop.clock.id().to_string();
    let fields = self::with(&add_fields(&things[2], "1"), "mutation", Some(&mutation));
    let (first, second) = tokio::join!(post(&twice, "/en-us/cart/lines", &fields), post(&twice, "/en-us/cart/lines", &fields));
    assert_eq!((first?.status, second?.status, pieces(&twice).await?), (303, 303, 2));

    // An answer that got lost: whoever sends the form again, and knows nothing of the first, means the same, also after a minute.
    let known = twice.get("/en-us/cart").await?;
    let cookie = known.headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok()?.split(';').next());
    let cookie = cookie.collect::<Vec<_>>().join("; ");
    let mutation = house.shop.shop.clock.id().to_string();
    let fields = self::with(&add_fields(&things[2], "1"), "mutation", Some(&mutation));
    let bare = server::outbound::client(Duration::from_secs(30)).redirect(reqwest::redirect::Policy::none()).build()?;
    for _ in 0..2 {
        let form = bare.post(format!("{}/en-us/cart/lines", twice.url)).header(header::COOKIE, &cookie).form(&fields);
        assert_eq!(Answer::read(form).await?.status, 303);
        house.shop.clock.advance(Duration::from_mins(1));
    }
    assert_eq!(pieces(&twice).await?, 3, "once");
    // Seen, gone back to, and sent once more: one more.
    assert_eq!((post(&twice, "/en-us/cart/lines", &fields).await?.status, pieces(&twice).await?), (303, 4));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_no_forms_of_ours() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let visitor = somebody_with(&house, &things[0]).await?;
    let good = add_fields(&things[0], "1");
    let url = format!("{}/en-us/cart/lines", visitor.url);
    let form = |request: reqwest::RequestBuilder| request.form(&good);
    let raw = |body: Vec<u8>| visitor.client.post(&url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
    let table = vec![
        ("a foreign origin", form(visitor.client.post(&url).header(header::ORIGIN, "https://evil.example")), 403),
        ("an opaque origin", form(visitor.client.post(&url).header(header::ORIGIN, "null")), 403),
        ("another site's page", form(visitor.client.post(&url).header("sec-fetch-site", "cross-site")), 403),
        ("broken UTF-8", raw(b"product=%ff%fe&quantity=1".to_vec()), 400),
        ("raw broken UTF-8", raw(vec![b'a', b'=', 0xff, 0xfe]), 400),
        ("a NUL", raw(b"product=%00".to_vec()), 400),
        ("JSON", visitor.client.post(&url).header(header::CONTENT_TYPE, "application/json").body("{\"product\":1}"), 400),
        // The shop does not read it to its end, so nothing else can be said over this connection.
        ("an oversize body", raw(vec![b'a'; 1_000_000]).header(header::CONNECTION, "close"), 413),
        ("a thousand fields", raw("a=1&".repeat(1_000).into_bytes()), 400),
        ("a method of no form", visitor.client.put(&url), 405),
    ];
    for (name, request, status) in table {
        let answer = Answer::read(request).await?;
        assert_eq!(answer.status, status, "{name}: {}", words(&answer.body));
        assert!(answer.body.contains("<h1>") || status == 405, "{name}: a page says what happened, not {}", answer.body);
        assert_eq!(pieces(&visitor).await?, 1, "{name}");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_that_leads_nowhere_is_a_clear_fresh_start() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let visitor = house.shop.visitor();
    let first = post(&visitor, "/en-us/cart/lines", &add_fields(&things[0], "1")).await?;
    let cookie = first.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()).find(|value| value.starts_with("cart="));
    let cookie = cookie.context("a cart cookie")?;
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    let good = cookie.split(';').next().context("a value")?.to_owned();
    let (name, value) = good.split_once('=').context("a value")?;
    let forged = format!("{name}={}", value.replace('0', "1").replace('a', "b"));
    let other = house::open().await?;
    let foreign = post(&other.shop.visitor(), "/en-us/cart/lines", &add_fields(&other.things().await?[0], "1")).await?;
    let foreign = foreign.headers[header::SET_COOKIE].to_str()?.split(';').next().context("a value")?.to_owned();
    let bare = server::outbound::client(std::time::Duration::from_secs(30)).redirect(reqwest::redirect::Policy::none()).build()?;
    let get = |cookie: String| Answer::read(bare.get(format!("{}/en-us/cart", house.shop.url)).header(header::COOKIE, cookie));
    let evil = format!("cart={}", EVIL.chars().filter(|c| c.is_ascii_graphic() && *c != ';').collect::<String>());
    for cookie in ["cart=".to_owned(), "cart=x".to_owned(), forged, format!("{good}A"), foreign, evil] {
        let page = get(cookie.clone()).await?;
        assert!(page.status == 200 && words(&page.body).contains("We could not find your earlier cart"), "{cookie}: {}", words(&page.body));
        let set = page.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()).any(|value| value.starts_with("cart=; "));
        assert!(set, "{cookie}: the cookie is taken back");
        let request = bare.post(format!("{}/en-us/cart/lines", house.shop.url)).header(header::COOKIE, &cookie).form(&add_fields(&things[0], "1"));
        assert_eq!(Answer::read(request).await?.status, 303, "{cookie}: adding begins a new cart");
        let request = bare.get(format!("{}/en-us/checkout", house.shop.url)).header(header::COOKIE, &cookie);
        assert_eq!(Answer::read(request).await?.location().as_deref(), Some("/en-us/cart"), "{cookie}");
    }
    assert!(words(&get(good.clone()).await?.body).contains(&things[0].title), "a good cookie loses nothing");
    house.shop.clock.advance(Duration::from_hours(31 * 24));
    assert!(words(&get(good).await?.body).contains("We could not find your earlier cart"), "after 30 days");
    other.close().await?;
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checkout_answers_every_strange_form() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let visitor = somebody_with(&house, &things[0]).await?;
    let page = visitor.get("/en-us/checkout").await?;
    let unseen = checkout_fields(&page, us())?;
    // The total with tax, as the second look shows it.
    let seen = post(&visitor, "/en-us/checkout", &unseen).await?;
    let page = visitor.get(&seen.location().with_context(|| words(&seen.body))?).await?;
    let good = checkout_fields(&page, us())?;
    let with = |name: &str, value: Option<&str>| with(&good, name, value);
    let long = "x".repeat(400);
    let table: Vec<Case> = vec![
        ("an empty form", Vec::new(), 422, "Please check"),
        ("no email", with("email", None), 422, "Please fill in: Email"),
        ("half an email", with("email", Some("ada")), 422, "An email address looks like name@example.com."),
        ("SQL and HTML for an email", with("email", Some(EVIL)), 422, "An email address looks like"),
        ("an endless email", with("email", Some(&format!("{long}@example.com"))), 422, "Email: at most 254 characters."),
        ("words for a phone number", with("phone", Some("call me")), 422, "Please use digits"),
        ("no name", with("delivery_name", Some("  ")), 422, "Please fill in: Full name"),
        ("an endless name", with("delivery_name", Some(&long)), 422, "Full name: at most 100 characters."),
        ("a name of dots", with("delivery_name", Some("...")), 422, "Full name: please use letters or digits."),
        ("no street", with("delivery_line1", None), 422, "Please fill in: Street address"),
        ("a ZIP code of four digits", with("delivery_postcode", Some("9410")), 422, "ZIP code: please write it like 94103."),
        ("SQL and HTML for a ZIP code", with("delivery_postcode", Some("';--<b>")), 422, "ZIP code: please write it like 94103."),
        ("no state", with("delivery_region", None), 422, "Please choose: State"),
        ("a state that is none", with("delivery_region", Some("Atlantis")), 422, "Please choose: State"),
        ("a country that we do not serve", with("delivery_country", Some("FR")), 422, "We do not deliver to this country from here"),
        ("an unknown country", with("delivery_country", Some("XX")), 422, "We do not deliver to this country from here"),
        ("SQL and HTML for a country", with("delivery_country", Some(EVIL)), 422, "We do not deliver to this country from here"),
        ("no delivery method", with("method", Some("")), 422, "Please choose a delivery method."),
        ("an unknown delivery method", with("method", Some("drone")), 422, "Please choose a delivery method."),
        ("another total than was shown", with("seen_total", Some("1")), 409, "The total is now $"),
        ("a negative total", with("seen_total", Some("-1")), 409, "The total is now $"),
        ("SQL and HTML for a total", with("seen_total", Some(EVIL)), 409, "The total is now $"),
        ("another method than the total was for", with("method", Some("express")), 409, "The total is now $"),
        ("another state than the total was for", with("delivery_region", Some("NY")), 409, "The total is now $"),
        ("a cart that changed meanwhile", with("cart_version", Some("99")), 409, "The cart changed in the meantime"),
        ("a tampered form id", with("mutation", Some("1")), 400, "This form does not fit your cart any more"),
        ("an unknown button", self::with(&unseen, "intent", Some("bribe")), 303, ""),
    ];
    for (name, fields, status, sentence) in table {
        let answer = post(&visitor, "/en-us/checkout", &fields).await?;
        assert_eq!(answer.status, status, "{name}: {}", words(&answer.body));
        assert!(words(&answer.body).contains(sentence), "{name}: {}", words(&answer.body));
        assert!(!answer.body.contains("<script>alert"), "{name}");
        if status == 422 && !fields.is_empty() {
            assert!(answer.body.contains("aria-invalid=\"true\"") || name.contains("method"), "{name}: the field is marked");
            assert!(answer.body.contains("href=\"#"), "{name}: the list of errors leads to it");
            let kept = fields.iter().filter(|(field, value)| field == "delivery_city" && answer.body.contains(&format!("value=\"{value}\""))).count();
            assert_eq!(kept, 1, "{name}: what was typed stays");
        }
        assert_eq!((house.orders().await?, pieces(&visitor).await?), (0, 1), "{name}: nothing ordered, nothing lost");
    }

    // Markup in every field is only text, all the way to the order's page.
    let mut evil = good.clone();
    for (key, _) in address(us()).iter().filter(|(key, _)| !matches!(*key, "region" | "postcode")) {
        evil = self::with(&evil, &format!("delivery_{key}"), Some(EVIL));
    }
    let placed = post(&visitor, "/en-us/checkout", &evil).await?;
    let payment = placed.location().with_context(|| words(&placed.body))?;
    let order = house::type_card(&visitor, &payment, house::PAYS).await?;
    let page = house::paid(&visitor, &order, "Paid").await?;
    assert!(page.status == 200 && page.body.contains("&lt;script&gt;alert(1)") && !page.body.contains("<script>alert"), "{}", words(&page.body));
    let gone = post(&visitor, "/en-us/checkout", &good).await?;
    assert_eq!(gone.location(), Some(payment), "the same form again gets the same answer");
    let empty = post(&visitor, "/en-us/checkout", &self::with(&good, "mutation", None)).await?;
    assert_eq!(empty.location().as_deref(), Some("/en-us/cart"), "another one leads to the empty cart");
    assert_eq!(house.orders().await?, 1);

    for (name, path) in [("a secret that is none", "/en-us/orders/abc"), ("a guessed secret", "/en-us/orders/AAAAAAAAAAAAAAAAAAAAAA")] {
        assert_eq!(visitor.get(path).await?.status, 404, "{name}");
        assert_eq!(visitor.post(&format!("{path}/pay"), &[]).await?.status, 404, "{name}");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_submit_and_two_tabs_make_one_order() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "de-de".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let (one, two) = (visitor.get("/de-de/checkout").await?, visitor.get("/de-de/checkout").await?);
    let (one, two) = (checkout_fields(&one, locale)?, checkout_fields(&two, locale)?);
    let (first, second) = tokio::join!(post(&visitor, "/de-de/checkout", &one), post(&visitor, "/de-de/checkout", &one));
    let (first, second) = (first?, second?);
    assert_eq!((first.status, second.status), (303, 303), "{} {}", words(&first.body), words(&second.body));
    assert_eq!(first.location(), second.location(), "a double click gets one answer");
    let other_tab = post(&visitor, "/de-de/checkout", &two).await?;
    let location = other_tab.location().with_context(|| words(&other_tab.body))?;
    assert!(location.contains("/orders/"), "the other tab is led to the order: {location}");
    assert!(words(&visitor.get(&location).await?.body).contains("wurde schon bestellt"));
    assert_eq!(house.orders().await?, 1);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_outside_the_tax_area_are_told_before_an_order() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for (locale, postcode, sentence) in [
        ("en-gb", "je2 3ab", "we do not deliver to JE2 3AB yet"),
        ("de-de", "78266", "Nach 78266 liefern wir leider noch nicht"),
        ("fr-fr", "97400", "Nous ne livrons pas encore au 97400"),
    ] {
        let locale: Locale = locale.parse()?;
        let visitor = house.shop.visitor();
        add(&visitor, locale, &things[0]).await?;
        let path = format!("/{locale}/checkout");
        let fields = with(&checkout_fields(&visitor.get(&path).await?, locale)?, "delivery_postcode", Some(postcode));
        let answer = post(&visitor, &path, &fields).await?;
        assert_eq!(answer.status, 422, "{locale}: {}", words(&answer.body));
        assert!(words(&answer.body).contains(sentence) && answer.body.contains("ada@example.com"), "{locale}: {}", words(&answer.body));
    }
    assert_eq!(house.orders().await?, 0);
    house.close().await
}
