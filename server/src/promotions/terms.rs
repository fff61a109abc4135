//! A rule as staff describe it on the command line: what each option means, and a sentence for each that cannot be meant.

use anyhow::{Context as _, bail, ensure};
use domain::{
    discount::{Effect, Off, PieceTier, ValueTier},
    locale::TextLanguage,
    market::{Market, MarketCode},
    money::{Currency, Money},
    offer::Instant,
    promotion::{Audience, Combines, Rule, Scope},
};
use jiff::{Timestamp, civil, tz::TimeZone};
use std::collections::BTreeMap;

/// What is taken off, of which goods, where and when.
#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("effect").required(true).args(["percent", "amount", "free_delivery", "fixed_price", "buy", "tier"])))]
pub struct Terms {
    /// What shoppers read beside the amount, in American English, or LANGUAGE=TEXT; may be given several times. Languages: en-us, en-gb,
    /// de-de, fr-fr, ja-jp, ko-kr; one that is missing reads the nearest that is there.
    #[arg(long, required = true)]
    pub title: Vec<String>,
    /// Takes so many percent off the goods, such as 10 or 12.5.
    #[arg(long)]
    pub percent: Option<String>,
    /// Takes an amount off the goods, such as 10.00EUR or 500JPY: at most what they cost.
    #[arg(long)]
    pub amount: Option<String>,
    /// Makes standard delivery free.
    #[arg(long)]
    pub free_delivery: bool,
    /// Each piece costs this, such as 9.00EUR, where that is less.
    #[arg(long)]
    pub fixed_price: Option<String>,
    /// Of each so many pieces and --get more, the cheapest cost nothing: --buy 2 --get 1 is three for two.
    #[arg(long, requires = "get")]
    pub buy: Option<u32>,
    /// See --buy.
    #[arg(long, requires = "buy")]
    pub get: Option<u32>,
    /// With --buy: how much less the cheapest cost, in percent.
    #[arg(long, requires = "buy", default_value = "100")]
    pub get_percent: String,
    /// From so many pieces or so much value on: 3=10% or 100.00EUR=15.00EUR; several times for several tiers, all by pieces or all by value.
    #[arg(long)]
    pub tier: Vec<String>,
    /// Only pieces of this category, by its key, such as desk; the options --category, --tag, --product and --variant may be given several times,
    /// and a piece counts if any of them names it [default: the whole shop].
    #[arg(long)]
    pub category: Vec<String>,
    /// Only pieces with this tag, by its key.
    #[arg(long)]
    pub tag: Vec<String>,
    /// Only pieces of this product, by its id.
    #[arg(long)]
    pub product: Vec<domain::ProductId>,
    /// Only this variant, by its id.
    #[arg(long)]
    pub variant: Vec<domain::VariantId>,
    /// What may apply to the same pieces beside it: `all`, `codes` (what a code unlocked), or `nothing`.
    #[arg(long, default_value = "all")]
    pub combines: Beside,
    /// Which of two that save a shopper the same wins: the higher one.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub priority: i32,
    /// What the goods have to come to, such as 50.00EUR.
    #[arg(long)]
    pub minimum: Option<String>,
    /// Leaves reduced pieces alone: they keep their price and do not count for the minimum.
    #[arg(long)]
    pub not_on_reduced: bool,
    /// For whom: `first-order` (customers without a paid order), `returning` (those with one), or the name of a segment [default: everyone].
    #[arg(long = "for")]
    pub audience: Option<String>,
    /// A market where it holds, such as DE; may be given several times [default: all that have its currency].
    #[arg(long)]
    pub market: Vec<String>,
    /// When it begins: 2026-12-01, 2026-12-01T09:00, or with an offset 2026-12-01T09:00:00Z [default: now].
    #[arg(long)]
    pub from: Option<String>,
    /// When it ends, written the same way. It does not hold at that instant any more: one for all of December ends 2027-01-01.
    #[arg(long)]
    pub until: Option<String>,
    /// The time zone of --from and --until where they name no offset [default: the first market's].
    #[arg(long)]
    pub zone: Option<String>,
}

/// What `--combines` takes.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Beside {
    All,
    Codes,
    Nothing,
}

impl Terms {
    /// The rule that they describe.
    pub fn rule(&self, markets: &[Market], now: Instant) -> anyhow::Result<Rule> {
        let held = self.markets(markets)?;
        let zone = self.zone(held.first().copied().or(markets.first()))?;
        let rule = Rule {
            titles: self.titles()?,
            effect: self.effect()?,
            markets: self.market.iter().map(|code| Ok(code.parse::<MarketCode>()?)).collect::<anyhow::Result<_>>()?,
            valid_from: self.from.as_deref().map_or(Ok(now), |text| instant(text, &zone).context("--from"))?,
            valid_until: self.until.as_deref().map(|text| instant(text, &zone).context("--until")).transpose()?,
            minimum: self.minimum.as_deref().map(|text| money(text).context("--minimum")).transpose()?,
            scope: Scope {
                categories: self.category.clone(),
                tags: self.tag.clone(),
                products: self.product.clone(),
                variants: self.variant.clone(),
            },
            audience: audience(self.audience.as_deref().unwrap_or_default()).context("--for")?,
            includes_reduced: !self.not_on_reduced,
            combines: match self.combines {
                Beside::All => Combines::WithAll,
                Beside::Codes => Combines::WithCodes,
                Beside::Nothing => Combines::Never,
            },
            priority: self.priority,
        };
        fits(&rule, &held, markets)?;
        Ok(rule)
    }

