//! Whose pieces a file counts: the shop's or one location's. What was sold stays sold.

use crate::{
    catalog::import::{args, import},
    catalog::readmodel,
    catalog::stores::{self, Stores},
};
use server::{
    catalog::{import, stock},
    clock::Clock,
    params,
};
use std::collections::BTreeMap;

/// Free pieces of the sage bottle by location.
async fn free(stores: &Stores) -> BTreeMap<String, i64> {
    let sql = "SELECT s.location, s.free FROM stock_balances s JOIN variants v ON v.id = s.variant_id WHERE v.sku = 'IWB-SGE'";
    let rows = stores.db.all(sql, vec![]).await.expect("a read");
    rows.iter().map(|row| (row.text("location").expect("text"), row.int("free").expect("a number"))).collect()
}

/// Imports a quantity for it.
async fn count(stores: &Stores, location: Option<&str>, quantity: i64) -> usize {
    let file = stores.folder.path().join("count.csv");
    let text = format!("Handle,Title,Option1 Value,Variant Inventory Qty\ninsulated-bottle,,Sage,{quantity}\n");
    std::fs::write(&file, text).expect("a file");
    let args = import::Args { location: location.map(str::to_owned), ..args(file) };
    let report = import(&stores.db, stores.folder.path(), &args).await;
    assert_eq!(report.exit_code(), 0, "{report}");
    report.products_changed
}

fn places(reno: i64, rotterdam: i64, osaka: i64) -> BTreeMap<String, i64> {
    [("reno", reno), ("rotterdam", rotterdam), ("osaka", osaka)].into_iter().map(|(location, free)| (location.to_owned(), free)).collect()
}

#[tokio::test]
async fn a_file_counts_the_shops_pieces_unless_it_is_told_of_one_location() {
    for stores in stores::all().await {
        readmodel::demo(&stores).await;
        assert_eq!(free(&stores).await, places(42, 36, 25), "{}", stores.name);
        assert_eq!(count(&stores, None, 103).await, 0, "42 + 36 + 25 are 103: the file says what is known");
        assert_eq!(count(&stores, None, 110).await, 1);
        assert_eq!(free(&stores).await, places(49, 36, 25), "seven more came to the first location");

        let row = stores.db.first("SELECT id, product_id FROM variants WHERE sku = 'IWB-SGE'", params![]).await.expect("a read").expect("a row");
        let item = stock::Item { product: row.parse("product_id").expect("an id"), variant: row.parse("id").expect("an id") };
        stores
            .db
            .transact::<_, anyhow::Error>(|tx| {
                Box::pin(async move { stock::adjust(tx, &Clock::system(), item, "rotterdam", -6, "sold", "test").await })
            })
            .await
            .expect("six are sold");
        assert_eq!(count(&stores, None, 110).await, 0, "the same file again");
        assert_eq!(free(&stores).await, places(49, 30, 25), "and nothing is resurrected");

        assert_eq!(count(&stores, Some("rotterdam"), 36).await, 0, "the demo said 36 there");
        assert_eq!(count(&stores, Some("rotterdam"), 40).await, 1);
        assert_eq!(free(&stores).await, places(49, 34, 25), "four more came to that location");
        assert_eq!(count(&stores, None, 114).await, 0, "which the shop's total counts too");

        assert_eq!(count(&stores, None, 54).await, 1, "sixty fewer");
        assert_eq!(free(&stores).await, places(0, 34, 14), "more than the first location has: the others give the rest");
        assert_eq!(count(&stores, None, 54).await, 0);
        assert_eq!(count(&stores, None, 0).await, 1, "six of these were sold: the shop owes them");
        assert_eq!(free(&stores).await, places(-6, 0, 0));
        assert_eq!(count(&stores, None, 6).await, 1);
        assert_eq!(free(&stores).await, places(0, 0, 0));
    }
}
