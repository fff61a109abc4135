//! A cart as a page or an order needs it: each line with its texts, its offer of this instant and what stands in its way.

use crate::{
    Shop,
    catalog::stock::{Item, Piece},
    http::errors::Failure,
    orders::LineText,
    params, promotions, tariffs,
};
use anyhow::Context as _;
use app::{
    components::picture,
    ports::{Found, View},
    private::{Line, Problem},
    routes::{Address, Route},
};
use domain::{
    ProductId,
    address::Destination,
    cart::{self, Cart},
    catalog::{ProductDocument, Variant},
    delivery::Method,
    live::{Availability, LiveItem},
    offer::offer,
    pricing::{self, Quote, Wanted},
    promotion::{Candidate, Customer},
};
use futures::future::try_join_all;
use std::{collections::HashMap, sync::Arc};

/// How wide a line's picture is asked for: 88 px, on screens with two or three dots a pixel.
const PICTURE_PX: u32 = 320;

/// What an order must know of a line beside its price.
const MORE: &str = "SELECT p.tax_category, p.category, p.tags, v.weight_g, v.handling_days, v.oversell FROM products p \
                    JOIN variants v ON v.product_id = p.id WHERE p.id = $1 AND v.id = $2";

/// A visitor's cart, read as of a view.
#[derive(Debug)]
pub struct Basket {
    pub lines: Vec<BasketLine>,
}

/// One line with all that is known about it.
#[derive(Debug)]
pub struct BasketLine {
    pub shown: Line,
    pub text: LineText,
    /// `None`: it cannot be ordered here and does not count.
    pub wanted: Option<Wanted>,
    /// Business days before it leaves, beside its location's.
    pub handling_days: u8,
    /// Sold on although nothing is there.
    pub oversell: bool,
}

impl Basket {
    /// Reads the texts, offers and availability of a cart's lines.
    pub async fn read(shop: &Shop, view: &View, cart: &Cart) -> Result<Self, Failure> {
        let mut ids: Vec<ProductId> = cart.lines.iter().map(|line| line.product).collect();
        ids.sort_unstable();
        ids.dedup();
        let (documents, live) = (documents(shop, view, &ids).await?, shop.storefront.live(&ids).await?);
        let mut lines = Vec::with_capacity(cart.lines.len());
        for line in &cart.lines {
            let live = live.iter().find(|item| item.product == line.product);
            let mut read = basket_line(view, line, documents.get(&line.product).map(AsRef::as_ref), live.map(AsRef::as_ref));
            if let Some(wanted) = &mut read.wanted
                && let Some(row) = shop.db.first(MORE, params![line.product, line.variant]).await?
            {
                wanted.weight_g = u32::try_from(row.int("weight_g")?).unwrap_or(0);
                read.handling_days = u8::try_from(row.int("handling_days")?).unwrap_or(0);
                read.oversell = row.flag("oversell")?;
                wanted.tax_category = row.text("tax_category")?;
                wanted.category = row.text_or_null("category")?.unwrap_or_default();
                wanted.tags = serde_json::from_str(&row.text("tags")?).context("products.tags")?;
            }
            lines.push(read);
        }
        Ok(Self { lines })
    }

    /// What counts.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.lines.iter().filter_map(|line| line.wanted.clone()).collect()
    }

    /// What counts, as its promise needs it.
    pub fn pieces(&self) -> Vec<Piece> {
        let piece = |line: &BasketLine| {
            let wanted = line.wanted.as_ref()?;
            let item = Item { product: wanted.product, variant: wanted.variant };
            Some(Piece { item, quantity: wanted.quantity.get(), handling_days: line.handling_days, oversell: line.oversell })
        };
        self.lines.iter().filter_map(piece).collect()
    }

    /// Whether some line has to be changed before anything can be ordered, or nothing can be ordered at all.
    pub fn is_blocked(&self) -> bool {
        self.lines.iter().any(|line| line.shown.problem.is_some_and(Problem::blocks)) || self.lines.iter().all(|line| line.wanted.is_none())
    }

    /// What it comes to with the promotions of now, and puts the lines' prices beside them. `unlocked` is what a code gives, `customer` who
    /// orders, where that is known.
    pub async fn quote(
        &mut self,
        shop: &Shop,
        view: &View,
        unlocked: Option<Candidate<'_>>,
        customer: Option<&Customer>,
        method: Option<&Method>,
        place: Option<&Destination>,
    ) -> Result<Quote, Failure> {
        let country = place.map_or(view.market.code, |place| place.country);
        let rates = tariffs::rates(&shop.db, country, view.now).await?;
        let promotions = promotions::near(&shop.db, view.now).await?;
        let candidates = promotions.iter().map(|promotion| Candidate::promotion(promotion, view.text())).chain(unlocked);
        let candidates: Vec<_> = candidates.map(|candidate| candidate.of(customer)).collect();
        let quote = pricing::quote(&view.market, &self.wanted(), &candidates, method, place, &rates, view.now).map_err(anyhow::Error::new)?;
        for line in &mut self.lines {
            line.shown.price = quote.lines.iter().find(|priced| priced.variant == line.shown.variant).cloned();
        }
        Ok(quote)
    }

    /// The lines as pages show them.
    pub fn shown(&self) -> Vec<Line> {
        self.lines.iter().map(|line| line.shown.clone()).collect()
    }
}

