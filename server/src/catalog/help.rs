//! Help pages in every language and market: what SQL keeps of them, and how the shop's policies become them.

use crate::catalog::product::{Lines, Texts, everywhere, text};
use delivery::DeliveryMarket;
pub(super) use delivery::Origin;
pub use delivery::Words as DeliveryWords;
use domain::{
    locale::TextLanguage,
    market::{Market, MarketCode},
    money::Money,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod delivery;

/// A help page in every language. Values of facts may contain `{money:595:USD}`, written out for the reader's locale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpTexts {
    pub slug: String,
    pub title: Texts,
    #[serde(default)]
    pub seo_title: Texts,
    #[serde(default)]
    pub seo_description: Texts,
    #[serde(default)]
    pub intro: Texts,
    #[serde(default)]
    pub sections: Vec<Section>,
    /// Label and value, for all markets.
    #[serde(default)]
    pub facts: Vec<(Texts, Texts)>,
    /// Label and value, for one market.
    #[serde(default)]
    pub market_facts: BTreeMap<MarketCode, Vec<(Texts, Texts)>>,
    /// On the page about delivery: how its facts are said of the methods in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryWords>,
    /// On the page about returns: how many days a market gives.
    #[serde(default)]
    pub return_days: BTreeMap<MarketCode, u32>,
}

/// A heading and its paragraphs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub heading: Texts,
    pub paragraphs: Lines,
}

/// The policies as the demo's file has them.
#[derive(Deserialize)]
pub(super) struct Policies {
    delivery: Policy<DeliveryMarket>,
    returns: Policy<ReturnsMarket>,
    privacy: Policy<()>,
    cookies: Policy<()>,
    imprint: Policy<()>,
    contact: Contact,
    faq: Policy<()>,
    accessibility: Policy<()>,
}

#[derive(Deserialize)]
#[serde(default)]
struct Policy<M> {
    slug: String,
    title: Texts,
    seo_title: Texts,
    seo_description: Texts,
    intro: Texts,
    sections: Vec<Section>,
    markets: BTreeMap<MarketCode, M>,
    entries: Vec<Cookie>,
    fields: Vec<Field>,
    items: Vec<Question>,
}

impl<M> Default for Policy<M> {
    fn default() -> Self {
        Self {
            slug: String::new(),
            title: Texts::new(),
            seo_title: Texts::new(),
            seo_description: Texts::new(),
            intro: Texts::new(),
            sections: vec![],
            markets: BTreeMap::new(),
            entries: vec![],
            fields: vec![],
            items: vec![],
        }
    }
}

#[derive(Deserialize)]
struct Cookie {
    key: String,
    name: Texts,
    purpose: Texts,
    duration_days: u32,
}

#[derive(Deserialize)]
struct Field {
    label: Texts,
    markets: Option<Vec<MarketCode>>,
}

#[derive(Deserialize)]
struct Question {
    question: Texts,
    answer: Texts,
}

#[derive(Deserialize)]
struct Contact {
    slug: String,
    title: Texts,
    intro: Texts,
    hours: Texts,
    response_time: Texts,
    order_hint: Texts,
}

#[derive(Deserialize)]
struct ReturnsMarket {
    window_days: u32,
    legal_withdrawal_days: u32,
    return_to: String,
    return_label_price: i64,
}

/// Words that the tables of facts are made of.
#[derive(Deserialize)]
pub(super) struct FactWords {
    #[serde(flatten)]
    delivery: DeliveryWords,
    window: Texts,
    window_days: Texts,
    withdrawal: Texts,
    label: Texts,
    free: Texts,
    return_to: Texts,
    cookie_days: Texts,
    cookie_day: Texts,
    email: Texts,
    hours: Texts,
    places: BTreeMap<String, Texts>,
}

/// Cookies that this shop sets: the policy names no others.
const COOKIES: [&str; 3] = ["cart", "market", "order"];

