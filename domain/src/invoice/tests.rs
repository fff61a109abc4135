//! Invoices from totals, and credit notes that leave nothing over, in every currency.

use super::*;
use crate::{money::Currency, order::Portion};
use proptest::prelude::*;

fn country(code: &str) -> Country {
    code.parse().expect("a country")
}

pub(super) fn rate(country: Country, name: &str, category: &str, millionths: u32) -> Rate {
    let (region, category, name) = (String::new(), category.to_owned(), name.to_owned());
    let (scope, estimated, source) = (tax::Scope::All, false, String::new());
    Rate { country, region, category, name, millionths, scope, estimated, source, valid_from: 0 }
}

/// An invoice of rows with categories, priced as a quote would.
fn invoice(mode: TaxMode, place: &str, currency: Currency, rates: &[Rate], parts: &[(&str, u32, i64)]) -> Amounts {
    let place = Destination { country: country(place), region: None };
    let parts: Vec<Part> =
        parts.iter().map(|(category, pieces, minor)| Part { category, amount: Money::new(*minor, currency), pieces: *pieces }).collect();
    let lines = tax::tax_lines(mode, &parts, &place, rates, 1);
    let net: i64 = parts.iter().map(|part| part.amount.minor).sum();
    let on_top: i64 = lines.iter().filter(|line| !line.included).map(|line| line.amount.minor).sum();
    let total = Money::new(net + on_top, currency);
    let paid = shares(total, &tax::weights(mode, &parts, &place, rates, 1));
    let taxes: Vec<Tax> = lines
        .iter()
        .map(|line| Tax {
            name: line.name.clone(),
            country: line.country,
            region: line.region.clone(),
            millionths: line.millionths,
            base: line.base,
            amount: line.amount,
            included: line.included,
            rounding: line.rounding,
        })
        .collect();
    let rows = (0..).zip(&parts).zip(paid).map(|((at, part), paid)| {
        let own = tax::tax_lines(mode, &[*part], &place, rates, 1);
        let base = |tax: &Tax| own.iter().find(|line| line.name == tax.name && line.millionths == tax.millionths).map_or(0, |line| line.base.minor);
        Row {
            line: (part.category != tax::DELIVERY).then_some(at),
            item: Item::default(),
            quantity: part.pieces,
            unit: Money::new(part.amount.minor / i64::from(part.pieces.max(1)), currency),
            discount: Money::zero(currency),
            amount: part.amount,
            paid,
            bases: taxes.iter().map(base).collect(),
        }
    });
    let rows = rows.collect();
    let tax: i64 = taxes.iter().map(|tax| tax.amount.minor).sum();
    Amounts { rows, taxes, net: Money::new(total.minor - tax, currency), total }
}

