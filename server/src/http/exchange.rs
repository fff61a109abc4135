//! What a piece may be exchanged for: other variants of its product, each with whether it costs the same and how many are left; and what those
//! are called that it was exchanged for.

use crate::{
    Shop,
    catalog::{prices, shelves},
    http::basket::text_of,
    orders::{LineText, OrderView},
};
use app::ports::{Found, Storefront};
use domain::{
    ProductId, VariantId,
    catalog::ProductDocument,
    live::Availability,
    money::Money,
    offer::{PriceWindow, offer},
    order::{Line, Resolution},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Other variants by the order's lines.
#[derive(Debug, Default)]
pub struct Others(BTreeMap<u32, Vec<Other>>);

/// Another variant of a line's product.
#[derive(Clone, Debug)]
pub struct Other {
    pub product: ProductId,
    pub variant: VariantId,
    /// `Navy, 90 cm`, in the order's language.
    pub name: String,
    /// Whether it costs what the ordered one costs now, or cost.
    pub same_price: bool,
    /// How many are there at least; 0: sold out.
    pub left: u32,
}

impl Others {
    pub fn of(&self, line: u32) -> &[Other] {
        self.0.get(&line).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What the pieces are called that are sent, or wanted, in exchange. One whose product is not sold any more has no name but its own.
pub async fn wanted(shop: &Shop, order: &OrderView) -> anyhow::Result<BTreeMap<VariantId, LineText>> {
    wanted_of(&*shop.storefront, order).await
}

/// The same for whoever has pages alone.
pub async fn wanted_of(storefront: &dyn Storefront, order: &OrderView) -> anyhow::Result<BTreeMap<VariantId, LineText>> {
    let known = &order.ledgers;
    let sent = known.lines.iter().filter(|line| line.replaces.is_some()).map(|line| line.product);
    let wished = known.returns.iter().flat_map(|back| &back.items).filter_map(|item| match item.resolution {
        Resolution::Exchange { product, .. } => Some(product),
        Resolution::Refund => None,
    });
    texts_of(storefront, order, sent.chain(wished).collect()).await
}

/// What all variants of these products are called, in the order's language.
pub async fn texts(shop: &Shop, order: &OrderView, products: BTreeSet<ProductId>) -> anyhow::Result<BTreeMap<VariantId, LineText>> {
    texts_of(&*shop.storefront, order, products).await
}

async fn texts_of(storefront: &dyn Storefront, order: &OrderView, products: BTreeSet<ProductId>) -> anyhow::Result<BTreeMap<VariantId, LineText>> {
    let mut all = BTreeMap::new();
    for product in products {
        if let Some(document) = document(storefront, order, product).await? {
            all.extend(document.variants.iter().map(|variant| (variant.id, text_of(&document, variant))));
        }
    }
    Ok(all)
}

/// The page of a product that was ordered, as it is now.
async fn document(storefront: &dyn Storefront, order: &OrderView, product: ProductId) -> anyhow::Result<Option<Arc<ProductDocument>>> {
    let mut texts = order.body.quote.lines.iter().zip(&order.body.texts);
    let Some((_, text)) = texts.find(|(priced, _)| priced.product == product) else { return Ok(None) };
    let found = storefront.product(order.locale.text_language(), &text.slug).await.map_err(anyhow::Error::new)?;
    Ok(if let Found::Here(document) = found { Some(document).filter(|document| document.id == product) } else { None })
}

/// Reads what every line of which something can come back may be exchanged for. A product that is not sold any more has nothing.
pub async fn others(shop: &Shop, order: &OrderView) -> anyhow::Result<Others> {
    let known = &order.ledgers;
    let mut others = Others::default();
    for line in known.lines.iter().filter(|line| known.tally(line.line).returnable() > 0) {
        let Some(paid) = unit(order, line) else { continue };
        if let Some(document) = document(&*shop.storefront, order, line.product).await? {
            others.0.insert(line.line, of_line(shop, order, line, paid, document).await?);
        }
    }
    Ok(others)
}

/// What a piece of a line cost when it was ordered; of one that replaces another, what that cost.
fn unit(order: &OrderView, line: &Line) -> Option<Money> {
    let mut of_product = order.body.quote.lines.iter().filter(|priced| priced.product == line.product);
    of_product.clone().find(|priced| priced.variant == line.variant).or_else(|| of_product.next()).map(|priced| priced.unit)
}

/// Whether what costs so much costs what the ordered one cost, or costs now.
fn is_same_price(costs: Money, paid: Money, bought: Option<Money>) -> bool {
    costs == paid || Some(costs) == bought
}

async fn of_line(shop: &Shop, order: &OrderView, line: &Line, paid: Money, document: Arc<ProductDocument>) -> anyhow::Result<Vec<Other>> {
    let live = shop.storefront.live(&[line.product]).await.map_err(anyhow::Error::new)?;
    let Some(live) = live.iter().find(|live| live.product == line.product && live.published) else { return Ok(Vec::new()) };
    let now = shop.clock.now();
    let price = |variant| live.variant(order.market, variant).and_then(|here| offer(&here.windows, now)).map(|offer| offer.price);
    let bought = price(line.variant);
    let other = |variant: &domain::catalog::Variant| {
        let costs = price(variant.id)?;
        let left = match live.variant(order.market, variant.id)?.availability {
            Availability::SoldOut | Availability::BackOrder => 0,
            Availability::Low { left } => left,
            Availability::InStock => u32::MAX,
        };
        Some(Other {
            product: line.product,
            variant: variant.id,
            name: name(&document, variant),
            same_price: is_same_price(costs, paid, bought),
            left,
        })
    };
    Ok(document.variants.iter().filter(|variant| variant.id != line.variant).filter_map(other).collect())
}

/// What staff may exchange a line's pieces for: other variants that cost the same in the order's market now, by SQL, whatever pages know
/// already. None where the market does not sell the product any more.
pub async fn for_staff(shop: &Shop, order: &OrderView, line: &Line) -> anyhow::Result<Vec<VariantId>> {
    let now = shop.clock.now();
    let market = shelves::markets(&shop.db, now).await?.into_iter().find(|market| market.code == order.market);
    let (Some(market), Some(paid)) = (market, unit(order, line)) else { return Ok(Vec::new()) };
    let all = prices::of_product(&shop.db, &market, line.product, now).await?;
    let costs = |windows: &[PriceWindow]| offer(windows, now).map(|offer| offer.price);
    let bought = all.iter().find(|(variant, _)| *variant == line.variant).and_then(|(_, windows)| costs(windows));
    let others = all.iter().filter(|(variant, _)| *variant != line.variant);
    let same = others.filter(|(_, windows)| costs(windows).is_some_and(|costs| is_same_price(costs, paid, bought)));
    Ok(same.map(|(variant, _)| *variant).collect())
}

/// The names of a variant's values, of those options that leave a choice.
fn name(document: &ProductDocument, variant: &domain::catalog::Variant) -> String {
    let named = document.options.iter().zip(&variant.values).filter(|(option, _)| option.values.len() > 1);
    let named = named.map(|(option, slug)| option.values.iter().find(|value| value.slug == *slug).map_or(slug.as_str(), |value| &value.name));
    named.collect::<Vec<_>>().join(", ")
}
