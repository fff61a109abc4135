//! Which promotions apply to an order: those that leave the shopper the lowest price, and of two that save the same the one of higher
//! priority. Everything that goes together applies; where two do not, a search over the ways to leave some out decides (`search`, which says how
//! far it is exact). The order of lines and of candidates does not matter.

mod search;

use super::{Combines, Customer, Promotion, Refusal, Rule, Traced, trace::Change, trace::Outcome};
use crate::{
    coupon::{Code, Coupon, Usage},
    delivery::Method,
    discount::{Effect, Granted, Lines, Open},
    ids::PromotionId,
    locale::TextLanguage,
    market::Market,
    money::Money,
    offer::Instant,
    pricing::{Wanted, Why},
};
use std::cmp::{Ordering, Reverse};

/// Some of those that would take something, by their place among them.
type Set = u128;

/// A place among those that apply.
type Turn = (bool, u8, Reverse<i32>, PromotionId);

/// A rule that may apply, and to whom it belongs.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    rule: &'a Rule,
    id: PromotionId,
    /// `None`: it needs none.
    code: Option<&'a Code>,
    hidden: bool,
    /// What is known to stand in its way already.
    refused: Option<Refusal>,
    /// `None`: nobody knows yet who it is for.
    customer: Option<&'a Customer>,
    language: TextLanguage,
}

impl<'a> Candidate<'a> {
    /// A promotion, with its title in this language.
    pub const fn promotion(promotion: &'a Promotion, language: TextLanguage) -> Self {
        Self { rule: &promotion.rule, id: promotion.id, code: None, hidden: promotion.hidden, refused: None, customer: None, language }
    }

    /// What a code unlocked, as often as it has been used.
    pub fn coupon(coupon: &'a Coupon, code: &'a Code, usage: Usage, language: TextLanguage) -> Self {
        let refused = coupon.caps.refusal(usage);
        Self { rule: &coupon.rule, id: PromotionId(coupon.id.0), code: Some(code), hidden: false, refused, customer: None, language }
    }

    /// For this customer, where one is known.
    #[must_use]
    pub fn of(self, customer: Option<&'a Customer>) -> Self {
        Self { customer, ..self }
    }

    /// Whether it is for whoever orders. While nobody is known what needs no code waits; a code is taken, and refused at the checkout.
    fn is_meant(&self) -> bool {
        let is_of = |customer| self.rule.audience.has(customer);
        self.rule.audience.is_everyone() || self.customer.map_or(self.code.is_some(), is_of)
    }

    fn title(&self) -> String {
        self.rule.title(self.language).to_owned()
    }

    /// Which lines count, and what they are worth before promotions; or why none can.
    fn eligible(&self, market: &Market, wanted: &[Wanted], open: &Open, now: Instant) -> Result<(Lines, i64), Refusal> {
        let rule = self.rule;
        let is_here = rule.markets.is_empty() || rule.markets.contains(&market.code);
        if !is_here || rule.currency().is_some_and(|currency| currency != market.currency) {
            return Err(Refusal::OtherMarket);
        }
        if now < rule.valid_from {
            return Err(Refusal::NotYet { from: rule.valid_from });
        }
        if rule.valid_until.is_some_and(|until| until <= now) {
            return Err(Refusal::Over);
        }
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        if !self.is_meant() {
            return Err(Refusal::ForOthers { audience: rule.audience.clone(), is_known: self.customer.is_some() });
        }
        let counts = |line: &Wanted| (rule.includes_reduced || line.offer.was.is_none()) && rule.scope.covers(line);
        let lines = (0..Lines::BITS).zip(wanted).filter(|(_, line)| counts(line)).fold(0, |lines, (at, _)| lines | 1 << at);
        let value = open.value(lines);
        if value == 0 {
            return Err(Refusal::NothingApplies);
        }
        match rule.minimum {
            Some(minimum) if value < minimum.minor => Err(Refusal::BelowMinimum { missing: Money::new(minimum.minor - value, minimum.currency) }),
            _ => Ok((lines, value)),
        }
    }

    /// Its place among those that apply: promotions before codes; what changes single prices before parts of a sum, then amounts, then delivery.
    fn turn(&self) -> Turn {
        let kind = match self.rule.effect {
            Effect::FixedPrice { .. } => 0,
            Effect::BuyGet { .. } => 1,
            Effect::Percent { .. } | Effect::PieceTiers { .. } | Effect::ValueTiers { .. } => 2,
            Effect::Amount { .. } => 3,
            Effect::FreeStandardDelivery => 4,
        };
        (self.code.is_some(), kind, Reverse(self.rule.priority), self.id)
    }

    /// Whether it goes with others that need no code, and with those that need one.
    const fn goes(&self) -> [bool; 2] {
        match self.rule.combines {
            Combines::WithAll => [true, true],
            Combines::WithCodes => [false, true],
            Combines::Never => [false, false],
        }
    }
}

/// A candidate that would take something if it were alone.
struct Able<'a, 'c> {
    candidate: &'c Candidate<'a>,
    turn: Turn,
    /// Whether it goes with others that need no code, and with those that need one.
    goes: [bool; 2],
    /// Which lines count, and what they are worth before promotions.
    lines: Lines,
    before: i64,
    /// What it takes alone.
    alone: i64,
    /// The lines that it keeps others from: none when it touches delivery only.
    claim: Lines,
    /// Those in whose way it is, and they in its.
    rivals: Set,
    /// Where it ends up: the lines that are left to it, none if it is left out.
    granted: Lines,
}

