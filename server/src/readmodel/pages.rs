//! Pages of blocks and help pages: from all languages in SQL to one language in a document.

use crate::{
    catalog::{
        demo,
        help::HelpTexts,
        product::{Lines, PictureTexts, Texts, pick, text},
    },
    readmodel::documents,
    search::Index,
};
use anyhow::Context as _;
use app::ports::storefront::{Help, ShelfKey};
use domain::{
    catalog::{CARDS_A_PAGE, Card, Picture, PictureSource},
    locale::TextLanguage,
    page::{Block, PageDocument, Target},
};
use edge_replica::stored::HelpDocument;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// A page of blocks as SQL keeps it.
#[derive(Clone, Debug, Deserialize)]
pub struct PageTexts {
    slug: String,
    seo_title: Texts,
    seo_description: Texts,
    blocks: Vec<BlockTexts>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockTexts {
    Hero {
        image: String,
        alt: Texts,
        #[serde(default)]
        dark: bool,
        #[serde(default)]
        kicker: Texts,
        heading: Texts,
        text: Texts,
        button: Option<Button>,
        /// Handle of a product in the picture.
        product: Option<String>,
    },
    CategoryTiles {
        heading: Texts,
    },
    ProductGrid {
        heading: Texts,
        rule: Rule,
        more: Option<String>,
    },
    ImageText {
        image: Image,
        alt: Texts,
        category: String,
        heading: Texts,
        text: Texts,
        side: String,
        target: Option<String>,
    },
    RichText {
        heading: Texts,
        paragraphs: Lines,
    },
    Banner {
        text: Texts,
        target: String,
    },
    Quote {
        text: Texts,
        attribution: Texts,
    },
    Newsletter {
        heading: Texts,
        text: Texts,
        /// The label of the field for the address.
        label: Texts,
        button: Texts,
        consent: Texts,
    },
}

#[derive(Clone, Debug, Deserialize)]
struct Button {
    label: Texts,
    target: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Rule {
    tag: Option<String>,
    #[serde(default)]
    category: Option<String>,
    /// Handles, in the order in which they are shown.
    #[serde(default)]
    products: Vec<String>,
    limit: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Image {
    Hero(String),
    OfProduct { product: String, variant: String, view: String },
}

impl PageTexts {
    pub fn read(json: &str) -> anyhow::Result<Self> {
        serde_json::from_str(json).context("a page of blocks")
    }

    /// The home page of a shop whose seller has not made one: its products and its shelves.
    pub fn plain_home() -> Self {
        let words = |texts: [&str; 6]| TextLanguage::ALL.into_iter().zip(texts.map(str::to_owned)).collect::<Texts>();
        let title = words(["Everything", "Everything", "Alles", "Tout", "すべての商品", "전체 상품"]);
        Self {
            slug: "home".to_owned(),
            seo_title: words(["NextGen Commerce"; 6]),
            seo_description: Texts::new(),
            blocks: vec![
                BlockTexts::ProductGrid { heading: title, rule: Rule { tag: None, category: None, products: vec![], limit: 8 }, more: None },
                BlockTexts::CategoryTiles { heading: words(["Categories", "Categories", "Kategorien", "Rayons", "カテゴリー", "카테고리"]) },
            ],
        }
    }

    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// The page in one language. A block whose product or picture is not there is left out.
    pub fn document(&self, language: TextLanguage, version: u64, index: &Index, pictures: &BTreeMap<String, demo::Sizes>) -> PageDocument {
        let view = Reader { page: &self.slug, language, index, pictures };
        PageDocument {
            slug: self.slug.clone(),
            version,
            language,
            seo_title: text(&self.seo_title, language),
            seo_description: text(&self.seo_description, language),
            blocks: self.blocks.iter().filter_map(|block| view.block(block)).collect(),
        }
    }
}

struct Reader<'a> {
    page: &'a str,
    language: TextLanguage,
    index: &'a Index,
    pictures: &'a BTreeMap<String, demo::Sizes>,
}

impl Reader<'_> {
    fn text(&self, texts: &Texts) -> String {
        text(texts, self.language)
    }