    fn markets<'a>(&self, known: &'a [Market]) -> anyhow::Result<Vec<&'a Market>> {
        let codes = || known.iter().map(|market| market.code.code()).collect::<Vec<_>>().join(", ");
        self.market
            .iter()
            .map(|code| {
                known.iter().find(|market| market.code.code() == code).with_context(|| format!("there is no market {code:?}; there are {}", codes()))
            })
            .collect()
    }

    fn zone(&self, market: Option<&Market>) -> anyhow::Result<TimeZone> {
        let name = self.zone.as_deref().or(market.map(|market| market.time_zone.as_str())).unwrap_or("UTC");
        TimeZone::get(name).with_context(|| format!("{name:?} is not a time zone such as Europe/Berlin"))
    }

    fn titles(&self) -> anyhow::Result<BTreeMap<TextLanguage, String>> {
        let mut titles = BTreeMap::new();
        for text in &self.title {
            let (language, title) = match text.split_once('=').and_then(|(language, title)| Some((language.parse::<TextLanguage>().ok()?, title))) {
                Some((language, title)) => (language, title),
                None => (TextLanguage::EnUs, text.as_str()),
            };
            // Shoppers' pages have holes: nothing that is typed forges one.
            let title = domain::account::clean(title);
            ensure!(titles.insert(language, title).is_none(), "two titles for {}", language.key());
        }
        Ok(titles)
    }

    fn effect(&self) -> anyhow::Result<Effect> {
        if let Some(percent) = &self.percent {
            return Ok(Effect::Percent { millionths: millionths(percent).context("--percent")? });
        }
        if let Some(amount) = &self.amount {
            return Ok(Effect::Amount { amount: money(amount).context("--amount")? });
        }
        if let Some(price) = &self.fixed_price {
            return Ok(Effect::FixedPrice { price: money(price).context("--fixed-price")? });
        }
        if let (Some(buy), Some(get)) = (self.buy, self.get) {
            return Ok(Effect::BuyGet { buy, get, millionths: millionths(&self.get_percent).context("--get-percent")? });
        }
        if !self.tier.is_empty() {
            return tiers(&self.tier).context("--tier");
        }
        Ok(Effect::FreeStandardDelivery)
    }
}

/// Whether a rule holds together, and fits the markets that it names (`held`), or else any of the shop's.
pub(crate) fn fits(rule: &Rule, held: &[&Market], markets: &[Market]) -> anyhow::Result<()> {
    rule.check()?;
    if let Some(currency) = rule.currency() {
        let fits = |market: &&Market| market.currency == currency;
        let misfit = held.iter().find(|market| !fits(market));
        ensure!(misfit.is_none(), "market {} does not sell in {currency}", misfit.map_or("", |market| market.code.code()));
        ensure!(markets.iter().any(|market| fits(&market)), "no market sells in {currency}");
    }
    Ok(())
}

/// Nothing for everyone, `first-order`, `returning`, or the name of a segment.
pub(crate) fn audience(text: &str) -> anyhow::Result<Audience> {
    Ok(match text.trim() {
        "" | "everyone" => Audience::Everyone,
        FIRST_ORDER => Audience::FirstOrder,
        RETURNING => Audience::Returning,
        name => {
            ensure!(Audience::is_name(name), "a segment is named by up to {} small letters, digits, - and _", Audience::NAME_CHARS_MAX);
            Audience::Segment(name.to_owned())
        }
    })
}

const FIRST_ORDER: &str = "first-order";
const RETURNING: &str = "returning";

/// What [`audience`] reads.
pub(crate) fn audience_word(audience: &Audience) -> &str {
    match audience {
        Audience::Everyone => "",
        Audience::FirstOrder => FIRST_ORDER,
        Audience::Returning => RETURNING,
        Audience::Segment(name) => name,
    }
}

/// Tiers by pieces or by value: `3=10%`, `100.00EUR=15.00EUR`.
pub(crate) fn tiers(texts: &[String]) -> anyhow::Result<Effect> {
    let (mut pieces, mut values) = (Vec::new(), Vec::new());
    for text in texts {
        let (from, off) = text.split_once('=').with_context(|| format!("{text:?} is not a tier such as 3=10% or 100.00EUR=15.00EUR"))?;
        let off = if off.trim_end().ends_with('%') { Off::Percent(millionths(off)?) } else { Off::Amount(money(off)?) };
        match from.trim().parse() {
            Ok(from) => pieces.push(PieceTier { from, off }),
            Err(_) => values.push(ValueTier { from: money(from)?, off }),
        }
    }
    match (pieces.is_empty(), values.is_empty()) {
        (_, true) => Ok(Effect::PieceTiers { tiers: pieces }),
        (true, false) => Ok(Effect::ValueTiers { tiers: values }),
        (false, false) => bail!("tiers are either all by pieces or all by value"),
    }
}

