//! Buy some, get some: pieces are put together from the dearest to the cheapest, and what a group is spared is spread over all of it.

use super::{Lines, Open, percent, spread_over};
use std::cmp::Reverse;

/// Adds to `shares` what each line is spared by `(buy, get, millionths)`; returns how many groups are whole. A piece of a line is worth its part
/// of what is open, rounded down.
pub(super) fn share(open: &Open, lines: Lines, (buy, get, millionths): (u32, u32, u32), shares: &mut [i64]) -> u32 {
    let size = buy.saturating_add(get);
    if size == 0 || open.pieces(lines) < size {
        return 0;
    }
    let mut by_price: Vec<_> = open.of(lines).map(|(at, line)| (Reverse(line.minor / i64::from(line.pieces)), line.variant, at)).collect();
    by_price.sort_unstable();
    let mut groups = 0;
    // The group that is being filled: place, id, worth of a piece, pieces.
    let mut group = Vec::new();
    let mut filled = 0;
    for (Reverse(worth), variant, at) in by_price {
        let mut pieces = open.lines[at].pieces;
        if filled > 0 {
            let more = pieces.min(size - filled);
            group.push((at, variant, worth, more));
            (filled, pieces) = (filled + more, pieces - more);
            if filled == size {
                groups += 1;
                spare(&group, get, millionths, shares);
                group.clear();
                filled = 0;
            }
        }
        // Groups of this line alone.
        let whole = pieces / size;
        shares[at] += i64::from(whole) * percent(worth * i64::from(get), millionths);
        groups += whole;
        pieces %= size;
        if pieces > 0 {
            group.push((at, variant, worth, pieces));
            filled = pieces;
        }
    }
    groups
}

/// Spreads what one group is spared over its pieces. Its last pieces are the cheapest.
fn spare(group: &[(usize, crate::ids::VariantId, i64, u32)], get: u32, millionths: u32, shares: &mut [i64]) {
    let (mut left, mut value) = (get, 0);
    for (_, _, worth, pieces) in group.iter().rev() {
        let spared = left.min(*pieces);
        value += worth * i64::from(spared);
        left -= spared;
    }
    let weights = group.iter().map(|(at, variant, worth, pieces)| (*at, *variant, worth * i64::from(*pieces)));
    spread_over(percent(value, millionths), weights, shares);
}
