//! What a credit note takes back of an invoice, to the minor unit: the invoice less all its credit notes is what was kept, in every row's
//! sum, in every tax and in every tax's base.

use super::{Amounts, Row, Tax};
use crate::{
    ids::RefundId,
    market::TaxMode,
    money::Money,
    order::{Order, Resolution, ReturnState, shares},
    refund::{Refund, RefundReason, RefundState},
    tax::Rounding,
};

/// What money goes back for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many pieces of the invoice's row for this line.
    Pieces { line: u32, quantity: u32 },
    /// So much of what delivery cost, in minor units.
    Delivery { minor: i64 },
}

/// What a refund is for, as an order's ledgers tell: pieces that were cancelled or came back and were not exchanged, and delivery. Goodwill is
/// for none of them. Pieces that were sent in exchange are told by the line that they replace, which is on the invoice.
pub fn taken_back(order: &Order, refund: RefundId) -> Vec<Taken> {
    let mut taken: Vec<Taken> = Vec::new();
    let mut add = |line: u32, pieces: u32| {
        let line = on_invoice(order, line);
        match taken.iter_mut().find_map(|known| match known {
            Taken::Pieces { line: known, quantity } if *known == line => Some(quantity),
            _ => None,
        }) {
            Some(quantity) => *quantity += pieces,
            None => taken.push(Taken::Pieces { line, quantity: pieces }),
        }
    };
    let mut delivered = 0;
    for cancellation in order.cancellations.iter().filter(|known| known.refund == Some(refund)) {
        cancellation.portions.iter().for_each(|portion| add(portion.line, portion.quantity));
        delivered += cancellation.delivery.minor;
    }
    for back in &order.returns {
        if let ReturnState::Received { receipts, delivery, refund: Some(known), .. } = &back.state
            && *known == refund
        {
            receipts.iter().filter(|receipt| !receipt.exchanged).for_each(|receipt| add(receipt.line, receipt.quantity));
            delivered += delivery.minor;
        }
    }
    taken.extend((delivered > 0).then_some(Taken::Delivery { minor: delivered }));
    taken
}

/// The line that was ordered and paid for where `line` was sent in exchange, once or again and again.
fn on_invoice(order: &Order, line: u32) -> u32 {
    let mut line = line;
    // Each step leads to an earlier line.
    for _ in 0..order.lines.len() {
        let Some(known) = order.lines.iter().find(|known| known.line == line) else { break };
        let Some(back) = known.replaces.and_then(|id| order.returns.iter().find(|back| back.id == id)) else { break };
        let wanted = |line: u32| {
            let exchanges = |resolution| matches!(resolution, Resolution::Exchange { variant, .. } if variant == known.variant);
            back.items.iter().any(|item| item.line == line && exchanges(item.resolution))
        };
        let ReturnState::Received { receipts, .. } = &back.state else { break };
        match receipts.iter().find(|receipt| receipt.exchanged && wanted(receipt.line)) {
            Some(receipt) if receipt.line < line => line = receipt.line,
            _ => break,
        }
    }
    line
}

/// Refunds of an invoiced order whose credit notes are due, with the amounts, in the order of the ledger. `noted`: the notes that there are, by
/// refund.
///
/// A note is due when the money has gone: by us, by hand, or with the bank that took the payment. Money that came twice was never invoiced. The notes
/// of an order never come to more than what has gone: where a bank sent money back after its note was made and it went another way, that note
/// stands for both.
pub fn due(refunds: &[Refund], noted: &[(RefundId, Money)]) -> Vec<(RefundId, RefundReason, Money)> {
    let is_about_goods = |refund: &&Refund| matches!(refund.reason, RefundReason::Cancelled | RefundReason::Returned | RefundReason::Goodwill);
    let has_gone = |refund: &&Refund| matches!(refund.state, RefundState::Issued | RefundState::SettledOutside);
    let gone: Vec<&Refund> = refunds.iter().filter(is_about_goods).filter(has_gone).collect();
    let mut open = gone.iter().map(|refund| refund.amount.minor).sum::<i64>() - noted.iter().map(|(_, amount)| amount.minor).sum::<i64>();
    let mut due = Vec::new();
    for refund in gone.into_iter().filter(|refund| !noted.iter().any(|(known, _)| *known == refund.id)) {
        let minor = refund.amount.minor.min(open);
        if minor > 0 {
            open -= minor;
            due.push((refund.id, refund.reason, Money::new(minor, refund.amount.currency)));
        }
    }
    due
}

