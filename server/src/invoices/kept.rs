//! The documents as they stand: listed for an order, and read with whom they are for.

use crate::{
    keys::Keys,
    params,
    sql::{Db, Row, Tx},
};
use anyhow::Context as _;
use domain::{
    OrderId, RefundId,
    invoice::{Buyer, Invoice},
    money::Money,
    offer::Instant,
};

/// A document with whom it is for.
#[derive(Clone, Debug)]
pub struct Document {
    pub invoice: Invoice,
    /// `None`: the customer was erased before it was made.
    pub buyer: Option<Buyer>,
}

/// A line of a list of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub number: String,
    pub is_credit_note: bool,
    pub issued_at: Instant,
    pub total: Money,
}

/// A document as its own order's bookkeeping needs it.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub id: String,
    /// `None`: the invoice itself.
    pub refund: Option<RefundId>,
    pub invoice: Invoice,
    /// Whom it is for, sealed; its key's context is the id of the order, so that a note has it as the invoice has.
    pub buyer: Option<Vec<u8>>,
}

const OF_ORDER: &str = "SELECT id, cause, body, buyer FROM invoices WHERE order_id = $1 ORDER BY issued_at, id";

/// An order's documents inside a transaction, the invoice first.
pub async fn in_tx(tx: &mut Tx, order: OrderId) -> anyhow::Result<Vec<Sealed>> {
    tx.all(OF_ORDER, params![order]).await?.iter().map(sealed).collect()
}

fn sealed(row: &Row) -> anyhow::Result<Sealed> {
    let cause = row.text("cause")?;
    Ok(Sealed {
        id: row.text("id")?,
        refund: if cause.is_empty() { None } else { Some(row.parse("cause")?) },
        invoice: serde_json::from_str(&row.text("body")?).context("invoices.body")?,
        buyer: row.bytes_or_null("buyer")?,
    })
}

/// An order's documents, the invoice first.
pub async fn of_order(db: &Db, order: OrderId) -> anyhow::Result<Vec<Listed>> {
    let rows =
        db.all("SELECT number, kind, issued_at, currency, total_minor FROM invoices WHERE order_id = $1 ORDER BY issued_at, id", params![order]);
    let listed = |row: &Row| {
        Ok(Listed {
            number: row.text("number")?,
            is_credit_note: row.text("kind")? == "credit_note",
            issued_at: row.int("issued_at")?,
            total: crate::orders::store::money(row, "total_minor")?,
        })
    };
    rows.await?.iter().map(listed).collect()
}

/// A document of this order by its number.
pub async fn find(db: &Db, keys: &Keys, order: OrderId, number: &str) -> anyhow::Result<Option<Document>> {
    let row = db.first("SELECT id, cause, body, buyer FROM invoices WHERE number = $2 AND order_id = $1", params![order, number]).await?;
    let Some(row) = row else { return Ok(None) };
    let Sealed { invoice, buyer, .. } = sealed(&row)?;
    let open = |sealed: Vec<u8>| {
        let plain = keys.invoices().open(&order.to_string(), &sealed).context("invoices.buyer")?;
        serde_json::from_slice(&plain).context("invoices.buyer")
    };
    Ok(Some(Document { invoice, buyer: buyer.map(open).transpose()? }))
}
