//! Where an order's pieces come from: locations in the market's order, pieces that are never sold online, one parcel where that can be.
//! What the shop shows as left follows from the same rules. The rows that a location's pieces lie in, and the updates that decide races,
//! are the server's.

use serde::{Deserialize, Serialize};

/// Whether an order may come in several parcels, by market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// One parcel where one location has it all, else as few as can be.
    #[default]
    Allowed,
    /// One parcel, or the order is refused.
    Never,
}

/// What is wanted of one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub quantity: u32,
    /// Sold on although too few are there.
    pub backorder: bool,
}

/// Pieces of a line that leave from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Position among the places, which stand in the market's order of preference.
    pub place: usize,
    /// Position among the lines.
    pub line: usize,
    pub pieces: u32,
    /// A back-order: the pieces are taken although they may not be there.
    pub owed: bool,
}

/// A line of which too few can be had: an order of `left` of each such line, and of the others as they were, could be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    pub line: usize,
    pub left: u32,
}

/// Up to so many places the fewest parcels are found by trying all sets of places (2^10 of them); with more places, a set that was
/// filled in order of preference is thinned out instead.
const PLACES_TRIED: usize = 10;

/// What a location may give to orders: what is free there beyond the pieces that are never sold online.
pub fn sellable(free: i64, safety: u32) -> u32 {
    u32::try_from(free.saturating_sub(i64::from(safety)).max(0)).unwrap_or(u32::MAX)
}

/// How many pieces one order could get of a variant of which the places may give so many: what the shop shows as left.
pub fn left(at_places: &[u32], split: Split) -> u32 {
    match split {
        Split::Allowed => at_places.iter().copied().fold(0, u32::saturating_add),
        Split::Never => at_places.iter().copied().max().unwrap_or(0),
    }
}

/// Plans a whole order. `there[place][line]` is what a place may give of a line ([`sellable`]), places in the market's order of preference.
///
/// The first place that has everything sends it; else the fewest places that have it together, the preferred ones first, if the market
/// splits orders. Lines on back-order that are short everywhere go with the others, or are owed by the first place.
///
/// The parts stand in order of place and line, none of them empty; they do not depend on the order of the lines. A refusal names every
/// line that is short.
pub fn plan(lines: &[Line], there: &[Vec<u32>], split: Split) -> Result<Vec<Part>, Vec<Short>> {
    let all: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].quantity > 0).collect();
    let shorts = match plan_firm(lines, &all, there, split) {
        Ok(parts) => return Ok(parts),
        Err(shorts) => shorts,
    };
    let is_owed = |line: &usize| match split {
        Split::Allowed => lines[*line].backorder && shorts.iter().any(|short| short.line == *line),
        Split::Never => lines[*line].backorder,
    };
    let (owed, firm): (Vec<usize>, Vec<usize>) = all.into_iter().partition(is_owed);
    if owed.is_empty() {
        return Err(shorts);
    }
    let mut parts = plan_firm(lines, &firm, there, split)?;
    let place = parts.first().map_or(0, |part| part.place);
    parts.extend(owed.into_iter().map(|line| Part { place, line, pieces: lines[line].quantity, owed: true }));
    parts.sort_unstable();
    Ok(parts)
}

/// Plans those of the lines that are named, back-order or not.
fn plan_firm(lines: &[Line], named: &[usize], there: &[Vec<u32>], split: Split) -> Result<Vec<Part>, Vec<Short>> {
    let suffices = |places: &[usize]| {
        let has = |line: usize| places.iter().fold(0_u32, |sum, place| sum.saturating_add(there[*place][line]));
        named.iter().all(|line| has(*line) >= lines[*line].quantity)
    };
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let everywhere: Vec<usize> = (0..there.len()).collect();
    if let Some(place) = everywhere.iter().find(|place| suffices(&[**place])) {
        return Ok(collect(lines, named, there, &[*place]));
    }
    match split {
        Split::Allowed if suffices(&everywhere) => Ok(collect(lines, named, there, &fewest(&everywhere, suffices))),
        Split::Allowed => Err(short(lines, named, |line| left(&column(there, line), split))),
        Split::Never => {
            // What the best single place could send; the preferred one of several.
            let pieces = |place: usize| named.iter().map(|line| u64::from(there[place][*line].min(lines[*line].quantity))).sum::<u64>();
            let best = everywhere.iter().copied().rev().max_by_key(|place| pieces(*place));
            Err(short(lines, named, |line| best.map_or(0, |place| there[place][line])))
        }
    }
}

fn column(there: &[Vec<u32>], line: usize) -> Vec<u32> {
    there.iter().map(|place| place[line]).collect()
}

fn short(lines: &[Line], named: &[usize], left: impl Fn(usize) -> u32) -> Vec<Short> {
    named.iter().map(|line| Short { line: *line, left: left(*line) }).filter(|short| short.left < lines[short.line].quantity).collect()
}

/// The smallest set of places that suffices, the first such set in order of preference. All places together suffice, none does alone.
fn fewest(everywhere: &[usize], suffices: impl Fn(&[usize]) -> bool) -> Vec<usize> {
    if everywhere.len() > PLACES_TRIED {
        let mut kept = everywhere.to_vec();
        for place in everywhere.iter().rev() {
            let without: Vec<usize> = kept.iter().copied().filter(|kept| kept != place).collect();
            if suffices(&without) {
                kept = without;
            }
        }
        return kept;
    }
    let sets = 1_u32 << everywhere.len();
    let members = |set: u32| everywhere.iter().copied().filter(move |place| set >> place & 1 == 1).collect::<Vec<_>>();
    (0..sets)
        .map(members)
        .filter(|places| suffices(places))
        .min_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
        .unwrap_or_else(|| everywhere.to_vec())
}

/// Takes the lines from places that suffice together: each from the first place that has all of it, else from several in order.
fn collect(lines: &[Line], named: &[usize], there: &[Vec<u32>], places: &[usize]) -> Vec<Part> {
    let mut parts = Vec::with_capacity(named.len());
    for line in named {
        let quantity = lines[*line].quantity;
        if let Some(place) = places.iter().find(|place| there[**place][*line] >= quantity) {
            parts.push(Part { place: *place, line: *line, pieces: quantity, owed: false });
            continue;
        }
        let mut missing = quantity;
        for place in places {
            let pieces = there[*place][*line].min(missing);
            missing -= pieces;
            parts.push(Part { place: *place, line: *line, pieces, owed: false });
        }
    }
    parts.retain(|part| part.pieces > 0);
    parts.sort_unstable();
    parts
}

#[cfg(test)]
#[path = "sourcing_tests.rs"]
mod tests;
