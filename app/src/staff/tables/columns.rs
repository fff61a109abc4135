//! Which tables there are, and the columns of each: what forms ask for, what files have at their head, and what each cell takes.

use domain::locale::TextLanguage;

/// A table of prices or rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Prices,
    Promotions,
    Coupons,
    Taxes,
    Collection,
    Delivery,
    Zones,
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// At the head of files, and the name of a form's field.
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub kind: Kind,
    /// Part of what a row is known by: it is set once.
    pub is_key: bool,
    /// Shown in lists.
    pub is_listed: bool,
}

/// What a cell takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line of so many characters at most.
    Line(u32),
    /// An instant, as RFC 3339 has it or as people type it.
    Time,
    /// Several lines of so many characters in all.
    Area(u32),
    /// One of these: the word in the cell, and what people read.
    Choice(&'static [(&'static str, &'static str)]),
}

impl Kind {
    /// The longest cell, in characters.
    pub const fn chars_max(self) -> u32 {
        match self {
            Self::Line(most) | Self::Area(most) => most,
            Self::Time | Self::Choice(_) => 40,
        }
    }
}

const YES_NO: Kind = Kind::Choice(&[("", "No"), ("yes", "Yes")]);

const fn column(name: &'static str, label: &'static str, hint: &'static str, kind: Kind) -> Column {
    Column { name, label, hint, kind, is_key: false, is_listed: false }
}

const fn listed(column: Column) -> Column {
    Column { is_listed: true, ..column }
}

const fn key(column: Column) -> Column {
    Column { is_key: true, is_listed: true, ..column }
}

const FROM_HINT: &str = "Empty: from now on. 2027-01-01T09:00Z is UTC; without the Z it is the time in the market's own zone.";

/// A column of titles for each language, with its word.
const fn title(name: &'static str, label: &'static str) -> Column {
    column(name, label, "", Kind::Line(80))
}

/// Titles, what is taken off, and of what: the same for promotions and coupons.
const RULE: [Column; 20] = [
    listed(column("title", "Title", "What shoppers read beside the amount, in American English.", Kind::Line(80))),
    title("title_en_gb", "Title in British English"),
    title("title_de", "Title in German"),
    title("title_fr", "Title in French"),
    title("title_ja", "Title in Japanese"),
    title("title_ko", "Title in Korean"),
    listed(column(
        "effect",
        "What it does",
        "One of: 10% · 10.00EUR · free delivery · each 9.00EUR · buy 2 get 1 · buy 2 get 1 at 50% · 3=10% 6=20% (from so many pieces) · 100.00EUR=15.00EUR (from so much value).",
        Kind::Line(400),
    )),
    column("minimum", "Minimum", "What the goods have to come to, such as 50.00EUR. Empty: none.", Kind::Line(40)),
    column(
        "categories",
        "Categories",
        "By key, with spaces between. A piece counts if anything here or below names it; where nothing does, the whole shop counts.",
        Kind::Line(2_000),
    ),
    column("tags", "Tags", "By key, with spaces between.", Kind::Line(2_000)),
    column("products", "Products", "By handle or id, with spaces between.", Kind::Area(8_000)),
    column("variants", "Variants", "By id, with spaces between.", Kind::Area(8_000)),
    listed(column(
        "audience",
        "For whom",
        "Empty: everyone. first-order: customers without a paid order. returning: those with one. Or the name of a segment.",
        Kind::Line(40),
    )),
    column("reduced", "Reduced pieces", "Whether they count too.", Kind::Choice(&[("", "Count"), ("no", "Do not count")])),
    listed(column("markets", "Markets", "Such as DE FR. Empty: every market that has the currency.", Kind::Line(200))),
    listed(column(
        "from",
        "From",
        "Empty: from now on. 2027-01-01T09:00Z is UTC; without the Z it is the time of the first market that is named, everywhere at once.",
        Kind::Time,
    )),
    listed(column("until", "Until", "It does not hold at that instant any more. Empty: until it is ended.", Kind::Time)),
    column(
        "combines",
        "Goes together with",
        "What may apply to the same pieces beside it.",
        Kind::Choice(&[("", "Everything"), ("codes", "What a code unlocked"), ("nothing", "Nothing")]),
    ),
    column("priority", "Priority", "Which of two that save a shopper the same wins: the higher one. Empty: 0.", Kind::Line(11)),
    listed(column("hidden", "Hidden", "Shoppers hear of it only where it applies.", YES_NO)),
];

