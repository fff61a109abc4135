//! What the file's variants choose, in the shop's words: options and values as slugs. A file that does not name the options of a product
//! says nothing about them: they stay, and its rows are told by them.

use super::{names, report::Refusal, sheet::Draft, variant::DraftVariant};
use crate::{
    catalog::product::{OptionTexts, ValueTexts, everywhere},
    search::fold,
};
use domain::locale::TextLanguage;

/// A product's options with what the file adds, and the variants that can be told.
pub(super) struct Choices<'a> {
    pub options: Vec<OptionTexts>,
    /// Each with its values' slugs, one for each option.
    pub variants: Vec<(&'a DraftVariant, Vec<String>)>,
    /// Rows whose variant cannot be told.
    pub refusals: Vec<Refusal>,
}

/// Reads the choices of a product; `known` are the options that it has, `None` for a new one. An error: the product cannot be taken.
pub(super) fn choices<'a>(known: Option<&[OptionTexts]>, draft: &'a Draft, language: TextLanguage) -> Result<Choices<'a>, Refusal> {
    let mut options = match (known, &draft.options) {
        // A file of pictures or texts alone leaves the options as they are.
        (Some(known), _) if draft.variants.is_empty() => known.to_vec(),
        (_, Some(names)) => named(known.unwrap_or_default(), names, draft.opened.unwrap_or(0), language)?,
        (Some(known), None) => known.to_vec(),
        (None, None) => match draft.variants.iter().find_map(|variant| variant.values.first().map(|value| (variant.line, value))) {
            Some((line, value)) => {
                let reason = format!("is not said, and there is no such product yet: nobody can tell what {value:?} is");
                return Err(Refusal::new(line, "Option1 Name", reason));
            }
            None => vec![],
        },
    };
    let mut choices = Choices { options: vec![], variants: Vec::with_capacity(draft.variants.len()), refusals: vec![] };
    for variant in &draft.variants {
        let told = if draft.options.is_some() { slugs(&mut options, variant, language) } else { known_slugs(&options, variant, language) };
        match told {
            Ok(slugs) if choices.variants.iter().any(|(_, known)| *known == slugs) => choices.refusals.push(variant.is_there_already()),
            Ok(slugs) => choices.variants.push((variant, slugs)),
            Err(refusal) => choices.refusals.push(refusal),
        }
    }
    choices.options = options;
    Ok(choices)
}

/// The options of these names, with the values that the shop knows.
fn named(known: &[OptionTexts], names: &[String], line: u64, language: TextLanguage) -> Result<Vec<OptionTexts>, Refusal> {
    let mut options: Vec<OptionTexts> = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let column = format!("Option{} Name", index + 1);
        // "Ring size" may be what this shop calls its size: the name in the file's language decides before the slug does.
        let same = known.iter().find(|option| option.names.get(&language).is_some_and(|known| fold(known) == fold(name)));
        let slug = same.map(|option| option.slug.clone()).or_else(|| names::option_slug(name));
        let slug = slug.ok_or_else(|| Refusal::new(line, &column, format!("{name:?} cannot be part of an address")))?;
        if options.iter().any(|option| option.slug == slug) {
            return Err(Refusal::new(line, &column, format!("{name:?} is there twice")));
        }
        let mut option = match known.iter().find(|option| option.slug == slug) {
            Some(option) => option.clone(),
            None => OptionTexts { slug, names: everywhere(name), values: vec![] },
        };
        option.names.insert(language, name.clone());
        options.push(option);
    }
    Ok(options)
}

/// A variant's values; new ones are added to their options.
fn slugs(options: &mut [OptionTexts], variant: &DraftVariant, language: TextLanguage) -> Result<Vec<String>, Refusal> {
    let mut slugs = Vec::with_capacity(options.len());
    for ((index, option), name) in options.iter_mut().enumerate().zip(&variant.values) {
        let slug = value(option, name, language).ok_or_else(|| unread(variant, index, format!("{name:?} cannot be part of an address")))?;
        slugs.push(slug);
    }
    Ok(slugs)
}

/// A variant's values where the file does not name the options: by what the shop knows, since in an order that nobody named a new value
/// might be any option's.
fn known_slugs(options: &[OptionTexts], variant: &DraftVariant, language: TextLanguage) -> Result<Vec<String>, Refusal> {
    let mut slugs = Vec::with_capacity(options.len());
    for (index, option) in options.iter().enumerate() {
        let Some(name) = variant.values.get(index) else {
            return Err(unread(variant, index, format!("is empty, and the product is chosen by its {}", option.slug)));
        };
        let (folded, slug) = (fold(name), names::slug(name));
        let known = |value: &&ValueTexts| value.names.get(&language).map_or(slug.as_ref() == Some(&value.slug), |known| fold(known) == folded);
        let value = option.values.iter().find(known);
        slugs.push(value.map(|value| value.slug.clone()).ok_or_else(|| {
            unread(variant, index, format!("{name:?} is no {} of this product, and no row that can be read names a new one", option.slug))
        })?);
    }
    if let Some(name) = variant.values.get(options.len()) {
        return Err(unread(
            variant,
            options.len(),
            format!("{name:?} chooses what this product does not have, and no row that can be read names it"),
        ));
    }
    Ok(slugs)
}

fn unread(variant: &DraftVariant, index: usize, reason: String) -> Refusal {
    Refusal::new(variant.line, &format!("Option{} Value", index + 1), reason)
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
