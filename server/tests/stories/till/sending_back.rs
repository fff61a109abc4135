//! The shopper sends things back from the page of an order: announced in two steps, exchanged, called off, and every way in which it is
//! refused.

use crate::{
    support::{Answer, Visitor},
    till::house::{self, House, PAYS, Thing, add, paid, place, type_card, words},
};
use anyhow::Context as _;
use app::{
    i18n::{follow, give_back, till},
    ports::Found,
};
use domain::{
    FulfilmentId, OrderId, RefundId, VariantId,
    event::Event,
    live::Availability,
    locale::{Locale, TextLanguage},
    money::Money,
    offer::offer,
    order::{By, Order, Parcel, Receipt, Resolution, Restock, ReturnState},
    refund::RefundNews,
};
use http::header;
use server::{
    catalog::prices,
    events,
    orders::{Received, story::Actor},
    params,
};
use std::time::Duration;

pub fn locale(text: &str) -> Locale {
    text.parse().expect("a locale")
}

pub fn staff() -> Actor {
    Actor::Staff("01a20846-0000-7000-8000-000000000001".to_owned())
}

/// A paid order with its page and its buyer.
pub struct Bought {
    pub visitor: Visitor,
    /// Its page's path.
    pub page: String,
    pub id: OrderId,
}

impl Bought {
    pub async fn ledgers(&self, house: &House) -> anyhow::Result<Order> {
        house.shop.shop.orders.ledgers(self.id).await?.context("an order")
    }

    /// Fills the form, and looks over what it will do.
    async fn review(&self, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.visitor.get(&format!("{}/return?step=review&{query}", self.page)).await
    }

    /// Announces it, as the button of that page does.
    async fn announce(&self, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        self.visitor.post(&format!("{}/return", self.page), fields).await
    }
}

/// So many pieces of a thing, paid.
pub async fn buys(house: &House, thing: &Thing, locale: Locale, pieces: u32) -> anyhow::Result<Bought> {
    paid_with(house, thing, locale, pieces, PAYS).await
}

/// The same, paid with another card.
pub async fn paid_with(house: &House, thing: &Thing, locale: Locale, pieces: u32, card: &str) -> anyhow::Result<Bought> {
    let visitor = house.shop.visitor();
    for _ in 0..pieces {
        add(&visitor, locale, thing).await?;
    }
    let payment = place(&visitor, locale).await?;
    let page = type_card(&visitor, &payment, card).await?;
    paid(&visitor, &page, till(locale).status_paid).await?;
    let row = house.shop.shop.db.first("SELECT id FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1", params![]).await?;
    Ok(Bought { visitor, page, id: row.context("an order")?.parse("id")? })
}

/// Sends everything of an order; it arrives at once, or is on its way.
pub async fn sends(house: &House, bought: &Bought, arrives: bool) -> anyhow::Result<()> {
    let (orders, clock) = (&house.shop.shop.orders, &house.shop.shop.clock);
    for (location, portions) in orders.to_pack(&bought.ledgers(house).await?, "anywhere").await? {
        let id = FulfilmentId(clock.id());
        let parcels = [Parcel { carrier: "DHL".to_owned(), tracking: "JD1".to_owned() }];
        orders.pack_and_ship(bought.id, id, &location, &portions, &parcels, staff()).await?;
        if arrives {
            orders.deliver(bought.id, id, staff()).await?;
        }
    }
    Ok(())
}