/// The credit note for `amount`, with taxes, of which [`Taken`] says what it is for; it never takes back more than earlier notes have left.
///
/// The amount is spread by largest remainder over what it is for, and beyond that (where goodwill has lowered those rows before) over the other
/// rows in proportion to what is left of them; goodwill over all rows. A row's base goes back as its price does; each tax goes back as its bases
/// do, rounded once a rate, and always as the difference of two sums from the first note on, so that the last note takes exactly what is left.
pub fn credit(mode: TaxMode, invoice: &Amounts, earlier: &[Amounts], amount: Money, taken: &[Taken]) -> Amounts {
    let rows = &invoice.rows;
    let gone: Vec<i64> = rows.iter().map(|row| earlier_rows(earlier, row).map(|known| known.paid.minor).sum()).collect();
    let left: Vec<i64> = rows.iter().zip(&gone).map(|(row, gone)| (row.paid.minor - gone).max(0)).collect();
    let amount = amount.minor.min(left.iter().sum()).max(0);
    let pieces: Vec<u32> = rows.iter().map(|row| named(row, taken).map(|(quantity, _)| quantity).sum()).collect();
    let wanted: Vec<i64> = rows
        .iter()
        .zip(&left)
        .map(|(row, left)| {
            let before: u32 = earlier_rows(earlier, row).map(|known| known.quantity).sum();
            named(row, taken)
                .map(|(quantity, minor)| if quantity > 0 { worth(row, before + quantity) - worth(row, before) } else { minor })
                .sum::<i64>()
                .min(*left)
        })
        .collect();
    let mut takes = cut(amount.min(wanted.iter().sum()), &wanted);
    // First what the same rows have left, then all of them.
    for all in [false, true] {
        let rest = amount - takes.iter().sum::<i64>();
        let room: Vec<i64> = (0..rows.len()).map(|at| if all || wanted[at] > 0 { left[at] - takes[at] } else { 0 }).collect();
        let more = cut(rest.min(room.iter().sum()), &room);
        takes.iter_mut().zip(more).for_each(|(take, more)| *take += more);
    }
    let after: Vec<i64> = gone.iter().zip(&takes).map(|(gone, take)| gone + take).collect();
    noted(mode, invoice, (&gone, &after), &pieces)
}