fn germany() -> Amounts {
    let de = country("DE");
    let rates = [rate(de, "VAT", "", 190_000), rate(de, "VAT", "books", 70_000)];
    invoice(TaxMode::Inclusive, "DE", Currency::EUR, &rates, &[("", 3, 10_000), ("books", 1, 2_000), (tax::DELIVERY, 0, 490)])
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn taxes(note: &Amounts) -> Vec<i64> {
    note.taxes.iter().map(|tax| tax.amount.minor).collect()
}

#[test]
fn numbers_are_told_apart_by_series_year_and_restore() {
    assert_eq!(number("DE", 2026, 0, 42), "DE-2026-000042");
    assert_eq!(number("DE-C", 2027, 2, 1), "DE-C-2027-R2-000001");
}

#[test]
fn an_invoice_tells_each_rate_and_the_price_of_a_piece_without_tax() {
    let invoice = germany();
    // 104.90 at 19 % contains 16.75 (16.749), 20.00 at 7 % contains 1.31 (1.308).
    assert_eq!((taxes(&invoice), invoice.net, invoice.total), (vec![1_675, 131], eur(10_684), eur(12_490)));
    assert_eq!(invoice.taxes.iter().map(|tax| tax.net().minor).sum::<i64>(), invoice.net.minor);
    // 33.33 / 1.19 = 28.008.
    assert_eq!(invoice.rows[0].unit_net(&invoice.taxes), Some(eur(2_801)));
    assert_eq!(invoice.rows[1].taxes(&invoice.taxes).map(|tax| tax.millionths).collect::<Vec<_>>(), [70_000]);
}

#[test]
fn pieces_take_back_their_price_and_the_last_one_takes_what_is_left() {
    let invoice = germany();
    let one = |earlier: &[Amounts], amount| credit(TaxMode::Inclusive, &invoice, earlier, eur(amount), &[Taken::Pieces { line: 0, quantity: 1 }]);
    // 100.00 for three: 33.33, 33.33 and 33.34, as the order values them.
    let first = one(&[], 3_333);
    assert_eq!((first.rows.len(), first.rows[0].quantity, first.rows[0].amount, first.total), (1, 1, eur(3_333), eur(3_333)));
    assert_eq!(taxes(&first), [532, 0]);
    let second = one(std::slice::from_ref(&first), 3_333);
    let third = one(&[first.clone(), second.clone()], 3_334);
    let rest = credit(
        TaxMode::Inclusive,
        &invoice,
        &[first.clone(), second.clone(), third.clone()],
        eur(2_490),
        &[Taken::Pieces { line: 1, quantity: 1 }, Taken::Delivery { minor: 490 }],
    );
    assert_eq!(rest.rows.iter().map(|row| row.amount.minor).collect::<Vec<_>>(), [2_000, 490]);
    let all = [first, second, third, rest];
    assert_eq!(all.iter().map(|note| taxes(note)[0]).sum::<i64>(), 1_675);
    assert_eq!(all.iter().map(|note| taxes(note)[1]).sum::<i64>(), 131);
}

#[test]
fn goodwill_lowers_all_rows_and_what_it_took_is_not_taken_twice() {
    let invoice = germany();
    let sorry = credit(TaxMode::Inclusive, &invoice, &[], eur(1_249), &[]);
    assert_eq!(sorry.rows.iter().map(|row| (row.quantity, row.amount.minor)).collect::<Vec<_>>(), [(0, 1_000), (0, 200), (0, 49)]);
    // The book was 20.00, of which 2.00 went back: the rest of its refund lowers the other rows.
    let book = credit(TaxMode::Inclusive, &invoice, std::slice::from_ref(&sorry), eur(2_000), &[Taken::Pieces { line: 1, quantity: 1 }]);
    assert_eq!((book.total, book.rows.iter().find(|row| row.line == Some(1)).map(|row| row.amount)), (eur(2_000), Some(eur(1_800))));
    let more = credit(TaxMode::Inclusive, &invoice, &[sorry, book], eur(1_000_000), &[]);
    assert_eq!(more.total, eur(12_490 - 1_249 - 2_000));
}

#[test]
fn yen_drop_fractions_once_a_rate_and_the_reduced_rate_is_marked() {
    let jp = country("JP");
    let rates = [rate(jp, "consumption tax", "", 100_000), rate(jp, "consumption tax", "food", 80_000)];
    let invoice = invoice(TaxMode::Inclusive, "JP", Currency::JPY, &rates, &[("", 1, 1_999), ("food", 2, 999)]);
    // 1,999 × 10/110 = 181.7; 999 × 8/108 = 74.
    assert_eq!(taxes(&invoice), [181, 74]);
    assert_eq!(invoice.taxes.iter().map(Tax::is_reduced).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn yen_of_a_part_drop_fractions_too() {
    let jp = country("JP");
    let invoice = invoice(TaxMode::Inclusive, "JP", Currency::JPY, &[rate(jp, "consumption tax", "", 100_000)], &[("", 3, 1_000)]);
    // 1,000 × 10/110 = 90.9; of one piece of three, 333 yen, 90 × 333/1,000 = 29.97.
    let yen = |minor| Money::new(minor, Currency::JPY);
    let first = credit(TaxMode::Inclusive, &invoice, &[], yen(333), &[Taken::Pieces { line: 0, quantity: 1 }]);
    let rest = credit(TaxMode::Inclusive, &invoice, std::slice::from_ref(&first), yen(667), &[Taken::Pieces { line: 0, quantity: 2 }]);
    assert_eq!((taxes(&invoice), taxes(&first), taxes(&rest)), (vec![90], vec![29], vec![61]));
}

#[test]
fn a_whole_refund_mirrors_the_invoice_with_taxes_on_top() {
    let ca = country("CA");
    let rates = [rate(ca, "GST", "", 50_000), rate(ca, "QST", "", 99_750)];
    let invoice = invoice(TaxMode::Exclusive, "CA", Currency::CAD, &rates, &[("", 1, 1_005), ("", 3, 2_999), (tax::DELIVERY, 0, 995)]);
    let all = [Taken::Pieces { line: 0, quantity: 1 }, Taken::Pieces { line: 1, quantity: 3 }, Taken::Delivery { minor: invoice.rows[2].paid.minor }];
    let note = credit(TaxMode::Exclusive, &invoice, &[], invoice.total, &all);
    assert_eq!((note.net, note.total, &note.taxes), (invoice.net, invoice.total, &invoice.taxes));
    let amounts = |amounts: &Amounts| amounts.rows.iter().map(|row| row.amount).collect::<Vec<_>>();
    assert_eq!(amounts(&note), amounts(&invoice));
}

#[test]
fn notes_follow_the_money_and_never_exceed_it() {
    use crate::{
        ids::{PaymentId, RefundId},
        refund::{Refund, RefundState},
    };
    let id = |n| RefundId(uuid::Uuid::from_u128(n));
    let refund =
        |n, minor, reason, state| Refund { id: id(n), payment: PaymentId(uuid::Uuid::nil()), amount: eur(minor), reason, goodwill: None, state };
    let (returned, sorry) = (RefundReason::Returned, RefundReason::Goodwill);
    let issued = [refund(1, 500, returned, RefundState::Issued), refund(2, 300, sorry, RefundState::Requested { attempts: 0 })];
    assert_eq!(due(&issued, &[]), [(id(1), returned, eur(500))]);
    assert_eq!(due(&issued, &[(id(1), eur(500))]), []);
    assert_eq!(due(&[refund(1, 900, RefundReason::PaidTwice, RefundState::Issued)], &[]), [], "it was never invoiced");
    // The bank sent it back, and it went another way.
    let bounced = [refund(1, 500, returned, RefundState::Bounced), refund(2, 500, sorry, RefundState::Issued)];
    assert_eq!(due(&bounced, &[(id(1), eur(500))]), []);
    let both = [refund(1, 500, returned, RefundState::SettledOutside), refund(2, 500, sorry, RefundState::Issued)];
    assert_eq!(due(&both, &[(id(1), eur(500))]), [(id(2), sorry, eur(500))]);
}

proptest! {
    #[test]
    fn an_invoice_less_its_notes_is_what_was_kept(
        kind in 0_usize..4,
        rows in prop::collection::vec((0_usize..3, 1_u32..5, 0_i64..100_000), 1..6),
        delivery in 0_i64..2_000,
        wishes in prop::collection::vec((any::<bool>(), 0_usize..6, 1_u32..5, 1_i64..60_000), 0..12),
        to_the_end in any::<bool>(),
    ) {
        let (mode, place, currency, rates) = match kind {
            0 => (TaxMode::Inclusive, "DE", Currency::EUR, vec![("VAT", "", 190_000), ("VAT", "books", 70_000)]),
            1 => (TaxMode::Inclusive, "JP", Currency::JPY, vec![("consumption tax", "", 100_000), ("consumption tax", "books", 80_000)]),
            2 => (TaxMode::Exclusive, "CA", Currency::CAD, vec![("GST", "", 50_000), ("QST", "", 99_750), ("QST", "books", 0)]),
            _ => (TaxMode::Exclusive, "US", Currency::USD, vec![("sales tax", "clothing", 88_750)]),
        };
        let rates: Vec<Rate> = rates.into_iter().map(|(name, category, at)| rate(country(place), name, category, at)).collect();
        let mut parts: Vec<(&str, u32, i64)> = rows.iter().map(|(category, pieces, minor)| (["", "books", "clothing"][*category], *pieces, *minor)).collect();
        parts.push((tax::DELIVERY, 0, delivery));
        let invoice = invoice(mode, place, currency, &rates, &parts);
        let mut notes: Vec<Amounts> = Vec::new();
        let mut kept = invoice.total.minor;
        let mut steps: Vec<_> = wishes.iter().map(|(pieces, row, quantity, minor)| {
            let portion = Portion { line: u32::try_from(row % rows.len()).expect("few rows"), quantity: *quantity };
            (*minor, if *pieces { vec![Taken::Pieces { line: portion.line, quantity: portion.quantity }] } else { Vec::new() })
        }).collect();
        steps.extend(to_the_end.then(|| (i64::MAX, Vec::new())));
        for (minor, taken) in steps {
            let note = credit(mode, &invoice, &notes, Money::new(minor, currency), &taken);
            prop_assert_eq!(note.total.minor, minor.min(kept));
            kept -= note.total.minor;
            let tax: i64 = note.taxes.iter().map(|tax| tax.amount.minor).sum();
            prop_assert_eq!(note.net.minor + tax, note.total.minor);
            let rows: i64 = note.rows.iter().map(|row| row.amount.minor).sum();
            prop_assert_eq!(rows, if mode == TaxMode::Inclusive { note.total.minor } else { note.net.minor });
            prop_assert_eq!(note.rows.iter().map(|row| row.paid.minor).sum::<i64>(), note.total.minor);
            prop_assert!(note.rows.iter().all(|row| row.paid.minor >= 0 && row.bases.iter().all(|base| *base >= 0)));
            prop_assert!(note.taxes.iter().all(|tax| tax.amount.minor >= 0 && tax.base.minor >= 0));
            for (at, tax) in note.taxes.iter().enumerate() {
                prop_assert_eq!(note.rows.iter().map(|row| row.bases[at]).sum::<i64>(), tax.base.minor);
            }
            notes.push(note);
        }
        // What is kept: no tax and no base below nothing, none above the invoice's; and nothing at all of an invoice that was taken back whole.
        for (at, tax) in invoice.taxes.iter().enumerate() {
            let gone = |minor: fn(&Tax) -> i64| notes.iter().map(|note| minor(&note.taxes[at])).sum::<i64>();
            let (base, amount) = (gone(|tax| tax.base.minor), gone(|tax| tax.amount.minor));
            prop_assert!((0..=tax.base.minor).contains(&base) && (0..=tax.amount.minor).contains(&amount));
            prop_assert!(kept > 0 || (base, amount) == (tax.base.minor, tax.amount.minor));
        }
        for row in &invoice.rows {
            let gone: i64 = notes.iter().flat_map(|note| &note.rows).filter(|known| known.line == row.line).map(|known| known.paid.minor).sum();
            prop_assert!((0..=row.paid.minor).contains(&gone));
        }
        if kept == 0 {
            prop_assert_eq!(notes.iter().map(|note| note.net.minor).sum::<i64>(), invoice.net.minor);
        }
    }
}
