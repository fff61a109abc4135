//! One product of a file into SQL: recognised by its handle, changed where the file says something else, untouched where it says the same.

use super::{
    body, names,
    report::{Outcome, Refusal},
    sheet::{Draft, DraftVariant},
};
use crate::{
    catalog::{
        demo::remember_stock,
        prices::{self, NewPrice},
        product::{OptionTexts, Product, ProductTexts, SlugKind, Status, Texts, ValueTexts, Variant, everywhere, give_slug},
        shelves::{Category, Tag, next_position},
        stock,
    },
    clock::Clock,
    events, params,
    readmodel::documents,
    search::fold,
    sql::Tx,
};
use domain::{
    ProductId, VariantId,
    event::Event,
    locale::TextLanguage,
    money::{Currency, Money},
    offer::Instant,
};

/// What the arguments say about the whole file.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub currency: Currency,
    pub language: TextLanguage,
    pub location: String,
    /// Price lists that get the file's prices.
    pub lists: Vec<String>,
    /// For the stock ledger.
    pub cause: String,
    pub now: Instant,
}

/// Writes one product.
pub(super) async fn product(tx: &mut Tx, clock: &Clock, terms: &Terms, draft: &Draft, categories: &mut Vec<Category>) -> anyhow::Result<Outcome> {
    let known = Product::by_handle(tx, &draft.handle).await?;
    if known.is_none() {
        if draft.title.is_none() {
            return Ok(Outcome::Refused(Refusal::new(draft.line, "Title", "is empty, and there is no such product yet")));
        }
        if draft.variants.is_empty() {
            return Ok(Outcome::Refused(Refusal::new(draft.line, "", "no variant of this product could be taken: it was left out")));
        }
    }
    let before = match &known {
        Some(product) => Variant::of(tx, product.id).await?,
        None => vec![],
    };
    let mut product = match &known {
        Some(product) => product.clone(),
        None => blank(tx, clock, draft, terms.now).await?,
    };
    let (options, slots) = match options(&product.options, draft, terms.language) {
        Ok(found) => found,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let reshaped = options.iter().map(|option| &option.slug).ne(product.options.iter().map(|option| &option.slug));
    product.options = options;
    describe(&mut product, draft, terms.language);
    product.category = category(tx, draft, terms.language, categories).await?.or(product.category);
    if let Some(names) = &draft.tags {
        product.tags = tags(tx, names, terms.language).await?;
    }
    if !draft.pictures.is_empty() {
        product.pictures = pictures(&product, draft, &slots, terms.language);
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
    if reshaped {
        // Variants of other options cannot be chosen any more; orders still name them.
        for variant in before.iter().filter(|variant| variant.active && variant.values.len() != product.options.len()) {
            Variant { active: false, ..variant.clone() }.update(tx).await?;
            changed = true;
        }
    }
    let mut offered = false;
    for (position, (line, values)) in (0..).zip(draft.variants.iter().zip(&slots)) {
        let existing = before.iter().find(|variant| variant.values == *values);
        let variant = Variant {
            id: existing.map_or_else(|| VariantId(clock.id()), |variant| variant.id),
            product: product.id,
            position: existing.map_or(position, |variant| variant.position),
            sku: line.sku.clone(),
            barcode: line.barcode.clone(),
            values: values.clone(),
            weight_g: line.weight_g.or(existing.map(|variant| variant.weight_g)).unwrap_or(0),
            tracked: line.tracked,
            oversell: line.oversell,
            active: true,
        };
        if existing != Some(&variant) {
            changed = true;
            if existing.is_some() { variant.update(tx).await? } else { variant.insert(tx).await? }
        }
        offered |= price(tx, clock, terms, line, &variant, known.is_some()).await?;
        offered |= count(tx, clock, terms, line, &variant).await?;
    }
    if changed {
        events::emit(tx, clock, &Event::ProductChanged { product: product.id }).await?;
    }
    let variants = draft.variants.len();
    Ok(match known {
        None => Outcome::New { variants },
        Some(_) if changed || offered => Outcome::Changed { variants },
        Some(_) => Outcome::Same { variants },
    })
}

async fn blank(tx: &mut Tx, clock: &Clock, draft: &Draft, now: Instant) -> anyhow::Result<Product> {
    Ok(Product {
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
        position: next_position(tx, "SELECT COALESCE(MAX(position), -1) + 1 AS n FROM products").await?,
        texts: ProductTexts::default(),
        options: vec![],
        pictures: vec![],
        created_at: now,
    })
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
    product.status = draft.status.unwrap_or(product.status);
    product.published = draft.published.unwrap_or(product.published);
}

/// The product's options with what the file adds, and each variant's values as slugs.
fn options(known: &[OptionTexts], draft: &Draft, language: TextLanguage) -> Result<(Vec<OptionTexts>, Vec<Vec<String>>), Refusal> {
    // A file of pictures or texts alone leaves the options as they are.
    if draft.variants.is_empty() {
        return Ok((known.to_vec(), vec![]));
    }
    let mut options: Vec<OptionTexts> = Vec::with_capacity(draft.options.len());
    for (index, name) in draft.options.iter().enumerate() {
        let column = format!("Option{} Name", index + 1);
        // "Ring size" may be what this shop calls its size: the name in the file's language decides before the slug does.
        let named = known.iter().find(|option| option.names.get(&language).is_some_and(|known| fold(known) == fold(name)));
        let slug = named.map(|option| option.slug.clone()).or_else(|| names::option_slug(name));
        let slug = slug.ok_or_else(|| Refusal::new(draft.line, &column, format!("{name:?} cannot be part of an address")))?;
        if options.iter().any(|option| option.slug == slug) {
            return Err(Refusal::new(draft.line, &column, format!("{name:?} is there twice")));
        }
        let mut option = match known.iter().find(|option| option.slug == slug) {
            Some(option) => option.clone(),
            None => OptionTexts { slug, names: everywhere(name), values: vec![] },
        };
        option.names.insert(language, name.clone());
        options.push(option);
    }
    let mut slots = Vec::with_capacity(draft.variants.len());
    for variant in &draft.variants {
        let mut slugs = Vec::with_capacity(options.len());
        for ((index, option), name) in options.iter_mut().enumerate().zip(&variant.values) {
            slugs.push(value(option, name, language).ok_or_else(|| {
                Refusal::new(variant.line, &format!("Option{} Value", index + 1), format!("{name:?} cannot be part of an address"))
            })?);
        }
        slots.push(slugs);
    }
    Ok((options, slots))
}

/// The slug of a value by its name in the file's language; a new one is added.
fn value(option: &mut OptionTexts, name: &str, language: TextLanguage) -> Option<String> {
    let folded = fold(name);
    let same = |value: &&mut ValueTexts| value.names.get(&language).is_some_and(|known| fold(known) == folded);
    if let Some(value) = option.values.iter_mut().find(same) {
        return Some(value.slug.clone());
    }
    let wanted = names::slug(name)?;
    // A value that has no name in this language yet is known by its slug.
    if let Some(value) = option.values.iter_mut().find(|value| value.slug == wanted && !value.names.contains_key(&language)) {
        value.names.insert(language, name.to_owned());
        return Some(wanted);
    }
    let taken = |slug: &str| option.values.iter().any(|value| value.slug == slug);
    let slug = if taken(&wanted) { (2..1_000).map(|n| format!("{wanted}-{n}")).find(|slug| !taken(slug))? } else { wanted };
    option.values.push(ValueTexts { slug: slug.clone(), names: everywhere(name), hex: None });
    Some(slug)
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

async fn tags(tx: &mut Tx, names: &[String], language: TextLanguage) -> anyhow::Result<Vec<String>> {
    let mut keys: Vec<String> = Vec::new();
    for name in names {
        let Some(key) = names::slug(name).filter(|key| !keys.contains(key)) else { continue };
        if tx.first("SELECT key FROM tags WHERE key = $1", params![&key]).await?.is_none() {
            Tag { key: key.clone(), titles: Texts::from([(language, name.clone())]), descriptions: Texts::new() }.add(tx).await?;
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The pictures with the colour that each shows and the alternative text that the file gives it.
fn pictures(product: &Product, draft: &Draft, slots: &[Vec<String>], language: TextLanguage) -> Vec<crate::catalog::product::PictureTexts> {
    let colour = product.options.iter().position(|option| option.slug == "colour");
    let options = documents::options(product, language);
    let mut pictures = draft.pictures.clone();
    for picture in &mut pictures {
        let shown = draft.variants.iter().zip(slots).filter(|(variant, _)| variant.image.as_ref() == Some(&picture.named));
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

/// Sets the variant's price in every list. Whether anything changed.
async fn price(tx: &mut Tx, clock: &Clock, terms: &Terms, line: &DraftVariant, variant: &Variant, tell: bool) -> anyhow::Result<bool> {
    let mut changed = false;
    for list in &terms.lists {
        changed |= match line.price {
            Some(minor) => {
                let price = Money::new(minor, terms.currency);
                prices::set(tx, clock, NewPrice { list, variant: variant.id, price, compare_at: line.compare_at, source: "import" }, terms.now)
                    .await?
            }
            None => prices::end(tx, list, variant.id, terms.now).await?,
        };
    }
    if changed && tell {
        events::emit(tx, clock, &Event::PriceChanged { product: variant.product, variant: variant.id }).await?;
    }
    Ok(changed)
}

/// Applies the difference between what this file counts and what the last one counted, so that sold pieces never come back. Whether
/// anything changed.
async fn count(tx: &mut Tx, clock: &Clock, terms: &Terms, line: &DraftVariant, variant: &Variant) -> anyhow::Result<bool> {
    let Some(quantity) = line.quantity.filter(|_| line.tracked) else { return Ok(false) };
    // What a shop owes counts as nothing there.
    let quantity = quantity.max(0);
    let item = stock::Item { product: variant.product, variant: variant.id };
    let last = tx
        .first("SELECT quantity FROM imported_stock WHERE variant_id = $1 AND location = $2", params![variant.id, &terms.location])
        .await?
        .map(|row| row.int("quantity"))
        .transpose()?;
    match last {
        Some(last) if last == quantity => return Ok(false),
        Some(last) => stock::adjust(tx, clock, item, &terms.location, quantity - last, "import", &terms.cause).await?,
        None => stock::receipt(tx, clock, item, &terms.location, u32::try_from(quantity)?, &terms.cause).await?,
    }
    remember_stock(tx, variant.id, &terms.location, quantity).await?;
    Ok(true)
}
