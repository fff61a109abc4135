//! What the made-up shop is like: who orders, what, where and when, each thing a function of its place and the seed, so that it can be asked for
//! again without having been kept.

use domain::{
    OrderId, ProductId, VariantId,
    account::{Email, Phone},
    offer::Instant,
    order::OrderNumber,
};
use uuid::Uuid;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Orders are spread over so many days.
const DAYS: i64 = 730;
/// Orders of one customer, on average.
const ORDERS_EACH: u64 = 4;

const LOOKS: [&str; 20] = [
    "Plain", "Striped", "Woven", "Soft", "Light", "Heavy", "Waxed", "Washed", "Ribbed", "Quilted", "Long", "Short", "Wide", "Slim", "Double",
    "Folded", "Brushed", "Printed", "Dyed", "Raw",
];
const STUFFS: [&str; 20] = [
    "canvas", "linen", "cotton", "wool", "leather", "cork", "felt", "denim", "silk", "hemp", "jersey", "tweed", "nylon", "bamboo", "oak", "ash",
    "steel", "brass", "glass", "clay",
];
const THINGS: [&str; 25] = [
    "tote", "belt", "cap", "scarf", "shirt", "apron", "wallet", "pouch", "mug", "bowl", "tray", "lamp", "stool", "throw", "sock", "glove", "coat",
    "vest", "case", "strap", "hook", "frame", "vase", "board", "brush",
];

/// How much of everything, and which of all shops.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub products: u64,
    pub orders: u64,
    pub seed: u64,
    /// The end of the two years.
    pub now: Instant,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Lapsed,
    Open,
    Packing,
    Shipped,
    Delivered,
    Disputed,
    RefundStuck,
    ReturnAnnounced,
}

impl Size {
    /// Bits that look random (the finaliser of splitmix64).
    pub fn dice(self, what: &str, place: u64) -> u64 {
        let mut z =
            what.bytes().fold(self.seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15), |z, byte| (z ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `n`, from 0.
    pub fn pick(self, what: &str, place: u64, n: usize) -> usize {
        usize::try_from(self.dice(what, place) % u64::try_from(n.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    pub fn placed_at(self, order: u64) -> Instant {
        let span = i128::from(DAYS * DAY_US);
        let ago = span - span * i128::from(order) / i128::from(self.orders.max(1));
        self.now - i64::try_from(ago).unwrap_or(0) - 1
    }

    /// UUIDv7 of that time; `kind` keeps ids of different tables apart.
    fn id(self, at: Instant, kind: u64, place: u64) -> Uuid {
        let ms = u128::try_from(at / 1_000).unwrap_or(0) & 0xffff_ffff_ffff;
        // Within a millisecond they grow with the place, as ids of rows that are written one after the other do.
        let low = u128::from(place & 0xffff_ffff) << 30 | u128::from(kind & 0x3f) << 24 | u128::from(self.dice("id", place) & 0xff_ffff);
        Uuid::from_u128(ms << 80 | 0x7 << 76 | 0b10 << 62 | low & 0x3fff_ffff_ffff_ffff)
    }

    pub fn order(self, order: u64) -> OrderId {
        // Ids of orders grow with time, also within a millisecond.
        let ms = u128::try_from(self.placed_at(order) / 1_000).unwrap_or(0) & 0xffff_ffff_ffff;
        OrderId(Uuid::from_u128(ms << 80 | 0x7 << 76 | 0b10 << 62 | u128::from(order)))
    }

    /// The id of something about an order.
    pub fn about(self, order: u64, kind: u64) -> Uuid {
        self.id(self.placed_at(order), kind, order)
    }

    pub fn product(self, product: u64) -> ProductId {
        ProductId(self.about_product(product, 1))
    }

    pub fn variant(self, product: u64) -> VariantId {
        VariantId(self.about_product(product, 2))
    }

    /// The id of something about a product.
    pub fn about_product(self, product: u64, kind: u64) -> Uuid {
        self.id(self.now - 2 * DAYS * DAY_US, kind, product)
    }

    /// No two orders have the same: multiplying by an odd number loses nothing.
    pub fn number(self, order: u64) -> OrderNumber {
        let bits = order.wrapping_add(self.seed & 0xffff).wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xff_ffff_ffff;
        let bytes = bits.to_be_bytes();
        OrderNumber::from_random([bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    }

    pub fn customer(self, order: u64) -> u64 {
        self.dice("customer", order) % (self.orders / ORDERS_EACH).max(1)
    }

    pub fn customers(self) -> u64 {
        (self.orders / ORDERS_EACH).max(1)
    }

    pub fn email(customer: u64) -> Email {
        Email::parse(&format!("customer.{customer}@example.com")).expect("an address as they are made")
    }

    pub fn phone(customer: u64) -> Phone {
        Phone::parse(&format!("+49 30 {:07}", 1_000_000 + customer)).expect("a number as they are made")
    }

    pub fn postcode(customer: u64) -> String {
        format!("{:05}", 10_000 + customer % 5_000)
    }

    pub fn tracking(order: u64) -> String {
        format!("JD{order:012}")
    }

    pub fn sku(product: u64) -> String {
        format!("{}-{product:07}", THINGS[usize::try_from(product % 25).unwrap_or(0)].to_uppercase())
    }

    /// `Woven linen tote 4711`.
    pub fn title(self, product: u64) -> String {
        let (look, stuff) = (LOOKS[self.pick("look", product, 20)], STUFFS[self.pick("stuff", product, 20)]);
        format!("{look} {stuff} {} {product}", THINGS[usize::try_from(product % 25).unwrap_or(0)])
    }

    /// What was ordered: half of all orders are for one in a hundred products.
    pub fn ordered(self, order: u64) -> u64 {
        let dice = self.dice("ordered", order);
        let among = if dice & 1 == 0 { self.products / 100 } else { self.products };
        (dice >> 1) % among.max(1)
    }

    /// One in 200 waits for somebody: most of the newest to be sent, a few from longer ago for something else.
    pub fn fate(self, order: u64) -> Fate {
        let (left, dice) = (self.orders - order, self.dice("fate", order) % 10_000);
        match dice {
            0..5 => Fate::Disputed,
            5..8 => Fate::RefundStuck,
            8..12 => Fate::ReturnAnnounced,
            _ if left * 1_000 <= self.orders * 3 => Fate::Open,
            _ if left * 1_000 <= self.orders * 4 => Fate::Packing,
            12..1_200 => Fate::Lapsed,
            _ if left * 100 <= self.orders => Fate::Shipped,
            _ => Fate::Delivered,
        }
    }
}
