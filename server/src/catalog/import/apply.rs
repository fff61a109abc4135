//! One product of a file into SQL: recognised by its handle, changed where the file says something else, untouched where it says the same
//! or nothing. Options, prices and pieces have modules of their own.

use super::{
    body, names,
    offers::{self, Known, Line},
    options::{self, Choices},
    report::{Became, Outcome, Refusal},
    sheet::{Draft, Hidden},
    variant::DraftVariant,
};
use crate::{
    catalog::{
        product::{OptionTexts, PictureTexts, Product, ProductTexts, SlugKind, Status, Texts, Variant, give_slug},
        shelves::{Category, Tag, next_position},
    },
    clock::Clock,
    events, params,
    readmodel::documents,
    search::fold,
    sql::Tx,
};
use domain::{ProductId, VariantId, event::Event, locale::TextLanguage, money::Currency, offer::Instant};
use std::collections::HashSet;

/// What the arguments say about the whole file.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub currency: Currency,
    pub language: TextLanguage,
    /// Where pieces are booked.
    pub location: String,
    /// Whether the file counts the pieces of that location alone; else all of the shop.
    pub is_one_location: bool,
    /// Price lists that get the file's prices.
    pub lists: Vec<String>,
    /// For the stock ledger.
    pub cause: String,
    pub now: Instant,
}

/// What new products of one transaction go to.
#[derive(Clone, Debug)]
pub(super) struct Shelves {
    categories: Vec<Category>,
    /// Keys of tags that are there for sure.
    tags: HashSet<String>,
    /// The place after the last product; `None` until it is asked for.
    next: Option<i64>,
}

impl Shelves {
    pub(super) fn new(categories: Vec<Category>) -> Self {
        Self { categories, tags: HashSet::new(), next: None }
    }

    async fn next(&mut self, tx: &mut Tx) -> anyhow::Result<i64> {
        let next = match self.next {
            Some(next) => next,
            None => next_position(tx, "SELECT COALESCE(MAX(position), -1) + 1 AS n FROM products").await?,
        };
        self.next = Some(next + 1);
        Ok(next)
    }
}