const PRICES: [Column; 6] = [
    key(column("sku", "SKU", "Of the variant; where it has none, its id.", Kind::Line(100))),
    key(column("list", "Price list", "Such as de.", Kind::Line(40))),
    key(column(
        "from",
        "From",
        "Empty: from now on. Prices of the past stay as they are. 2027-01-01T09:00Z is UTC; without the Z it is the time in the market's own zone.",
        Kind::Time,
    )),
    listed(column(
        "until",
        "Until",
        "Empty: a list price, which stays until there is another. An instant: an override, which beats the list price until then.",
        Kind::Time,
    )),
    listed(column("price", "Price", "In the currency of the list, such as 29.00, or 4000 in yen.", Kind::Line(20))),
    listed(column(
        "compare_at",
        "Before",
        "What it cost before. Shown struck through only as far as the history of prices and the market's law bear it out.",
        Kind::Line(20),
    )),
];

const DELIVERY: [Column; 19] = [
    key(column("market", "Market", "Such as DE.", Kind::Line(2))),
    key(column("method", "Method", "Its code: standard, express.", Kind::Line(40))),
    key(column("from", "From", FROM_HINT, Kind::Time)),
    column("name", "Name", "What shoppers read, in American English.", Kind::Line(80)),
    column("name_en_gb", "Name in British English", "", Kind::Line(80)),
    column("name_de", "Name in German", "", Kind::Line(80)),
    column("name_fr", "Name in French", "", Kind::Line(80)),
    column("name_ja", "Name in Japanese", "", Kind::Line(80)),
    column("name_ko", "Name in Korean", "", Kind::Line(80)),
    listed(column("price", "Price", "In the market's currency, such as 4.90.", Kind::Line(20))),
    listed(column("free_from", "Free from", "What the goods have to come to. Empty: it is always charged.", Kind::Line(20))),
    listed(column("days", "Business days", "On the way, from the day it leaves: 2-3.", Kind::Line(7))),
    column("cut_off", "Leaves the same day until", "Such as 14:00 Europe/Berlin.", Kind::Line(60)),
    column("ships_from", "Leaves from", "A location's code and its country, whose public holidays count: rotterdam NL.", Kind::Line(60)),
    column("handling_days", "Handling days", "Business days that the location needs first. Empty: none.", Kind::Line(2)),
    column(
        "elsewhere",
        "Other locations",
        "One on each line: location, country, cut-off, handling days, days that the way takes longer. reno US 13:00 America/Los_Angeles 0 3",
        Kind::Area(2_000),
    ),
    column("weights", "Heavy parcels", "What is added above so many grams: 5000=3.00 10000=7.00. Empty: nothing.", Kind::Line(400)),
    column("weight_max", "Grams at most", "Heavier orders are not sent this way. Empty: any weight.", Kind::Line(9)),
    column("offered", "Offered", "Whether shoppers can choose it.", Kind::Choice(&[("", "Yes"), ("no", "No")])),
];