impl Policies {
    /// The help pages in the order of the footer.
    pub(super) fn pages(&self, markets: &[Market], words: &FactWords) -> Vec<HelpTexts> {
        let mut delivery = page(&self.delivery);
        delivery.delivery = Some(self.delivery_words(words));
        let mut returns = page(&self.returns);
        returns.return_days = self.returns.markets.iter().map(|(market, returns)| (*market, returns.window_days)).collect();
        let mut imprint = page(&self.imprint);
        for market in markets {
            returns.market_facts.insert(market.code, self.returns_facts(market, words));
            let here = |field: &&Field| field.markets.as_ref().is_none_or(|markets| markets.contains(&market.code));
            let blank = |field: &Field| (field.label.clone(), field.label.iter().map(|(l, label)| (*l, format!("[{label}]"))).collect());
            imprint.market_facts.insert(market.code, self.imprint.fields.iter().filter(here).map(blank).collect());
        }
        let mut cookies = page(&self.cookies);
        cookies.facts = self
            .cookies
            .entries
            .iter()
            .filter(|cookie| COOKIES.contains(&cookie.key.as_str()))
            .map(|cookie| {
                let days = cookie.duration_days.to_string();
                let kept = if cookie.duration_days == 1 { &words.cookie_day } else { &words.cookie_days };
                (cookie.name.clone(), each(kept, |l, t| t.replace("{purpose}", &text(&cookie.purpose, l)).replace("{count}", &days)))
            })
            .collect();
        let mut faq = page(&self.faq);
        let section = |item: &Question| Section {
            heading: item.question.clone(),
            paragraphs: item.answer.iter().map(|(language, answer)| (*language, vec![answer.clone()])).collect(),
        };
        faq.sections = self.faq.items.iter().map(section).collect();
        let mut pages = vec![delivery, returns, faq, self.contact(words), page(&self.privacy), cookies, page(&self.accessibility), imprint];
        for page in &mut pages {
            fill_placeholders(page);
        }
        pages
    }

    fn returns_facts(&self, market: &Market, words: &FactWords) -> Vec<(Texts, Texts)> {
        let Some(returns) = self.returns.markets.get(&market.code) else { return vec![] };
        let days = |count: u32| each(&words.window_days, |_, days| days.replace("{count}", &count.to_string()));
        let mut facts = vec![(words.window.clone(), days(returns.window_days))];
        if returns.legal_withdrawal_days > 0 {
            facts.push((words.withdrawal.clone(), days(returns.legal_withdrawal_days)));
        }
        let label = match returns.return_label_price {
            0 => words.free.clone(),
            minor => everywhere(&token(Money::new(minor, market.currency))),
        };
        facts.push((words.label.clone(), label));
        facts.extend(words.places.get(&returns.return_to).map(|place| (words.return_to.clone(), place.clone())));
        facts
    }

    fn contact(&self, words: &FactWords) -> HelpTexts {
        let contact = &self.contact;
        let lines = |language: TextLanguage| vec![text(&contact.response_time, language), text(&contact.order_hint, language)];
        HelpTexts {
            slug: contact.slug.clone(),
            title: contact.title.clone(),
            intro: contact.intro.clone(),
            sections: vec![Section {
                heading: words.hours.clone(),
                paragraphs: contact.hours.iter().map(|(l, hours)| (*l, [vec![hours.clone()], lines(*l)].concat())).collect(),
            }],
            facts: vec![(words.email.clone(), everywhere("{contact_email}"))],
            ..HelpTexts::default()
        }
    }
}

fn page<M>(policy: &Policy<M>) -> HelpTexts {
    HelpTexts {
        slug: policy.slug.clone(),
        title: policy.title.clone(),
        seo_title: policy.seo_title.clone(),
        seo_description: policy.seo_description.clone(),
        intro: policy.intro.clone(),
        sections: policy.sections.clone(),
        ..HelpTexts::default()
    }
}

fn each(texts: &Texts, change: impl Fn(TextLanguage, &str) -> String) -> Texts {
    texts.iter().map(|(language, text)| (*language, change(*language, text))).collect()
}

/// Money in a text, written out for its reader later.
fn token(money: Money) -> String {
    format!("{{money:{}:{}}}", money.minor, money.currency)
}

/// Puts made-up addresses (RFC 2606) where a shop puts its own.
fn fill_placeholders(page: &mut HelpTexts) {
    let fill = |text: &mut String| {
        for (name, value) in
            [("{contact_email}", "help@nextgen.example"), ("{privacy_email}", "privacy@nextgen.example"), ("{enforcement_body}", "[…]")]
        {
            if text.contains(name) {
                *text = text.replace(name, value);
            }
        }
    };
    for section in &mut page.sections {
        section.paragraphs.values_mut().flatten().for_each(fill);
    }
    for (_, value) in &mut page.facts {
        value.values_mut().for_each(fill);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        money::Currency,
        order::{Resolution, ReturnItem, ReturnReason, legal_withdrawal_days, return_days, return_label},
    };

    #[test]
    fn the_help_pages_promise_what_orders_keep() -> anyhow::Result<()> {
        let policies: Policies = serde_json::from_str(include_str!("../../demo/policies.json"))?;
        assert!(policies.returns.markets.len() >= 7);
        let items = [ReturnItem { line: 0, quantity: 1, reason: ReturnReason::ChangedMind, resolution: Resolution::Refund }];
        for (market, promised) in &policies.returns.markets {
            let kept = (return_days(*market), legal_withdrawal_days(*market), return_label(*market, &items, Money::zero(Currency::EUR)).minor);
            assert_eq!(kept, (promised.window_days.into(), promised.legal_withdrawal_days.into(), promised.return_label_price), "{market}");
        }
        Ok(())
    }
}