/// Writes one product. One that is refused has written nothing.
pub(super) async fn product(tx: &mut Tx, clock: &Clock, terms: &Terms, draft: &Draft, shelves: &mut Shelves) -> anyhow::Result<Outcome> {
    let line = draft.opened.unwrap_or(0);
    let known = Product::by_handle(tx, &draft.handle).await?;
    if known.is_none() && draft.title.is_none() && !draft.is_title_bad {
        return Ok(Outcome::left_out(vec![Refusal::new(line, "Title", "is empty, and there is no such product yet")]));
    }
    let choices = match options::choices(known.as_ref().map(|known| known.options.as_slice()), draft, terms.language) {
        Ok(choices) => choices,
        Err(refusal) => return Ok(Outcome::left_out(vec![refusal])),
    };
    let Choices { options, variants, mut refusals } = choices;
    if known.is_none() && variants.is_empty() {
        refusals.push(Refusal::new(line, "", "no variant of this product could be taken: it was left out"));
        return Ok(Outcome::left_out(refusals));
    }
    let (before, offers) = match &known {
        Some(product) => (Variant::of(tx, product.id).await?, Known::of(tx, product.id, terms).await?),
        None => (vec![], Known::default()),
    };
    let mut product = match &known {
        Some(product) => product.clone(),
        None => blank(clock, draft, terms, shelves.next(tx).await?),
    };
    let is_reshaped = options.iter().map(|option| &option.slug).ne(product.options.iter().map(|option| &option.slug));
    product.options = options;
    describe(&mut product, draft, terms.language);
    if known.is_none() {
        hide(&mut product, draft);
    }
    product.category = category(tx, draft, terms.language, &mut shelves.categories).await?.or(product.category);
    if let Some(names) = &draft.tags {
        product.tags = tags(tx, names, terms.language, &mut shelves.tags).await?;
    }
    if !draft.pictures.is_empty() {
        product.pictures = pictures(&product, draft, &variants, terms.language);
    }

    let mut changed = known.as_ref() != Some(&product);
    match &known {
        None => {
            product.insert(tx, terms.now).await?;
            give_slug(tx, SlugKind::Product, &draft.handle, &product.id.to_string()).await?;
        }
        Some(_) if changed => product.update(tx, terms.now).await?,
        Some(_) => {}
    }
    if is_reshaped {
        // The file names other options: variants of the former ones cannot be chosen any more; orders still name them.
        for variant in before.iter().filter(|variant| variant.active && !can_be_chosen(variant, &product.options)) {
            Variant { active: false, ..variant.clone() }.update(tx).await?;
            changed = true;
        }
    }
    let mut offered = false;
    for (position, (line, values)) in (0..).zip(&variants) {
        let existing = before.iter().find(|variant| variant.values == *values);
        let keep = |said: &Option<String>, known: fn(&Variant) -> &String| said.clone().or_else(|| existing.map(known).cloned()).unwrap_or_default();
        let variant = Variant {
            id: existing.map_or_else(|| VariantId(clock.id()), |variant| variant.id),
            product: product.id,
            position: existing.map_or(position, |variant| variant.position),
            sku: keep(&line.sku, |variant| &variant.sku),
            barcode: keep(&line.barcode, |variant| &variant.barcode),
            values: values.clone(),
            weight_g: line.weight_g.or(existing.map(|variant| variant.weight_g)).unwrap_or(0),
            handling_days: line.handling_days.or(existing.map(|variant| variant.handling_days)).unwrap_or(0),
            tracked: line.tracked.or(existing.map(|variant| variant.tracked)).unwrap_or(line.tracked_if_new),
            oversell: line.oversell.or(existing.map(|variant| variant.oversell)).unwrap_or(false),
            active: true,
        };
        if existing != Some(&variant) {
            changed = true;
            if existing.is_some() { variant.update(tx).await? } else { variant.insert(tx).await? }
        }
        let line = Line { draft: line, variant: &variant, is_new: existing.is_none() };
        offered |= offers::price(tx, clock, terms, &offers, &line).await?;
        offered |= offers::count(tx, clock, terms, &offers, &line).await?;
    }
    if changed {
        events::emit(tx, clock, &Event::ProductChanged { product: product.id }).await?;
    }
    let became = match known {
        None if draft.hidden.is_some() => Became::NewHidden,
        None => Became::New,
        Some(_) if changed || offered => Became::Changed,
        Some(_) => Became::Same,
    };
    Ok(Outcome { became, variants: variants.len(), refusals })
}

fn can_be_chosen(variant: &Variant, options: &[OptionTexts]) -> bool {
    let has = |(option, slug): (&OptionTexts, &String)| option.values.iter().any(|value| value.slug == *slug);
    variant.values.len() == options.len() && options.iter().zip(&variant.values).all(has)
}

/// A new product, called by its handle until a title can be read.
fn blank(clock: &Clock, draft: &Draft, terms: &Terms, position: i64) -> Product {
    let title = Texts::from([(terms.language, draft.handle.clone())]);
    Product {
        id: ProductId(clock.id()),
        handle: draft.handle.clone(),
        status: Status::Active,
        published: true,
        vendor: String::new(),
        category: None,
        tags: vec![],
        tax_category: "standard".to_owned(),
        hs_code: String::new(),
        origin: String::new(),
        position,
        texts: ProductTexts { title, ..ProductTexts::default() },
        options: vec![],
        pictures: vec![],
        created_at: terms.now,
    }
}

