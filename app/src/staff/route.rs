//! Every URL of the operator pages is a value, as the shop's are in `routes.rs`. All of them are private: rendered for one member of staff
//! and never stored.

use super::tables::Table;
use crate::routes::{Class, encoded};
use domain::VariantId;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Home,
    /// Leads to `next` afterwards, which is a path below `/ops`.
    SignIn {
        next: Option<String>,
    },
    /// To choose another password.
    Password,
    Audit {
        older_than: Option<String>,
    },
    /// Variants that begin with `wanted`, after the row with this key.
    Stock {
        wanted: String,
        after: Option<String>,
    },
    /// One variant's stock, with its ledger older than the row with this key.
    Variant {
        variant: VariantId,
        older_than: Option<String>,
    },
    Orders {
        list: OrderList,
    },
    /// One order, by its number.
    Order {
        number: String,
    },
    /// A document of an order: an invoice or a credit note.
    Invoice {
        order: String,
        number: String,
        pdf: bool,
    },
    /// Orders that wait to be sent, from the row after this key.
    Ship {
        after: Option<String>,
    },
    /// The tables of rules.
    Tables,
    /// Rows of a table that begin with `wanted`, after the row with this key.
    Table {
        table: Table,
        wanted: String,
        after: Option<String>,
    },
    /// Such rows as a file.
    TableCsv {
        table: Table,
        wanted: String,
    },
    TableRow {
        table: Table,
        key: String,
    },
    /// A form for a row that is not there yet; `like` fills it as the row with that key.
    TableNew {
        table: Table,
        like: Option<String>,
    },
    /// To change it by a file.
    TableFile {
        table: Table,
    },
    /// What was changed, older than the change with this id.
    TableHistory {
        table: Table,
        older_than: Option<String>,
    },
    /// One change of a table, by its id.
    TableEdit {
        edit: String,
    },
    /// The codes of a coupon as a file, with their uses.
    CouponCodes {
        key: String,
    },
}

/// How a list of orders is narrowed and turned. What is empty does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderList {
    /// One exact thing: a number, an email address, a SKU …
    pub wanted: String,
    /// What they wait for: the word of a `domain::order::Attention`.
    pub waits: String,
    /// The code of a state in [`super::orders::STATES`].
    pub state: String,
    pub market: String,
    /// Days, as in `2026-11-23`.
    pub from: String,
    pub to: String,
    pub after: String,
}

impl OrderList {
    /// The same list from the row after this key.
    #[must_use]
    pub fn turned(&self, after: String) -> Self {
        Self { after, ..self.clone() }
    }
}

/// Where a form is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    SignIn,
    SignOut,
    ChangePassword,
    /// Pieces of a variant came in.
    Receive {
        variant: VariantId,
    },
    Adjust {
        variant: VariantId,
    },
    Damage {
        variant: VariantId,
    },
    /// Something is done about an order.
    Order {
        number: String,
        act: super::order::Act,
    },
    /// Several orders are sent.
    ShipAll,
    /// A row of a table is added or changed.
    TableSave {
        table: Table,
    },
    /// A row of a table is ended.
    TableEnd {
        table: Table,
    },
    /// A file is looked at.
    TableFile {
        table: Table,
    },
    /// A file that was looked at is carried out.
    TableApply {
        table: Table,
    },
    /// A change is undone.
    TableUndo {
        edit: String,
    },
}

/// What every operator page's path begins with; also the path of the session's cookie.
pub const ROOT: &str = "/ops";

/// What the paths begin with to which files are sent.
pub const FILES: &str = "/ops/tables/";