/// The note that leads from one state of all rows to the next one.
fn noted(mode: TaxMode, invoice: &Amounts, (before, after): (&[i64], &[i64]), pieces: &[u32]) -> Amounts {
    let rows = &invoice.rows;
    let money = |minor| Money::new(minor, invoice.total.currency);
    let total: i64 = after.iter().sum::<i64>() - before.iter().sum::<i64>();
    let all_is_gone = |state: &[i64]| rows.iter().zip(state).all(|(row, gone)| *gone >= row.paid.minor);
    let based = |state: &[i64]| -> Vec<Vec<i64>> {
        let end = all_is_gone(state);
        let share = |row: &Row, gone: i64, base: i64| {
            let price = row.paid.minor;
            if end || (price > 0 && gone >= price) { base } else { scaled(base, gone, price) }
        };
        rows.iter().zip(state).map(|(row, gone)| row.bases.iter().map(|base| share(row, *gone, *base)).collect()).collect()
    };
    let (bases_before, bases_after) = (based(before), based(after));
    let sum = |bases: &[Vec<i64>], at: usize| bases.iter().filter_map(|row| row.get(at)).sum::<i64>();
    let taxes: Vec<Tax> = (0..)
        .zip(&invoice.taxes)
        .map(|(at, tax)| {
            let (from, to) = (sum(&bases_before, at), sum(&bases_after, at));
            Tax { base: money(to - from), amount: money(share_of(tax, to) - share_of(tax, from)), ..tax.clone() }
        })
        .collect();
    let net = total - taxes.iter().map(|tax| tax.amount.minor).sum::<i64>();
    let takes: Vec<i64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let amounts: Vec<i64> = match mode {
        TaxMode::Inclusive => takes.clone(),
        TaxMode::Exclusive => {
            let weight = |(row, take): (&Row, &i64)| i128::from(row.amount.minor) * i128::from(*take) * 1_000_000 / i128::from(row.paid.minor.max(1));
            shares(money(net), &rows.iter().zip(&takes).map(weight).collect::<Vec<_>>()).into_iter().map(|share| share.minor).collect()
        }
    };
    let mut noted = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let bases: Vec<i64> = bases_after[at].iter().zip(&bases_before[at]).map(|(after, before)| after - before).collect();
        if takes[at] == 0 && amounts[at] == 0 && pieces[at] == 0 && bases.iter().all(|base| *base == 0) {
            continue;
        }
        let (amount, paid) = (money(amounts[at]), money(takes[at]));
        noted.push(Row { line: row.line, item: row.item.clone(), quantity: pieces[at], unit: row.unit, discount: money(0), amount, paid, bases });
    }
    Amounts { rows: noted, taxes, net: money(net), total: money(total) }
}

/// What of a tax goes back with so much of its base.
fn share_of(tax: &Tax, base: i64) -> i64 {
    let (whole, of) = (i128::from(tax.amount.minor) * i128::from(base), i128::from(tax.base.minor));
    let due = match tax.rounding {
        _ if of <= 0 => 0,
        Rounding::HalfUp => (whole * 2 + of) / (of * 2),
        Rounding::Down => whole / of,
    };
    i64::try_from(due).unwrap_or(i64::MAX)
}

/// What so many pieces of a row cost, rounded down: as [`Order::value`] cuts a line.
fn worth(row: &Row, pieces: u32) -> i64 {
    scaled(row.paid.minor, pieces.min(row.quantity).into(), row.quantity.max(1).into())
}

fn scaled(amount: i64, part: i64, whole: i64) -> i64 {
    i64::try_from(i128::from(amount) * i128::from(part) / i128::from(whole.max(1))).unwrap_or(i64::MAX)
}

/// Cuts an amount by largest remainder; of nothing nobody gets anything.
fn cut(minor: i64, weights: &[i64]) -> Vec<i64> {
    if minor <= 0 {
        return vec![0; weights.len()];
    }
    // The currency does not matter to the cut.
    let total = Money::new(minor, crate::money::Currency::EUR);
    shares(total, &weights.iter().map(|weight| i128::from(*weight)).collect::<Vec<_>>()).into_iter().map(|share| share.minor).collect()
}

/// Pieces and minor units that are named for a row.
fn named<'a>(row: &'a Row, taken: &'a [Taken]) -> impl Iterator<Item = (u32, i64)> + 'a {
    taken.iter().filter_map(|taken| match taken {
        Taken::Pieces { line, quantity } if row.line == Some(*line) => Some((*quantity, 0)),
        Taken::Delivery { minor } if row.line.is_none() => Some((0, *minor)),
        _ => None,
    })
}

fn earlier_rows<'a>(earlier: &'a [Amounts], row: &'a Row) -> impl Iterator<Item = &'a Row> {
    earlier.iter().flat_map(|note| &note.rows).filter(|known| known.line == row.line)
}
