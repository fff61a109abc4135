//! A cart that is full: one thing more is refused with a sentence, and what is in it stays as it was.

use crate::{
    support::{Answer, Visitor},
    till::house::{self, Thing, add, add_fields, post, words},
};
use anyhow::Context as _;
use app::i18n::{filled, till};
use domain::{cart::Cart, locale::Locale};

/// How many of these the page of a cart shows.
fn shown(page: &Answer, things: &[Thing]) -> usize {
    things.iter().filter(|thing| page.body.contains(&format!("id=\"quantity-{}\"", thing.variant))).count()
}

async fn cart(visitor: &Visitor) -> anyhow::Result<Answer> {
    visitor.get("/en-gb/cart").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_cart_takes_no_other_thing_and_more_of_what_is_in_it() -> anyhow::Result<()> {
    let house = house::open().await?;
    let mut things = Vec::new();
    for page in 1.. {
        match house.variants(page).await? {
            Some(more) if things.len() <= Cart::LINES_MAX => things.extend(more),
            _ => break,
        }
    }
    things.truncate(Cart::LINES_MAX + 1);
    let one_more = things.pop().filter(|_| things.len() == Cart::LINES_MAX).context("51 different things in stock")?;
    let visitor = house.shop.visitor();
    let gb: Locale = "en-gb".parse()?;
    for thing in &things {
        add(&visitor, gb, thing).await?;
    }
    let full = words(&cart(&visitor).await?.body);
    for code in ["en-gb", "en-us", "de-de", "fr-fr", "ja-jp", "ko-kr"] {
        let here: Locale = code.parse()?;
        let sentence = filled(till(here).said_cart_full, &[("max", "50")]);
        let told = post(&visitor, &format!("/{here}/cart/lines"), &add_fields(&one_more, "1")).await?;
        assert!(told.status == 409 && words(&told.body).contains(&sentence), "{code}: {} {}", told.status, words(&told.body));
        assert_eq!((shown(&told, &things), told.body.contains(&one_more.variant.to_string())), (50, false), "{code}: the cart as it is");
    }
    assert_eq!(words(&cart(&visitor).await?.body), full, "nothing was changed");

    // More of what is there is no other thing, and whoever takes one out has room for another.
    add(&visitor, gb, &things[0]).await?;
    let gone = visitor.post(&format!("/en-gb/cart/lines/{}", things[1].variant), &[("quantity", "0")]).await?;
    assert_eq!(gone.status, 303, "{}", words(&gone.body));
    add(&visitor, gb, &one_more).await?;
    let page = cart(&visitor).await?;
    assert_eq!((shown(&page, &things), shown(&page, &[one_more])), (49, 1), "{}", words(&page.body));
    house.close().await
}