impl Route {
    pub fn url(&self) -> String {
        match self {
            Self::Home => ROOT.to_owned(),
            Self::SignIn { next } => with_query("/ops/sign-in", &[("next", next.as_deref())]),
            Self::Password => "/ops/password".to_owned(),
            Self::Stock { wanted, after } => with_query("/ops/stock", &[("q", Some(wanted)), ("after", after.as_deref())]),
            Self::Variant { variant, older_than } => with_query(&format!("/ops/stock/{variant}"), &[("older_than", older_than.as_deref())]),
            Self::Audit { older_than } => with_query("/ops/audit", &[("older_than", older_than.as_deref())]),
            Self::Orders { list } => {
                let OrderList { wanted, waits, state, market, from, to, after } = list;
                let pairs = [("q", wanted), ("waits", waits), ("state", state), ("market", market), ("from", from), ("to", to), ("after", after)];
                with_query("/ops/orders", &pairs.map(|(key, value)| (key, Some(value.as_str()))))
            }
            Self::Order { number } => format!("/ops/orders/{number}"),
            Self::Invoice { order, number, pdf } => format!("/ops/orders/{order}/invoices/{number}{}", if *pdf { ".pdf" } else { "" }),
            Self::Ship { after } => with_query("/ops/orders/ship", &[("after", after.as_deref())]),
            Self::Tables => "/ops/tables".to_owned(),
            Self::Table { table, wanted, after } => {
                with_query(&format!("/ops/tables/{}", table.word()), &[("q", Some(wanted)), ("after", after.as_deref())])
            }
            Self::TableCsv { table, wanted } => with_query(&format!("/ops/tables/{}/rows.csv", table.word()), &[("q", Some(wanted))]),
            Self::TableRow { table, key } => with_query(&format!("/ops/tables/{}/row", table.word()), &[("key", Some(key))]),
            Self::TableNew { table, like } => with_query(&format!("/ops/tables/{}/new", table.word()), &[("like", like.as_deref())]),
            Self::TableFile { table } => format!("/ops/tables/{}/file", table.word()),
            Self::TableHistory { table, older_than } => {
                with_query(&format!("/ops/tables/{}/history", table.word()), &[("older_than", older_than.as_deref())])
            }
            Self::TableEdit { edit } => format!("/ops/edits/{edit}"),
            Self::CouponCodes { key } => with_query("/ops/tables/coupons/codes.csv", &[("key", Some(key))]),
        }
    }

    /// A visitor's own pages are never stored.
    pub const fn class(&self) -> Class {
        Class::Private
    }
}

impl Action {
    pub fn url(&self) -> String {
        match self {
            Self::SignIn => "/ops/sign-in".to_owned(),
            Self::SignOut => "/ops/sign-out".to_owned(),
            Self::ChangePassword => "/ops/password".to_owned(),
            Self::Receive { variant } => format!("/ops/stock/{variant}/receipts"),
            Self::Adjust { variant } => format!("/ops/stock/{variant}/adjustments"),
            Self::Damage { variant } => format!("/ops/stock/{variant}/damage"),
            Self::Order { number, act } => format!("/ops/orders/{number}/{}", act.word()),
            Self::ShipAll => "/ops/orders/ship".to_owned(),
            Self::TableSave { table } => format!("/ops/tables/{}/row", table.word()),
            Self::TableEnd { table } => format!("/ops/tables/{}/end", table.word()),
            Self::TableFile { table } => format!("{FILES}{}/file", table.word()),
            Self::TableApply { table } => format!("{FILES}{}/apply", table.word()),
            Self::TableUndo { edit } => format!("/ops/edits/{edit}/undo"),
        }
    }
}

/// A path to come back to after signing in: one of ours below [`ROOT`], and no way to another site.
pub fn is_next(path: &str) -> bool {
    let below = path == ROOT || path.strip_prefix(ROOT).is_some_and(|rest| rest.starts_with(['/', '?']));
    below && path.len() <= 1_024 && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && !path.starts_with("/ops/sign-")
}

/// A path with the parts of a query that have a value.
pub fn with_query(path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut url = path.to_owned();
    for (key, value) in pairs {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.extend([key, "=", &*encoded(value)]);
        }
    }
    url
}
