//! From a product in all languages to what a reader of one language sees.

use crate::{
    catalog::product::{OptionTexts, PictureTexts, Product, Texts, Variant, pick, text},
    readmodel::records::{Record, Shared},
};
use domain::{
    ProductId,
    catalog::{self, Card, CardHead, OptionValue, Picture, ProductDocument, ProductOption, Shelf},
    locale::TextLanguage,
    market::MarketCode,
};
use std::collections::{BTreeMap, BTreeSet};

/// The product's page in one language.
pub fn document(
    record: &Record,
    language: TextLanguage,
    version: u64,
    shared: &Shared,
    goes_with: Vec<ProductId>,
    unsold: BTreeSet<MarketCode>,
) -> ProductDocument {
    let product = &record.product;
    let texts = &product.texts;
    let options = options(product, language);
    let title = text(&texts.title, language);
    let seo_title = Some(text(&texts.seo_title, language)).filter(|text| !text.is_empty()).unwrap_or_else(|| title.clone());
    let category = product.category.as_deref().and_then(|key| shared.category(key));
    ProductDocument {
        id: product.id,
        version,
        language,
        slugs: record.slugs.clone(),
        summary: text(&texts.summary, language),
        description_html: text(&texts.description_html, language),
        details: pick(&texts.details, language).cloned().unwrap_or_default(),
        materials: pick(&texts.materials, language).cloned().unwrap_or_default(),
        vendor: product.vendor.clone(),
        category: category.map(|category| (category.key.clone(), text(&category.titles, language))),
        tags: product.tags.clone(),
        variants: record.variants.iter().map(variant).collect(),
        pictures: pictures(product, &options, language),
        options,
        seo_title,
        seo_description: text(&texts.seo_description, language),
        origin: product.origin.clone(),
        goes_with,
        unsold,
        title,
    }
}

/// A card made from the product itself.
pub fn card(product: &Product, slugs: &BTreeMap<TextLanguage, String>, variants: &[Variant], language: TextLanguage) -> Card {
    let options = options(product, language);
    let pictures = pictures(product, &options, language);
    let head = CardHead {
        id: product.id,
        slug: slugs.get(&language).or_else(|| slugs.values().next()).cloned().unwrap_or_default(),
        title: text(&product.texts.title, language),
        category: product.category.clone().unwrap_or_default(),
        first_variant: variants.first().map(|variant| variant.id),
    };
    head.card(&product.tags, &options, &pictures)
}

/// Makes a card show a colour and lead to it.
pub fn select(card: &mut Card, value: &str) {
    if let Some(colour) = card.colours.iter().find(|colour| colour.value.slug == value) {
        if colour.picture.is_some() {
            card.picture = colour.picture.clone();
        }
        card.selected = Some(value.to_owned());
    }
}

/// A category in one language, without its count.
pub fn category_shelf(category: &crate::catalog::shelves::Category, slug: String, language: TextLanguage) -> Shelf {
    let or = |texts: &Texts, other: &Texts| Some(text(texts, language)).filter(|text| !text.is_empty()).unwrap_or_else(|| text(other, language));
    Shelf {
        key: category.key.clone(),
        slug,
        title: text(&category.titles, language),
        description: text(&category.descriptions, language),
        seo_title: or(&category.seo_titles, &category.titles),
        seo_description: or(&category.seo_descriptions, &category.descriptions),
        count: 0,
        counts: BTreeMap::new(),
        tile: category.tile.as_ref().map(|tile| picture(tile, &Texts::new(), &[], language)),
    }
}

/// The options of a product in one language.
pub fn options(product: &Product, language: TextLanguage) -> Vec<ProductOption> {
    product.options.iter().map(|option| one_option(option, language)).collect()
}

fn one_option(option: &OptionTexts, language: TextLanguage) -> ProductOption {
    let value = |value: &crate::catalog::product::ValueTexts| OptionValue {
        slug: value.slug.clone(),
        name: text(&value.names, language),
        hex: value.hex.clone(),
    };
    ProductOption { slug: option.slug.clone(), name: text(&option.names, language), values: option.values.iter().map(value).collect() }
}

fn variant(variant: &Variant) -> catalog::Variant {
    catalog::Variant {
        id: variant.id,
        sku: variant.sku.clone(),
        values: variant.values.clone(),
        weight_g: u32::try_from(variant.weight_g).unwrap_or(0),
    }
}

pub fn pictures(product: &Product, options: &[ProductOption], language: TextLanguage) -> Vec<Picture> {
    let template = if product.texts.alt.is_empty() { &product.texts.title } else { &product.texts.alt };
    product.pictures.iter().map(|texts| picture(texts, template, options, language)).collect()
}

/// A picture in one language: its own alternative text, or the product's template with the colour's name.
pub fn picture(texts: &PictureTexts, template: &Texts, options: &[ProductOption], language: TextLanguage) -> Picture {
    let alt = texts.alts.get(&language).cloned().unwrap_or_else(|| {
        let template = pick(template, language).or_else(|| pick(&texts.alts, language)).cloned().unwrap_or_default();
        let colour = options
            .iter()
            .flat_map(|option| &option.values)
            .find(|value| Some(&value.slug) == texts.value.as_ref())
            .map(|value| if is_lower_cased(language) { value.name.to_lowercase() } else { value.name.clone() });
        template.replace("{colour}", &colour.unwrap_or_default()).trim().to_owned()
    });
    Picture { source: texts.source.clone(), width: texts.width, height: texts.height, alt, value: texts.value.clone(), view: texts.view.clone() }
}

/// Whether a colour's name loses its capital within a sentence.
const fn is_lower_cased(language: TextLanguage) -> bool {
    matches!(language, TextLanguage::EnUs | TextLanguage::EnGb | TextLanguage::Fr)
}