const ZONES: [Column; 15] = [
    key(column("market", "Market", "Such as GB.", Kind::Line(2))),
    key(column("method", "Method", "Its code: standard, express.", Kind::Line(40))),
    key(column("zone", "Zone", "Its code: highlands. It counts from now on; orders that stand keep what they were promised.", Kind::Line(40))),
    listed(column("name", "Name", "What shoppers read, in American English.", Kind::Line(80))),
    column("name_en_gb", "Name in British English", "", Kind::Line(80)),
    column("name_de", "Name in German", "", Kind::Line(80)),
    column("name_fr", "Name in French", "", Kind::Line(80)),
    column("name_ja", "Name in Japanese", "", Kind::Line(80)),
    column("name_ko", "Name in Korean", "", Kind::Line(80)),
    column("countries", "Countries", "With spaces between. Empty: the market's own.", Kind::Line(300)),
    column(
        "regions",
        "Regions",
        "By code, with spaces between: AK HI. With neither regions nor postcodes it is all of its countries.",
        Kind::Line(400),
    ),
    column(
        "postcodes",
        "Postcodes",
        "How they begin, with commas between: IV, KW, PA20. A space at the end counts: “PA2 ,” is without PA20.",
        Kind::Area(2_000),
    ),
    listed(column("price", "Price", "In the market's currency, instead of the method's. Empty: the method does not go there.", Kind::Line(20))),
    listed(column("free_from", "Free from", "Empty: it is always charged.", Kind::Line(20))),
    listed(column("days", "More business days", "Beside the method's: 1-2. Empty: none.", Kind::Line(7))),
];

const ID: Column = Column { name: "id", label: "Id", hint: "Empty for a new one.", kind: Kind::Line(36), is_key: true, is_listed: false };

const PROMOTIONS: [Column; 21] = {
    let mut columns = [ID; 21];
    let mut at = 0;
    while at < RULE.len() {
        columns[at + 1] = RULE[at];
        at += 1;
    }
    columns
};

const COUPONS: [Column; 25] = {
    let mut columns = [ID; 25];
    let code = "A code such as SPRING-20; or SPRING x 500 for 500 codes that each work once. It is set once.";
    columns[1] = listed(column("code", "Code", code, Kind::Line(60)));
    let mut at = 0;
    // Coupons are never hidden: whoever types the code reads what became of it.
    while at < RULE.len() - 1 {
        columns[at + 2] = RULE[at];
        at += 1;
    }
    columns[21] = listed(column(
        "cap",
        "Uses in all",
        "Empty: as many as anybody likes. A coupon keeps or lacks its limit: what was not counted cannot be.",
        Kind::Line(9),
    ));
    columns[22] = column("cap_per_customer", "Uses by each customer", "Guests are known by their email address.", Kind::Line(9));
    columns[23] = column("cap_per_code", "Uses of each code", "1 for codes that work once.", Kind::Line(9));
    columns[24] = column("ended", "Ended by hand", "", YES_NO);
    columns
};

const TAXES: [Column; 10] = [
    key(column("country", "Country", "Such as DE.", Kind::Line(2))),
    key(column("region", "Region", "A state or province, such as NY. Empty: the whole country.", Kind::Line(6))),
    key(column("category", "Category", "Of goods: clothing, books, food; delivery; empty: everything that has no rate of its own.", Kind::Line(40))),
    key(column("name", "Name", "As invoices print it: VAT, GST, sales tax.", Kind::Line(40))),
    key(column("from", "From", "Empty: from now on. Orders of the past keep their taxes.", Kind::Time)),
    listed(column("rate", "Rate", "In percent, up to four decimals: 9.975.", Kind::Line(9))),
    listed(column(
        "scope",
        "Counts for",
        "What of an amount.",
        Kind::Choice(&[
            ("", "All of it"),
            ("below", "Pieces that cost less than the limit"),
            ("above", "What each piece costs beyond the limit"),
            ("as_goods", "Delivery, in proportion to the goods"),
            ("if_any", "Delivery, if any of the goods is taxed"),
        ]),
    )),
    column("limit", "Limit", "In the currency of the country's market, such as 110.00.", Kind::Line(20)),
    column("estimated", "Estimated", "A flat figure for what differs from place to place: the shop says so.", YES_NO),
    column("source", "Source", "The law or the office's page that says so.", Kind::Line(300)),
];