/// What the file says about the product as a whole. Empty cells say nothing.
fn describe(product: &mut Product, draft: &Draft, language: TextLanguage) {
    let texts = &mut product.texts;
    let set = |texts: &mut Texts, text: &Option<String>| {
        if let Some(text) = text {
            texts.insert(language, text.clone());
        }
    };
    set(&mut texts.title, &draft.title);
    set(&mut texts.seo_title, &draft.seo_title);
    set(&mut texts.seo_description, &draft.seo_description);
    set(&mut texts.summary, &draft.seo_description);
    if let Some(html) = &draft.body {
        let body = body::read(html);
        if !body.details.is_empty() {
            texts.details.insert(language, body.details);
        }
        texts.summary.entry(language).or_insert_with(|| body::summary(&body.html));
        texts.description_html.insert(language, body.html);
    }
    if let Some(vendor) = &draft.vendor {
        product.vendor.clone_from(vendor);
    }
    if let Some(category) = &draft.tax_category {
        product.tax_category.clone_from(category);
    }
    product.status = draft.status.unwrap_or(product.status);
    product.published = draft.published.unwrap_or(product.published);
}

/// Keeps a new product from readers until a mended file shows it, when something about it as a whole could not be read.
fn hide(product: &mut Product, draft: &Draft) {
    match draft.hidden {
        Some(Hidden::Draft) if product.status == Status::Active => product.status = Status::Draft,
        Some(Hidden::Unpublished) => product.published = false,
        Some(Hidden::Draft) | None => {}
    }
}

/// The category's key: one that has this title in any language, or a new one.
async fn category(tx: &mut Tx, draft: &Draft, language: TextLanguage, categories: &mut Vec<Category>) -> anyhow::Result<Option<String>> {
    let Some(title) = &draft.category else { return Ok(None) };
    let Some(key) = names::slug(title) else { return Ok(None) };
    let folded = fold(title);
    let named = |category: &&Category| category.key == key || category.titles.values().any(|known| fold(known) == folded);
    if let Some(category) = categories.iter().find(named) {
        return Ok(Some(category.key.clone()));
    }
    let new = Category {
        key: key.clone(),
        titles: Texts::from([(language, title.clone())]),
        descriptions: Texts::new(),
        seo_titles: Texts::new(),
        seo_descriptions: Texts::new(),
        tile: None,
    };
    new.add(tx).await?;
    categories.push(new);
    Ok(Some(key))
}

async fn tags(tx: &mut Tx, names: &[String], language: TextLanguage, known: &mut HashSet<String>) -> anyhow::Result<Vec<String>> {
    let mut keys: Vec<String> = Vec::new();
    for name in names {
        let Some(key) = names::slug(name).filter(|key| !keys.contains(key)) else { continue };
        if known.insert(key.clone()) && tx.first("SELECT key FROM tags WHERE key = $1", params![&key]).await?.is_none() {
            Tag { key: key.clone(), titles: Texts::from([(language, name.clone())]), descriptions: Texts::new() }.add(tx).await?;
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The pictures with the colour that each shows and the alternative text that the file gives it.
fn pictures(product: &Product, draft: &Draft, variants: &[(&DraftVariant, Vec<String>)], language: TextLanguage) -> Vec<PictureTexts> {
    let colour = product.options.iter().position(|option| option.slug == "colour");
    let options = documents::options(product, language);
    let mut pictures = draft.pictures.clone();
    for picture in &mut pictures {
        let shown = variants.iter().filter(|(variant, _)| variant.image.as_ref() == Some(&picture.named));
        let mut values: Vec<&String> = shown.filter_map(|(_, values)| values.get(colour?)).collect();
        values.dedup();
        if let ([value], None) = (values.as_slice(), &picture.value) {
            picture.value = Some((*value).clone());
        }
        let alt = draft.images.iter().find(|image| image.src == picture.named).map(|image| image.alt.as_str()).filter(|alt| !alt.is_empty());
        if let Some(alt) = alt {
            let said = documents::picture(picture, &product.texts.alt, &options, language).alt;
            if said != alt {
                picture.alts.insert(language, alt.to_owned());
            }
        }
    }
    pictures
}
