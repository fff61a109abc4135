//! One question to the index: which products, narrowed by what, in which order, and what each further choice would leave.

use super::{AsOf, Index, Inner, entry::Entry, number, words::query_terms};
use crate::{
    catalog::product::text,
    readmodel::{documents, records::bare_shelf},
};
use app::ports::storefront::{Facets, ListingQuery, OptionFacet, ShelfKey, View};
use domain::{
    ProductId,
    catalog::{CARDS_A_PAGE, Card, ListingPage, OptionValue},
    offer::{Instant, offer},
    search::{Filter, Sort},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

/// Values of one option that are offered to filter by.
const VALUES_MAX: usize = 40;

impl Index {
    /// Answers a question; `None` when there is no such shelf or page.
    pub fn query(&self, view: &View, query: &ListingQuery) -> Option<(ListingPage, Facets)> {
        let inner = self.read();
        let as_of = AsOf { language: view.text(), market: view.market.code, now: view.now };
        let text = query.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let scores = text.map(|text| inner.matches(text, as_of));
        let shelf = match (&query.shelf, text) {
            (Some(key), _) => inner.shelf(key, as_of.language)?,
            (None, Some(text)) => bare_shelf("search", String::new(), text.to_owned()),
            (None, None) if query.text.is_some() => bare_shelf("search", String::new(), String::new()),
            (None, None) => inner.shelf(&ShelfKey::All, as_of.language)?,
        };
        // An empty search finds nothing rather than everything.
        let nothing = query.text.is_some() && text.is_none();
        let on_shelf = inner.on_shelf(query.shelf.as_ref().unwrap_or(&ShelfKey::All));
        let candidates = on_shelf.filter(|_| !nothing).filter(|(_, id)| scores.as_ref().is_none_or(|scores| scores.contains_key(id)));
        let mut found = Vec::new();
        let mut facets = FacetCounter::default();
        let mut good_until = None;
        for (position, id) in candidates {
            let Some(entry) = inner.entries.get(id) else { continue };
            let outcome = Outcome::of(entry, &query.filter, as_of);
            good_until = earlier(good_until, outcome.changes_at);
            facets.count(entry, &query.filter, &outcome, as_of);
            if outcome.variants.iter().any(Passes::all) {
                let score = scores.as_ref().and_then(|scores| scores.get(id)).copied().unwrap_or(0);
                found.push(Hit { id: *id, position: *position, score, created_at: entry.product.created_at, price: outcome.lowest });
            }
        }
        sort(&mut found, query.sort);
        let total = found.len();
        let pages = total.div_ceil(CARDS_A_PAGE).max(1);
        let page = query.page.max(1);
        if page as usize > pages {
            return None;
        }
        let skip = (page as usize - 1) * CARDS_A_PAGE;
        let cards = found.iter().skip(skip).take(CARDS_A_PAGE).filter_map(|hit| inner.chosen_card(hit.id, &query.filter, as_of)).collect();
        Some((ListingPage { shelf, page, pages: number(pages), total: number(total), cards, good_until }, facets.finish()))
    }
}

/// The earlier of two instants that may not come.
fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

struct Hit {
    id: ProductId,
    position: i64,
    score: u32,
    created_at: i64,
    price: Option<i64>,
}

/// Sorts hits; ties keep the shop's own order.
fn sort(found: &mut [Hit], sort: Sort) {
    match sort {
        Sort::Featured => found.sort_by_key(|hit| (std::cmp::Reverse(hit.score), hit.position, hit.id)),
        Sort::Newest => found.sort_by_key(|hit| (std::cmp::Reverse(hit.created_at), hit.position, hit.id)),
        Sort::PriceAscending => found.sort_by_key(|hit| (hit.price.unwrap_or(i64::MAX), hit.position, hit.id)),
        Sort::PriceDescending => found.sort_by_key(|hit| (std::cmp::Reverse(hit.price), hit.position, hit.id)),
    }
}

/// What of a filter one variant passes. A variant that the market has no price for passes none.
struct Passes {
    price: bool,
    stock: bool,
    /// For each narrowed option, in the filter's order.
    options: Vec<bool>,
    minor: Option<i64>,
    buyable: bool,
}

impl Passes {
    fn all(&self) -> bool {
        self.minor.is_some() && self.price && self.stock && self.options.iter().all(|passes| *passes)
    }

    fn all_but_option(&self, but: Option<usize>) -> bool {
        self.minor.is_some() && self.price && self.stock && self.options.iter().enumerate().all(|(index, passes)| *passes || Some(index) == but)
    }
}

/// One product under a filter.
struct Outcome {
    variants: Vec<Passes>,
    lowest: Option<i64>,
    /// When one of the prices changes by itself.
    changes_at: Option<Instant>,
}

impl Outcome {
    fn of(entry: &Entry, filter: &Filter, as_of: AsOf) -> Self {
        let slots: Vec<(Option<usize>, &BTreeSet<String>)> =
            filter.options.iter().map(|(slug, values)| (entry.product.options.iter().position(|option| option.slug == *slug), values)).collect();
        let variants: Vec<Passes> = entry
            .variants
            .iter()
            .map(|variant| {
                let live = entry.live.variant(as_of.market, variant.id);
                let minor = live.and_then(|live| offer(&live.windows, as_of.now)).map(|offer| offer.price.minor);
                let buyable = live.is_some_and(|live| live.availability.buyable()) && minor.is_some();
                let above = filter.price_min.is_none_or(|min| minor.is_some_and(|minor| minor >= min));
                let below = filter.price_max.is_none_or(|max| minor.is_some_and(|minor| minor <= max));
                let value = |slot: Option<usize>| slot.and_then(|slot| variant.values.get(slot));
                Passes {
                    price: above && below,
                    stock: buyable || !filter.in_stock,
                    options: slots.iter().map(|(slot, values)| value(*slot).is_some_and(|value| values.contains(value))).collect(),
                    minor,
                    buyable,
                }
            })
            .collect();
        let changes_at = entry.live.changes_after(as_of.market, as_of.now);
        let lowest = variants.iter().filter_map(|variant| variant.minor).min();
        Self { variants, lowest, changes_at }
    }
}

/// Counts products for each choice, without the choice's own filter.
#[derive(Default)]
struct FacetCounter {
    options: Vec<OptionFacet>,
    places: HashMap<String, (usize, HashMap<String, usize>)>,
    /// Whether there is more than one price among them.
    prices: Option<(i64, bool)>,
    in_stock: u32,
}

impl FacetCounter {
    fn count(&mut self, entry: &Entry, filter: &Filter, outcome: &Outcome, as_of: AsOf) {
        for (slot, option) in entry.product.options.iter().enumerate() {
            let own = filter.options.keys().position(|slug| *slug == option.slug);
            let mut seen: BTreeMap<&String, bool> = BTreeMap::new();
            for (variant, passes) in entry.variants.iter().zip(&outcome.variants) {
                if passes.all_but_option(own)
                    && let Some(value) = variant.values.get(slot)
                {
                    seen.insert(value, true);
                }
            }
            let (place, values) = self.places.entry(option.slug.clone()).or_insert_with(|| {
                self.options.push(OptionFacet { slug: option.slug.clone(), name: text(&option.names, as_of.language), values: vec![] });
                (self.options.len() - 1, HashMap::new())
            });
            let listed = &mut self.options[*place].values;
            // In the product's own order of values, so that sizes stand as sizes do.
            for value in &option.values {
                if !seen.contains_key(&value.slug) {
                    continue;
                }
                let at = *values.entry(value.slug.clone()).or_insert_with(|| {
                    let value = OptionValue { slug: value.slug.clone(), name: text(&value.names, as_of.language), hex: value.hex.clone() };
                    listed.push((value, 0));
                    listed.len() - 1
                });
                listed[at].1 += 1;
            }
        }
        for passes in &outcome.variants {
            if let Some(minor) = passes.minor
                && passes.stock
                && passes.options.iter().all(|passes| *passes)
            {
                let (first, differ) = self.prices.unwrap_or((minor, false));
                self.prices = Some((first, differ || first != minor));
            }
        }
        if outcome.variants.iter().any(|passes| passes.buyable && passes.price && passes.options.iter().all(|passes| *passes)) {
            self.in_stock += 1;
        }
    }

    fn finish(self) -> Facets {
        let mut options = self.options;
        options.retain(|facet| !facet.values.is_empty());
        for facet in &mut options {
            facet.values.truncate(VALUES_MAX);
        }
        Facets { options, by_price: self.prices.is_some_and(|(_, differ)| differ), in_stock: self.in_stock }
    }
}

impl Inner {
    /// Products in which all terms of a text are found, with their scores.
    fn matches(&self, text: &str, as_of: AsOf) -> HashMap<ProductId, u32> {
        let Some(index) = self.words.get(&as_of.language) else { return HashMap::new() };
        let mut all: Option<HashMap<ProductId, u32>> = None;
        for term in query_terms(text, as_of.language) {
            let mut best: HashMap<ProductId, u32> = HashMap::new();
            for start in [Some(&term.word), term.singular.as_ref()].into_iter().flatten() {
                for (word, places) in index.range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded)) {
                    if !word.starts_with(start.as_str()) || (term.exact && word.len() != start.len()) {
                        break;
                    }
                    // A whole word counts twice what the beginning of a longer one does.
                    let factor = if word.len() == start.len() { 2 } else { 1 };
                    for (id, weight) in places {
                        let score = u32::from(*weight) * factor;
                        let known = best.entry(*id).or_default();
                        *known = score.max(*known);
                    }
                }
            }
            all = Some(match all {
                None => best,
                Some(all) => all.into_iter().filter_map(|(id, score)| best.get(&id).map(|more| (id, score + more))).collect(),
            });
        }
        all.unwrap_or_default()
    }

    /// A card that shows the first chosen colour of which something passes the filter.
    fn chosen_card(&self, id: ProductId, filter: &Filter, as_of: AsOf) -> Option<Card> {
        let mut card = self.card(id, as_of.language)?;
        if let Some(wanted) = filter.options.get("colour") {
            let entry = self.entries.get(&id)?;
            let slot = entry.product.options.iter().position(|option| option.slug == "colour")?;
            let outcome = Outcome::of(entry, filter, as_of);
            let passing = entry.variants.iter().zip(&outcome.variants).filter(|(_, passes)| passes.all());
            let value = passing.filter_map(|(variant, _)| variant.values.get(slot)).find(|value| wanted.contains(*value));
            if let Some(value) = value {
                documents::select(&mut card, value);
            }
        }
        Some(card)
    }
}
