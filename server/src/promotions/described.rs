//! A rule in one line of English, for the people who tend the shop.

use super::terms::audience_word;
use domain::{
    discount::{Effect, Off},
    market::MarketCode,
    offer::Instant,
    promotion::{Combines, Rule},
};
use jiff::Timestamp;

/// The rule in one line.
pub fn described(rule: &Rule) -> String {
    let tier = |from: String, off: Off| format!("{} from {from}", taken(off));
    let effect = match &rule.effect {
        Effect::Percent { millionths } => percent(*millionths),
        Effect::Amount { amount } => format!("{amount:?}"),
        Effect::FreeStandardDelivery => "free standard delivery".to_owned(),
        Effect::FixedPrice { price } => format!("each at {price:?}"),
        Effect::BuyGet { buy, get, millionths: 1_000_000 } => format!("buy {buy}, get {get}"),
        Effect::BuyGet { buy, get, millionths } => format!("buy {buy}, get {get} at {} less", percent(*millionths)),
        Effect::PieceTiers { tiers } => tiers.iter().map(|it| tier(format!("{} pieces", it.from), it.off)).collect::<Vec<_>>().join(", "),
        Effect::ValueTiers { tiers } => tiers.iter().map(|it| tier(format!("{:?}", it.from), it.off)).collect::<Vec<_>>().join(", "),
    };
    let mut parts = vec![effect];
    parts.extend(rule.minimum.map(|minimum| format!("from {minimum:?}")));
    let scope = &rule.scope;
    let named = |kind: &str, names: Vec<String>| (!names.is_empty()).then(|| format!("{kind} {}", names.join(" ")));
    parts.extend(named("category", scope.categories.clone()));
    parts.extend(named("tag", scope.tags.clone()));
    parts.extend(named("product", scope.products.iter().map(ToString::to_string).collect()));
    parts.extend(named("variant", scope.variants.iter().map(ToString::to_string).collect()));
    parts.extend((!rule.audience.is_everyone()).then(|| format!("for {}", audience_word(&rule.audience))));
    parts.extend((!rule.includes_reduced).then(|| "not on reduced pieces".to_owned()));
    parts.extend(match rule.combines {
        Combines::WithAll => None,
        Combines::WithCodes => Some("beside codes only".to_owned()),
        Combines::Never => Some("alone".to_owned()),
    });
    parts.extend((rule.priority != 0).then(|| format!("priority {}", rule.priority)));
    parts.extend(named("in", rule.markets.iter().map(MarketCode::to_string).collect()));
    let time = |at: Instant| Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.0}"));
    parts.push(format!("from {}", time(rule.valid_from)));
    parts.extend(rule.valid_until.map(|until| format!("until {}", time(until))));
    parts.join(", ")
}

fn taken(off: Off) -> String {
    match off {
        Off::Percent(millionths) => percent(millionths),
        Off::Amount(amount) => format!("{amount:?}"),
    }
}

/// Four decimals of a percent are its millionths.
fn percent(millionths: u32) -> String {
    format!("{}.{:04}", millionths / 10_000, millionths % 10_000).trim_end_matches('0').trim_end_matches('.').to_owned() + " %"
}