async fn has_two(house: &House, thing: &Thing, locale: Locale) -> anyhow::Result<Bought> {
    let bought = buys(house, thing, locale, 2).await?;
    sends(house, &bought, true).await?;
    Ok(bought)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_goes_back_in_two_steps_in_every_language() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for locale in Locale::OFFERED {
        let messages = give_back(locale);
        let bought = has_two(&house, &things[0], locale).await.with_context(|| locale.to_string())?;
        let page = bought.visitor.get(&bought.page).await?;
        assert!(page.body.contains(&format!("href=\"{}/return\"", bought.page)), "{locale}: {}", words(&page.body));
        let form = bought.visitor.get(&format!("{}/return", bought.page)).await?;
        assert!(form.status == 200 && words(&form.body).contains(messages.lede), "{locale}: {}", words(&form.body));

        let chosen = [("line-0", "1"), ("reason-0", "changed_mind"), ("for-0", "refund")];
        let review = bought.review(&chosen).await?;
        let text = words(&review.body);
        assert!(review.status == 200 && text.contains(messages.reason_changed_mind) && text.contains(messages.confirm), "{locale}: {text}");
        assert!(bought.ledgers(&house).await?.returns.is_empty(), "{locale}: looking announces nothing");
        let mutation = review.field("mutation").context("a mutation")?.to_owned();
        let sent: Vec<(&str, &str)> = [("mutation", mutation.as_str())].into_iter().chain(chosen).collect();
        for _ in 0..2 {
            let answer = bought.announce(&sent).await?;
            assert_eq!((answer.status, answer.location()), (303, Some(format!("{}?said=return", bought.page))), "{locale}");
        }
        let known = bought.ledgers(&house).await?;
        assert_eq!((known.returns.len(), known.tally(0).returning, known.returns[0].by), (1, 1, By::Shopper), "{locale}: the same form counts once");
        let page = bought.visitor.get(&format!("{}?said=return", bought.page)).await?;
        let text = words(&page.body);
        assert!(text.contains(messages.said_announced) && text.contains(messages.list_title) && text.contains(messages.keep), "{locale}: {text}");

        let id = page.field("return").context("a return")?.to_owned();
        for _ in 0..2 {
            let kept = bought.visitor.post(&format!("{}/keep", bought.page), &[("return", &id)]).await?;
            assert_eq!((kept.status, kept.location()), (303, Some(format!("{}?said=kept", bought.page))), "{locale}");
        }
        let known = bought.ledgers(&house).await?;
        assert!(matches!(known.returns[0].state, ReturnState::Cancelled { .. }) && known.tally(0).returnable() == 2, "{locale}");
        let text = words(&bought.visitor.get(&format!("{}?said=kept", bought.page)).await?.body);
        assert!(text.contains(messages.said_kept) && !text.contains(messages.keep), "{locale}: {text}");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_go_back_is_refused_with_what_to_do_and_keeps_what_was_typed() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("en-gb");
    let messages = give_back(here);
    let bought = buys(&house, &things[0], here, 2).await?;
    let some = [("line-0", "1"), ("reason-0", "faulty")];
    let early = bought.announce(&some).await?;
    assert!(early.status == 409 && words(&early.body).contains(messages.nothing), "{}", words(&early.body));
    sends(&house, &bought, true).await?;
    let title = words(&bought.visitor.get(&format!("{}/return", bought.page)).await?.body);
    let fixed = |template: &str| template.split(['{', '}']).map(str::to_owned).collect::<Vec<_>>();
    for (name, fields, template) in [
        ("no piece", vec![("line-0", "0"), ("reason-0", "faulty")], messages.err_none),
        ("nothing at all", vec![], messages.err_none),
        ("more than came", vec![("line-0", "3"), ("reason-0", "faulty")], messages.err_too_many),
        ("no number", vec![("line-0", "two"), ("reason-0", "faulty")], messages.err_too_many),
        ("an unknown line", vec![("line-7", "1"), ("reason-7", "faulty")], messages.err_unknown),
        ("a line twice", vec![("line-0", "1"), ("line-0", "1"), ("reason-0", "faulty")], messages.err_unknown),
        ("no reason", vec![("line-0", "1"), ("reason-0", "")], messages.err_reason),
        ("a made-up reason", vec![("line-0", "1"), ("reason-0", "revenge")], messages.err_reason),
        (
            "a made-up exchange",
            vec![("line-0", "1"), ("reason-0", "too_small"), ("for-0", "01a20846-0000-7000-8000-000000000009")],
            messages.err_unknown,
        ),
    ] {
        for answer in [bought.review(&fields).await?, bought.announce(&fields).await?] {
            let text = words(&answer.body);
            // What stands around the names in the sentence.
            let told = fixed(template).iter().step_by(2).all(|part| text.contains(part.trim()));
            assert!(answer.status == 422 && told, "{name}: {} {text}", answer.status);
            if let Some((_, typed)) = fields.iter().find(|(field, _)| *field == "line-0") {
                assert_eq!(answer.field("line-0"), Some(*typed), "{name}: what was typed stays");
            }
        }
    }
    assert!(bought.ledgers(&house).await?.returns.is_empty(), "{title}");

    let all = [("line-0", "2"), ("reason-0", "too_large")];
    assert_eq!(bought.announce(&all).await?.status, 303);
    let twice = bought.announce(&all).await?;
    assert!(twice.status == 409 && words(&twice.body).contains(messages.nothing), "{}", words(&twice.body));
    assert_eq!(bought.ledgers(&house).await?.returns.len(), 1);
    let foreign = bought.visitor.client.post(format!("{}{}/return", bought.visitor.url, bought.page)).header(header::ORIGIN, "https://evil.example");
    assert_eq!(Answer::read(foreign.form(&all)).await?.status, 403);

    // The link is older than 30 days: the postcode comes first, and nothing is changed.
    house.shop.clock.advance(Duration::from_hours(31 * 24));
    let stranger = house.shop.visitor();
    let id = bought.ledgers(&house).await?.returns[0].id.to_string();
    for answer in [
        stranger.get(&format!("{}/return", bought.page)).await?,
        stranger.post(&format!("{}/return", bought.page), &all).await?,
        stranger.post(&format!("{}/keep", bought.page), &[("return", &id)]).await?,
    ] {
        assert_eq!(answer.location(), Some(bought.page.clone()));
    }
    assert_eq!(bought.ledgers(&house).await?.tally(0).returning, 2);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_for_returns_ends_and_begins_with_the_delivery() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("ja-jp");
    let some = [("line-0", "1"), ("reason-0", "changed_mind")];
    let (late, moving) = (has_two(&house, &things[0], here).await?, buys(&house, &things[0], here, 1).await?);
    sends(&house, &moving, false).await?;
    house.shop.clock.advance(Duration::from_hours(14 * 24));
    let form = late.visitor.get(&format!("{}/return", late.page)).await?;
    let refused = late.announce(&some).await?;
    let begins = give_back(here).over.split_once('}').map_or("", |(_, rest)| rest);
    for answer in [form, refused] {
        assert!(answer.status == 409 && words(&answer.body).contains(begins), "{}", words(&answer.body));
    }
    assert!(late.ledgers(&house).await?.returns.is_empty());
    assert!(words(&late.visitor.get(&late.page).await?.body).contains(begins), "the order's page says it, too");
    // Nobody told that the other parcel arrived: its time has not begun to run out. The label costs 800 yen.
    let review = moving.review(&some).await?;
    assert!(words(&review.body).contains("800"), "{}", words(&review.body));
    let free = words(&moving.review(&[("line-0", "1"), ("reason-0", "faulty")]).await?.body);
    assert!(free.contains(give_back(here).label_free), "{free}");
    assert_eq!(moving.announce(&some).await?.status, 303);
    house.close().await
}

/// Other variants of a thing's product that cost the same and are there, in the order of their product.
pub async fn siblings(house: &House, thing: &Thing, here: Locale) -> anyhow::Result<Vec<VariantId>> {
    let shop = &house.shop.shop;
    let row = shop.db.first("SELECT slug FROM slugs WHERE kind = 'product' AND target = $1 LIMIT 1", params![thing.product.to_string()]).await?;
    let Found::Here(document) = shop.storefront.product(TextLanguage::EnUs, &row.context("a slug")?.text("slug")?).await? else {
        return Ok(Vec::new());
    };
    let live = shop.storefront.live(&[thing.product]).await?;
    let live = live.first().context("a live item")?;
    let here = |variant| live.variant(here.country, variant).filter(|here| here.availability == Availability::InStock);
    let price = |variant| here(variant).and_then(|here| offer(&here.windows, shop.clock.now())).map(|offer| offer.price);
    let all = document.variants.iter().map(|variant| variant.id).filter(|variant| *variant != thing.variant);
    Ok(all.filter(|variant| price(*variant).is_some() && price(*variant) == price(thing.variant)).collect())
}

/// Waits until the form offers the exchange, or does not any more.
async fn offered(bought: &Bought, variant: VariantId, is: bool) -> anyhow::Result<()> {
    for _ in 0..100 {
        let form = bought.visitor.get(&format!("{}/return", bought.page)).await?;
        if form.body.contains(&format!("value=\"{variant}\"")) == is {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the form did not follow in five seconds")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_is_for_the_same_price_and_what_is_there() -> anyhow::Result<()> {
    let house = house::open().await?;
    let here = locale("de-de");
    let messages = give_back(here);
    let mut found = None;
    for thing in house.things().await? {
        let others = siblings(&house, &thing, here).await?;
        if others.len() >= 2 {
            found = Some((thing, others));
            break;
        }
    }
    let (thing, others) = found.context("a thing with three variants at one price")?;
    let (wanted, gone) = (others[0], others[1]);
    let bought = has_two(&house, &thing, here).await?;
    offered(&bought, wanted, true).await?;
    offered(&bought, gone, true).await?;
    let ask = |variant: VariantId| {
        vec![("line-0".to_owned(), "1".to_owned()), ("reason-0".to_owned(), "too_small".to_owned()), ("for-0".to_owned(), variant.to_string())]
    };
    let post = async |variant| house::post(&bought.visitor, &format!("{}/return", bought.page), &ask(variant)).await;

    house.sell_out(&Thing { variant: gone, ..thing.clone() }).await?;
    offered(&bought, gone, false).await?;
    let refused = post(gone).await?;
    let rest = |template: &'static str| template.rsplit_once("} ").map_or("", |(_, rest)| rest);
    assert!(refused.status == 422 && words(&refused.body).contains(rest(messages.err_sold_out)), "{}", words(&refused.body));

    // The one that is there is announced; when it comes, the other is sent for it.
    assert_eq!(post(wanted).await?.status, 303);
    let known = bought.ledgers(&house).await?;
    let item = known.returns[0].items[0].clone();
    assert_eq!(item.resolution, Resolution::Exchange { product: thing.product, variant: wanted });
    let shop = &house.shop.shop;
    let location =
        shop.db.first("SELECT location FROM stock_balances ORDER BY location LIMIT 1", params![]).await?.context("a location")?.text("location")?;
    let receipts = vec![Receipt { line: 0, quantity: 1, restock: Restock::Shelf, exchanged: true }];
    let received = Received { receipts, location, kept_back: Money::zero(known.total.currency), delivery: None };
    let after = shop.orders.receive_return(bought.id, known.returns[0].id, &received, staff()).await?;
    assert_eq!((after.lines.len(), after.lines[1].variant, after.refunds.len()), (2, wanted, 0));

    // Now it becomes dearer: what was bought is given back, and the new one ordered.
    shop.db
        .transact::<_, anyhow::Error>(|tx| {
            let clock = shop.clock.clone();
            let price = Money::new(99_900, after.total.currency);
            Box::pin(async move {
                let sql = "SELECT price_list FROM prices WHERE variant_id = $1 AND currency = 'EUR' ORDER BY price_list";
                for row in tx.all(sql, params![wanted]).await? {
                    let list = row.text("price_list")?;
                    let new = prices::NewPrice { list: &list, variant: wanted, price, compare_at: None, source: "operator" };
                    prices::set(tx, &clock, new, clock.now()).await?;
                }
                events::emit(tx, &clock, &Event::PriceChanged { product: thing.product, variant: wanted }).await?;
                Ok(())
            })
        })
        .await?;
    offered(&bought, wanted, false).await?;
    let refused = post(wanted).await?;
    assert!(refused.status == 422 && words(&refused.body).contains("bestellen Sie das Gewünschte neu"), "{}", words(&refused.body));
    assert_eq!(bought.ledgers(&house).await?.returns.len(), 1);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_tells_what_became_of_a_return_and_keeps_what_was_decided() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("en-us");
    let messages = give_back(here);
    let bought = has_two(&house, &things[0], here).await?;
    let orders = &house.shop.shop.orders;
    let some = [("line-0", "1"), ("reason-0", "too_small")];
    for _ in 0..2 {
        assert_eq!(bought.announce(&some).await?.status, 303);
    }
    let known = bought.ledgers(&house).await?;
    let (first, second) = (known.returns[0].id, known.returns[1].id);
    orders.refuse_return(bought.id, first, "It was worn outdoors.", staff()).await?;
    let row = house.shop.shop.db.first("SELECT location FROM stock_balances ORDER BY location LIMIT 1", params![]).await?;
    let receipts = vec![Receipt { line: 0, quantity: 1, restock: Restock::Shelf, exchanged: false }];
    let location = row.context("a location")?.text("location")?;
    let received = Received { receipts, location, kept_back: Money::zero(known.total.currency), delivery: None };
    let after = orders.receive_return(bought.id, second, &received, staff()).await?;
    let text = words(&bought.visitor.get(&bought.page).await?.body);
    assert!(text.contains("It was worn outdoors.") && text.contains("Arrived on"), "{text}");
    for id in [first, second] {
        let late = bought.visitor.post(&format!("{}/keep", bought.page), &[("return", &id.to_string())]).await?;
        assert!(late.status == 409 && words(&late.body).contains(messages.err_keep), "{}", words(&late.body));
    }
    let refund: RefundId = after.refunds.first().context("a refund")?.id;
    orders.hear_refund(refund, RefundNews::Issued).await?;
    let text = words(&bought.visitor.get(&bought.page).await?.body);
    assert!(text.contains("back the way you paid") && text.contains(follow(here).order_again), "{text}");
    house.close().await
}