/// A product's document by id, where it is published.
pub async fn document(shop: &Shop, view: &View, product: ProductId) -> Result<Option<Arc<ProductDocument>>, Failure> {
    Ok(documents(shop, view, &[product]).await?.remove(&product))
}

async fn documents(shop: &Shop, view: &View, ids: &[ProductId]) -> Result<HashMap<ProductId, Arc<ProductDocument>>, Failure> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let cards = shop.storefront.cards(view.text(), ids).await?;
    let found = try_join_all(cards.iter().map(|card| shop.storefront.product(view.text(), &card.slug))).await?;
    Ok(found.into_iter().filter_map(|found| if let Found::Here(document) = found { Some((document.id, document)) } else { None }).collect())
}

fn basket_line(view: &View, line: &cart::Line, document: Option<&ProductDocument>, live: Option<&LiveItem>) -> BasketLine {
    let known = document.and_then(|document| Some((document, document.variants.iter().find(|variant| variant.id == line.variant)?)));
    let text = match known {
        Some((document, variant)) => text_of(document, variant),
        None => LineText {
            title: document.map_or_else(|| app::i18n::till(view.locale).unknown_product.to_owned(), |it| it.title.clone()),
            ..LineText::default()
        },
    };
    let here = live.and_then(|live| live.variant(view.market.code, line.variant));
    let offered = here.and_then(|here| offer(&here.windows, view.now));
    let pieces = line.quantity.get();
    let problem = if known.is_none() || !live.is_some_and(|live| live.published) {
        Some(Problem::Gone)
    } else {
        match (here.map(|here| here.availability), offered) {
            (Some(Availability::SoldOut), Some(_)) => Some(Problem::SoldOut),
            (Some(Availability::Low { left }), Some(_)) if pieces > left => Some(Problem::TooMany { left }),
            (Some(Availability::Low { left }), Some(_)) => Some(Problem::Few { left }),
            (Some(Availability::BackOrder), Some(_)) => Some(Problem::BackOrder),
            (Some(Availability::InStock), Some(_)) => None,
            _ => Some(Problem::NotSold),
        }
    };
    let counts = !problem.is_some_and(Problem::leaves_out);
    let href = known.map(|(document, variant)| {
        let selection = document.options.iter().map(|option| option.slug.clone()).zip(variant.values.iter().cloned()).collect();
        Address::new(view.locale, Route::Product { slug: document.slug().to_owned(), selection }).url()
    });
    let shown = Line {
        variant: line.variant,
        href,
        title: text.title.clone(),
        options: text.options.clone(),
        picture: text.picture.clone(),
        quantity: pieces,
        price: None,
        cancelled: 0,
        problem,
    };
    let wanted = offered.filter(|_| counts).map(|offer| Wanted {
        product: line.product,
        variant: line.variant,
        quantity: line.quantity,
        offer,
        weight_g: 0,
        tax_category: String::new(),
        category: String::new(),
        tags: Vec::new(),
    });
    BasketLine { shown, text, wanted, handling_days: 0, oversell: false }
}

/// What a line says of a variant.
pub fn text_of(document: &ProductDocument, variant: &Variant) -> LineText {
    let chosen = document.options.iter().zip(&variant.values);
    let name = |(option, value): (&domain::catalog::ProductOption, &String)| {
        option.values.iter().find(|known| known.slug == *value).map_or_else(|| value.clone(), |known| known.name.clone())
    };
    let shows = |picture: &&domain::catalog::Picture| picture.value.as_ref().is_some_and(|value| variant.values.contains(value));
    let picture = document.pictures.iter().find(shows).or_else(|| document.pictures.first());
    LineText {
        title: document.title.clone(),
        options: chosen.map(name).collect(),
        sku: variant.sku.clone(),
        slug: document.slug().to_owned(),
        picture: picture.and_then(|picture| picture::address(picture, PICTURE_PX)),
    }
}