const COLLECTION: [Column; 3] = [
    key(column("place", "Place", "US-TX for a state or province, DE for a whole country.", Kind::Line(9))),
    key(column("from", "From", "Empty: from now on.", Kind::Time)),
    listed(column(
        "collects",
        "Taxes are",
        "Who has a nexus or a registration where is for the seller to know.",
        Kind::Choice(&[("yes", "collected"), ("no", "not collected")]),
    )),
];

impl Table {
    pub const ALL: [Self; 7] = [Self::Prices, Self::Promotions, Self::Coupons, Self::Taxes, Self::Collection, Self::Delivery, Self::Zones];

    /// As in addresses, files and the history.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Prices => "prices",
            Self::Promotions => "promotions",
            Self::Coupons => "coupons",
            Self::Taxes => "taxes",
            Self::Collection => "collection",
            Self::Delivery => "delivery",
            Self::Zones => "zones",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.word() == word)
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Prices => "Prices",
            Self::Promotions => "Promotions",
            Self::Coupons => "Coupons",
            Self::Taxes => "Tax rates",
            Self::Collection => "Where taxes are collected",
            Self::Delivery => "Delivery methods",
            Self::Zones => "Delivery zones",
        }
    }

    /// What one row is, for buttons and notices.
    pub const fn one(self) -> &'static str {
        match self {
            Self::Prices => "price",
            Self::Promotions => "promotion",
            Self::Coupons => "coupon",
            Self::Taxes => "tax rate",
            Self::Collection => "place",
            Self::Delivery => "delivery method",
            Self::Zones => "delivery zone",
        }
    }

    /// What the table is for, in a sentence.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Prices => "What each variant costs in each list, now and later, and for how long.",
            Self::Promotions => "What is taken off by itself: percentages, amounts, three for two, tiers, free delivery.",
            Self::Coupons => "The same for whoever types a code, with limits on its uses.",
            Self::Taxes => "Rates by country, region and kind of goods, each from a day on.",
            Self::Collection => "Countries, states and provinces for which the shop collects taxes. Those that are not named are collected.",
            Self::Delivery => "What each way to send an order costs, how long it takes, and what it takes.",
            Self::Zones => "Parts of a market where a method costs or takes something else, or does not go.",
        }
    }

    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Prices => &PRICES,
            Self::Promotions => &PROMOTIONS,
            Self::Coupons => &COUPONS,
            Self::Taxes => &TAXES,
            Self::Collection => &COLLECTION,
            Self::Delivery => &DELIVERY,
            Self::Zones => &ZONES,
        }
    }

    /// Where a column stands. A name that the table lacks stands nowhere.
    pub fn position(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name == name)
    }
}

/// What the name of a column of texts ends in, in a language: `title`, `title_de`.
pub const fn suffix(language: TextLanguage) -> &'static str {
    match language {
        TextLanguage::EnUs => "",
        TextLanguage::EnGb => "_en_gb",
        TextLanguage::De => "_de",
        TextLanguage::Fr => "_fr",
        TextLanguage::Ja => "_ja",
        TextLanguage::Ko => "_ko",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_names_of_their_own_and_a_word_leads_to_each_table() {
        for table in Table::ALL {
            assert_eq!(Table::parse(table.word()), Some(table));
            for (at, column) in table.columns().iter().enumerate() {
                assert_eq!(table.position(column.name), Some(at), "{}: {}", table.word(), column.name);
            }
        }
        for language in TextLanguage::ALL {
            assert!(Table::Promotions.position(&format!("title{}", suffix(language))).is_some());
            assert!(Table::Coupons.position(&format!("title{}", suffix(language))).is_some());
            assert!(Table::Delivery.position(&format!("name{}", suffix(language))).is_some());
            assert!(Table::Zones.position(&format!("name{}", suffix(language))).is_some());
        }
    }
}