impl Able<'_, '_> {
    /// Those that save the greatest part of what they count come first: what is best for a line then meets it first, and wider ones get the rest.
    fn by_rate(one: &Self, other: &Self) -> Ordering {
        let rate = |one: &Self, of: &Self| i128::from(one.alone) * i128::from(of.before);
        let tie = |one: &Self| (Reverse(one.alone), Reverse(one.candidate.rule.priority), one.turn);
        rate(other, one).cmp(&rate(one, other)).then_with(|| tie(one).cmp(&tie(other)))
    }

    fn is_in_the_way_of(&self, other: &Self) -> bool {
        let [one, another] = [self, other].map(|able| usize::from(able.candidate.code.is_some()));
        self.claim & other.claim != 0 && !(self.goes[another] && other.goes[one])
    }
}

/// How many of those that would take something are looked at: the ones that save the greatest part. Shops have at most 100 promotions.
const ABLE_MAX: usize = Set::BITS as usize;

/// What applied: what is left open, what was granted with the reason beside its amount, and the trace of all candidates.
pub struct Settled {
    pub open: Open,
    pub granted: Vec<(Granted, Why)>,
    pub trace: Vec<Traced>,
}

/// Applies what leaves the shopper the lowest price. `wanted` is in the market's currency.
pub fn settle(market: &Market, wanted: &[Wanted], delivery: Option<&Method>, candidates: &[Candidate<'_>], now: Instant) -> Settled {
    let mut open = Open::new(wanted, delivery, market.currency);
    let mut shares = vec![0; open.lines.len()];
    let (mut able, mut left) = (Vec::with_capacity(candidates.len()), Vec::new());
    for candidate in candidates {
        let tried = candidate.eligible(market, wanted, &open, now).and_then(|(lines, before)| {
            shares.fill(0);
            let taken = open.reckon(&candidate.rule.effect, lines, before, &mut shares)?;
            let claim = if candidate.rule.effect == Effect::FreeStandardDelivery { 0 } else { lines };
            Ok(Able {
                candidate,
                turn: candidate.turn(),
                goes: candidate.goes(),
                lines,
                before,
                alone: taken.minor,
                claim,
                rivals: 0,
                granted: lines,
            })
        });
        match tried {
            Ok(one) => able.push(one),
            Err(refusal) => left.push((candidate, refusal)),
        }
    }
    able.sort_unstable_by(Able::by_rate);
    left.extend(able.drain(ABLE_MAX.min(able.len())..).map(|one| (one.candidate, Refusal::NothingApplies)));
    search::choose(&mut able, &open);
    able.sort_unstable_by_key(|one| one.turn);

    let (mut granted, mut trace) = (Vec::new(), Vec::with_capacity(candidates.len()));
    let mut freed = None;
    let money = |minor| Money::new(minor, market.currency);
    for one in &able {
        let candidate = one.candidate;
        if one.granted == 0 {
            left.push((candidate, refusal_of(one, &able)));
            continue;
        }
        shares.fill(0);
        match open.reckon(&candidate.rule.effect, one.granted, one.before, &mut shares) {
            Ok(taken) => {
                open.take(&taken, one.granted, &mut shares);
                let amount = money(taken.minor);
                let changed = open.lines.iter().zip(&shares).filter(|(_, share)| **share > 0);
                let mut lines = Vec::with_capacity(one.granted.count_ones() as usize);
                lines.extend(changed.map(|(line, share)| Change { variant: line.variant, amount: money(*share) }));
                let code = candidate.code.map_or_else(String::new, |code| code.as_str().to_owned());
                let title = candidate.title();
                granted.push((Granted { promotion: candidate.id, code: code.clone(), title: title.clone(), amount }, taken.why(market.currency)));
                freed = freed.or_else(|| (candidate.rule.effect == Effect::FreeStandardDelivery).then(|| title.clone()));
                let outcome = Outcome::Applied { amount, how: taken.how, lines };
                trace.push(Traced { promotion: candidate.id, code, title, hidden: candidate.hidden, outcome });
            }
            // Those before it left nothing.
            Err(refusal) => left.push((
                candidate,
                match (&candidate.rule.effect, &freed) {
                    (Effect::FreeStandardDelivery, Some(by)) => Refusal::Beaten { by: by.clone() },
                    _ => refusal,
                },
            )),
        }
    }
    left.sort_by_cached_key(|(candidate, _)| candidate.turn());
    trace.extend(left.into_iter().map(|(candidate, refusal)| Traced {
        promotion: candidate.id,
        code: candidate.code.map_or_else(String::new, |code| code.as_str().to_owned()),
        title: candidate.title(),
        hidden: candidate.hidden,
        outcome: Outcome::Left(refusal),
    }));
    Settled { open, granted, trace }
}

/// Why one that was left out is: of those in its way, the one that saves most.
fn refusal_of(one: &Able<'_, '_>, able: &[Able<'_, '_>]) -> Refusal {
    let rivals = able.iter().filter(|rival| rival.granted & one.lines != 0 && rival.is_in_the_way_of(one));
    let Some(rival) = rivals.max_by_key(|rival| (rival.alone, Reverse(rival.turn))) else { return Refusal::NothingApplies };
    let title = rival.candidate.title();
    if rival.alone >= one.alone { Refusal::Beaten { by: title } } else { Refusal::NotCombinable { with: title } }
}
