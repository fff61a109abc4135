//! Where pieces are: held for an order, sold and on their shelf, packed, sent, back in the house. It follows the server's `catalog/stock/` and
//! `catalog/sold.rs`.

use super::{
    store::{LOCATIONS, PLACES, VARIANTS},
    world::World,
};
use domain::{
    sourcing::{self, Split},
    stock::Movement,
};

/// Pieces kept for an order, or sold to it, from one row of balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kept {
    pub variant: usize,
    pub location: usize,
    pub pieces: u32,
    pub is_sold: bool,
    pub lies: Lies,
}

/// Where sold pieces are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lies {
    Shelved,
    Packed,
    Shipped,
    /// Back in the house.
    Returned,
}

/// Sold pieces of a variant that go from one state to the next.
#[derive(Clone, Copy, Debug)]
pub struct Turned {
    pub variant: usize,
    /// `None`: wherever they are.
    pub location: Option<usize>,
    pub pieces: u32,
    pub from: Lies,
    pub to: Lies,
}

impl World {
    /// Holds all pieces of an order as it was placed, or nothing.
    pub fn hold(&mut self, index: usize) -> bool {
        let wanted = self.store.orders[index].form.wanted.map(u32::from);
        self.take(index, wanted, false)
    }

    /// Takes so many pieces of each variant for an order, or nothing.
    pub fn take(&mut self, index: usize, wanted: [u32; VARIANTS], is_sold: bool) -> bool {
        let lines = wanted.map(|quantity| sourcing::Line { quantity, backorder: false });
        let there: Vec<Vec<u32>> =
            (0..LOCATIONS).map(|place| self.store.balances.iter().map(|row| sourcing::sellable(row[place].free, 0)).collect()).collect();
        let Ok(parts) = (self.rules.plan)(&lines, &there, Split::Allowed) else { return false };
        let mut balances = self.store.balances;
        for part in &parts {
            let balance = &mut balances[part.line][part.place];
            let held = (self.rules.moved)(*balance, Movement::Hold(part.pieces));
            let moved = if is_sold { held.and_then(|held| (self.rules.moved)(held, Movement::Sale(part.pieces))) } else { held };
            let Ok(moved) = moved else { return false };
            *balance = moved;
        }
        self.store.balances = balances;
        let kept = |part: &sourcing::Part| Kept { variant: part.line, location: part.place, pieces: part.pieces, is_sold, lies: Lies::Shelved };
        let mut kept: Vec<Kept> = parts.iter().map(kept).collect();
        // Rows are locked, and then kept, by the names of their locations.
        kept.sort_by_key(|kept| (kept.variant, PLACES[kept.location]));
        self.store.orders[index].kept.extend(kept);
        true
    }

    pub fn sell(&mut self, index: usize) {
        self.finish(index, Movement::Sale);
        self.count("orders sold");
    }

    pub fn release(&mut self, index: usize) {
        self.finish(index, Movement::Release);
        self.store.orders[index].kept.retain(|kept| kept.is_sold);
    }

    fn finish(&mut self, index: usize, movement: fn(u32) -> Movement) {
        for kept in self.store.orders[index].kept.iter_mut().filter(|kept| !kept.is_sold) {
            let balance = &mut self.store.balances[kept.variant][kept.location];
            if let Ok(next) = (self.rules.moved)(*balance, movement(kept.pieces)) {
                *balance = next;
            }
            kept.is_sold = matches!(movement(1), Movement::Sale(_));
        }
    }

    /// Sold pieces come to a shelf (again).
    pub fn put_back(&mut self, variant: usize, location: usize, pieces: u32) {
        let balance = &mut self.store.balances[variant][location];
        if let Ok(next) = (self.rules.moved)(*balance, Movement::Return(pieces)) {
            *balance = next;
        }
    }

    /// Takes sold pieces that lie `from` one step further, the earliest rows or the latest ones first, cutting a row where it has more: how
    /// many of which location were taken. `None`: there are fewer, and nothing is taken.
    pub fn turn(&mut self, index: usize, turned: Turned, is_latest_first: bool) -> Option<Vec<(usize, u32)>> {
        let Turned { variant, location, pieces, from, to } = turned;
        let kept = &mut self.store.orders[index].kept;
        let fits = |row: &Kept| row.is_sold && row.variant == variant && row.lies == from && location.is_none_or(|location| row.location == location);
        let mut rows: Vec<usize> = (0..kept.len()).filter(|at| fits(&kept[*at])).collect();
        if rows.iter().map(|at| kept[*at].pieces).sum::<u32>() < pieces {
            return None;
        }
        if is_latest_first {
            rows.reverse();
        }
        let (mut left, mut taken) = (pieces, Vec::new());
        for at in rows {
            let here = kept[at].pieces.min(left);
            if here == 0 {
                break;
            }
            taken.push((kept[at].location, here));
            left -= here;
            if here == kept[at].pieces {
                kept[at].lies = to;
            } else {
                kept[at].pieces -= here;
                kept.push(Kept { pieces: here, lies: to, ..kept[at] });
            }
        }
        Some(taken)
    }
}