    fn block(&self, block: &BlockTexts) -> Option<Block> {
        Some(match block {
            BlockTexts::Hero { image, alt, dark, kicker, heading, text, button, product } => Block::Hero {
                picture: self.scene(image, alt)?,
                dark: *dark,
                kicker: self.text(kicker),
                heading: self.text(heading),
                text: self.text(text),
                button: button.as_ref().and_then(|button| Some((self.text(&button.label), self.target(&button.target)?))),
                product: product.as_deref().and_then(|handle| self.index.card_by_handle(handle, self.language)).map(Box::new),
            },
            BlockTexts::CategoryTiles { heading } => Block::CategoryTiles { heading: self.text(heading) },
            BlockTexts::ProductGrid { heading, rule, more } => {
                let limit = rule.limit.min(CARDS_A_PAGE);
                let cards = self.cards(rule, limit);
                if cards.is_empty() {
                    return None;
                }
                Block::ProductGrid { heading: self.text(heading), cards, limit, more: more.as_deref().and_then(|target| self.target(target)) }
            }
            BlockTexts::ImageText { image, alt, category, heading, text, side, target } => Block::ImageText {
                picture: match image {
                    Image::Hero(name) => self.scene(name, alt)?,
                    Image::OfProduct { product, variant, view } => self.of_product(product, variant, view, alt)?,
                },
                category: category.clone(),
                heading: self.text(heading),
                text: self.text(text),
                picture_left: side == "left",
                target: target.as_deref().and_then(|target| self.target(target)),
            },
            BlockTexts::RichText { heading, paragraphs } => {
                Block::RichText { heading: self.text(heading), paragraphs: pick(paragraphs, self.language).cloned().unwrap_or_default() }
            }
            BlockTexts::Banner { text, target } => Block::Banner { text: self.text(text), target: self.target(target)? },
            BlockTexts::Quote { text, attribution } => Block::Quote { text: self.text(text), attribution: self.text(attribution) },
            BlockTexts::Newsletter { heading, text, label, button, consent } => {
                let consent = self.text(consent);
                Block::Newsletter {
                    page: self.page.to_owned(),
                    heading: self.text(heading),
                    text: self.text(text),
                    label: self.text(label),
                    button: self.text(button),
                    consent_name: format!("{}-{}", self.page, print(&consent)),
                    consent,
                }
            }
        })
    }

    fn cards(&self, rule: &Rule, limit: usize) -> Vec<Card> {
        if !rule.products.is_empty() {
            return rule.products.iter().filter_map(|handle| self.index.card_by_handle(handle, self.language)).collect();
        }
        let key = match (&rule.tag, &rule.category) {
            (Some(tag), _) => ShelfKey::Tag(tag.clone()),
            (None, Some(category)) => ShelfKey::Category(category.clone()),
            (None, None) => ShelfKey::All,
        };
        self.index.first_cards(&key, self.language, limit)
    }

    fn scene(&self, name: &str, alt: &Texts) -> Option<Picture> {
        let path = format!("heroes/{name}");
        let sizes = self.pictures.get(&path)?;
        Some(Picture {
            source: PictureSource::Sized { path, widths: sizes.widths.clone() },
            width: sizes.width,
            height: sizes.height,
            alt: self.text(alt),
            value: None,
            view: String::new(),
        })
    }

    fn of_product(&self, handle: &str, value: &str, view: &str, alt: &Texts) -> Option<Picture> {
        let (product, _) = self.index.by_handle(handle)?;
        let fits = |picture: &&PictureTexts| picture.value.as_deref() == Some(value) && picture.view == view;
        let texts = product.pictures.iter().find(fits).or_else(|| product.pictures.first())?;
        Some(documents::picture(&PictureTexts { alts: alt.clone(), ..texts.clone() }, alt, &[], self.language))
    }

    /// `category:desk`, `tag:new`, `product:city-backpack`, `page:summer`.
    fn target(&self, target: &str) -> Option<Target> {
        let (kind, key) = target.split_once(':')?;
        Some(match kind {
            "category" => Target::Category(key.to_owned()),
            "tag" => Target::Tag(key.to_owned()),
            "product" => {
                let (_, slugs) = self.index.by_handle(key)?;
                Target::Product(slugs.get(&self.language).or_else(|| slugs.values().next())?.clone())
            }
            "page" => Target::Page(key.to_owned()),
            _ => return None,
        })
    }
}

/// Tells one text from others: the first four bytes of its SHA-256, in hex.
fn print(text: &str) -> String {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

/// A help page in one language, for all markets.
pub fn help_document(texts: &HelpTexts, language: TextLanguage) -> HelpDocument {
    let facts = |facts: &[(Texts, Texts)]| facts.iter().map(|(label, value)| (text(label, language), text(value, language))).collect();
    let title = text(&texts.title, language);
    HelpDocument {
        help: Help {
            slug: texts.slug.clone(),
            seo_title: Some(text(&texts.seo_title, language)).filter(|text| !text.is_empty()).unwrap_or_else(|| title.clone()),
            seo_description: text(&texts.seo_description, language),
            intro: Some(text(&texts.intro, language)).filter(|text| !text.is_empty()),
            sections: texts
                .sections
                .iter()
                .map(|section| (text(&section.heading, language), pick(&section.paragraphs, language).cloned().unwrap_or_default()))
                .collect(),
            facts: facts(&texts.facts),
            title,
        },
        market_facts: texts.market_facts.iter().map(|(market, of_market)| (*market, facts(of_market))).collect(),
    }
}
