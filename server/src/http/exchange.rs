//! What a piece may be exchanged for: other variants of its product, each with whether it costs the same and how many are left.

use crate::{Shop, orders::OrderView};
use app::ports::Found;
use domain::{ProductId, VariantId, catalog::ProductDocument, live::Availability, offer::offer, order::Line};
use std::{collections::BTreeMap, sync::Arc};

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

/// Reads what every line of which something can come back may be exchanged for. A product that is not sold any more has nothing.
pub async fn others(shop: &Shop, order: &OrderView) -> anyhow::Result<Others> {
    let known = &order.ledgers;
    let mut others = Others::default();
    for line in known.lines.iter().filter(|line| known.tally(line.line).returnable() > 0) {
        let mut texts = order.body.quote.lines.iter().zip(&order.body.texts);
        let Some((priced, text)) = texts.find(|(priced, _)| priced.product == line.product) else { continue };
        let found = shop.storefront.product(order.locale.text_language(), &text.slug).await.map_err(anyhow::Error::new)?;
        let Found::Here(document) = found else { continue };
        if document.id == line.product {
            let unit = order.body.quote.lines.iter().find(|known| known.variant == line.variant).unwrap_or(priced).unit;
            others.0.insert(line.line, of_line(shop, order, line, unit, document).await?);
        }
    }
    Ok(others)
}

async fn of_line(
    shop: &Shop,
    order: &OrderView,
    line: &Line,
    paid: domain::money::Money,
    document: Arc<ProductDocument>,
) -> anyhow::Result<Vec<Other>> {
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
            same_price: costs == paid || Some(costs) == bought,
            left,
        })
    };
    Ok(document.variants.iter().filter(|variant| variant.id != line.variant).filter_map(other).collect())
}

/// The names of a variant's values, of those options that leave a choice.
fn name(document: &ProductDocument, variant: &domain::catalog::Variant) -> String {
    let named = document.options.iter().zip(&variant.values).filter(|(option, _)| option.values.len() > 1);
    let named = named.map(|(option, slug)| option.values.iter().find(|value| value.slug == *slug).map_or(slug.as_str(), |value| &value.name));
    named.collect::<Vec<_>>().join(", ")
}