/// `12.5` as 125,000 millionths.
pub(crate) fn millionths(text: &str) -> anyhow::Result<u32> {
    let plain = text.trim();
    let plain = plain.strip_suffix('%').unwrap_or(plain).trim_end();
    let millionths = figure(plain, 4).with_context(|| format!("{text:?} is not a percentage such as 10 or 12.5"))?;
    Ok(u32::try_from(millionths)?)
}

/// `10.00EUR`, `10 EUR`: the currency's own minor units, no more digits than it has.
pub(crate) fn money(text: &str) -> anyhow::Result<Money> {
    let wrong = || format!("{text:?} is not an amount such as 10.00EUR or 500JPY");
    let text = text.trim();
    let (figures, code) = text.split_at_checked(text.len().saturating_sub(3)).with_context(wrong)?;
    let currency: Currency = code.parse().with_context(wrong)?;
    let minor = figure(figures.trim_end(), currency.minor_digits()).with_context(wrong)?;
    // 10^12 minor units: ten billion euros.
    ensure!(minor <= 1_000_000_000_000, "{text:?} is too much");
    Ok(Money::new(minor, currency))
}

/// A figure with at most `digits` decimals, times ten to their power.
fn figure(text: &str, digits: u32) -> anyhow::Result<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_plain(whole) || !is_plain(fraction) || (text.contains('.') && fraction.is_empty()) {
        bail!("not a figure");
    }
    let width = digits as usize;
    ensure!(fraction.len() <= width, "at most {digits} decimals");
    Ok(format!("{whole}{fraction:0<width$}").parse()?)
}

/// A day, a time of day or an instant, in microseconds UTC. A time that a clock change leaves out is the one after it.
pub(crate) fn instant(text: &str, zone: &TimeZone) -> anyhow::Result<Instant> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_microsecond());
    }
    let local = text.parse::<civil::DateTime>().with_context(|| format!("{text:?} is not a time such as 2026-12-01 or 2026-12-01T09:00"))?;
    Ok(local.to_zoned(zone.clone())?.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_in_the_currencys_own_units() {
        for (text, minor) in [("10.00EUR", 1_000), ("10 EUR", 1_000), ("0.5USD", 50), ("500JPY", 500), ("1.250KWD", 1_250)] {
            assert_eq!(money(text).map(|money| money.minor).ok(), Some(minor), "{text}");
        }
        for text in ["", "EUR", "10", "10.001EUR", "5.00JPY", "-1EUR", "1,50EUR", "1.EUR", ".5EUR", "1e3EUR", "10€", "9999999999999999EUR"] {
            assert!(money(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percentages_are_exact() {
        for (text, expected) in [("10", 100_000), ("12.5", 125_000), ("9.975%", 99_750), ("100 %", 1_000_000), ("0.0001", 1)] {
            assert_eq!(millionths(text).ok(), Some(expected), "{text}");
        }
        for text in ["", "ten", "-5", "0.00001", "1/3"] {
            assert!(millionths(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_meant_in_the_zone() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        for (text, utc) in [
            ("2026-12-01", "2026-11-30T23:00:00Z"),
            ("2026-07-01T09:30", "2026-07-01T07:30:00Z"),
            ("2026-07-01T09:30:00Z", "2026-07-01T09:30:00Z"),
            // 02:30 does not exist on the last Sunday of March.
            ("2026-03-29T02:30", "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(instant(text, &berlin).ok(), utc.parse::<Timestamp>().ok().map(Timestamp::as_microsecond), "{text}");
        }
        assert!(instant("tomorrow", &berlin).is_err() && instant("2026-02-30", &berlin).is_err());
    }

    #[test]
    fn tiers_are_by_pieces_or_by_value() {
        let read = |texts: &[&str]| tiers(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).ok();
        let by_pieces = Effect::PieceTiers { tiers: vec![PieceTier { from: 3, off: Off::Percent(100_000) }] };
        assert_eq!(read(&["3=10%"]), Some(by_pieces));
        let off = Off::Amount(Money::new(1_500, Currency::EUR));
        assert_eq!(
            read(&["100.00EUR=15.00EUR"]),
            Some(Effect::ValueTiers { tiers: vec![ValueTier { from: Money::new(10_000, Currency::EUR), off }] })
        );
        assert!(read(&["3=10%", "100.00EUR=5%"]).is_none() && read(&["3"]).is_none() && read(&["three=10%"]).is_none());
    }
}
