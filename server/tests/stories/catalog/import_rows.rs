//! What an import makes of files that say less than everything: rows and cells that cannot be read, columns that are not there. Nothing
//! that the shop knows is lost by them, and no row goes unmentioned.

use crate::{
    catalog::import::{args, import},
    catalog::readmodel,
    catalog::stores::{self, Stores},
};
use app::ports::storefront::{Found, Storefront as _};
use domain::locale::TextLanguage;
use server::{catalog::import::Report, clock::Clock, sql::Db};

const WHOLE: &str = "\
Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Barcode,Variant Grams,\
Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Image Src,Status
bag,Canvas bag,<p>A bag.</p>,Mill,Bags,\"new, canvas\",TRUE,Color,Sage,Size,S,B-SS,400638,500,shopify,5,continue,48.00,60.00,https://pictures.example/a.jpg,active
bag,,,,,,,,Sage,,M,B-SM,400639,520,shopify,6,continue,48.00,60.00,https://pictures.example/b.jpg,
bag,,,,,,,,Clay,,S,B-CS,400640,500,shopify,7,continue,48.00,60.00,https://pictures.example/a.jpg,
";

/// What SQL says of products, variants and prices in force.
async fn told(db: &Db) -> Vec<String> {
    let mut told = Vec::new();
    for sql in [
        "SELECT handle, status, published, vendor, category, tags, texts, options, pictures FROM products ORDER BY id",
        "SELECT * FROM variants ORDER BY id",
        "SELECT price_list, variant_id, amount_minor, compare_at_minor FROM prices WHERE valid_until IS NULL ORDER BY variant_id, price_list",
    ] {
        told.extend(db.all(sql, vec![]).await.expect("a read").iter().map(server::sql::Row::debug_text));
    }
    told
}

async fn column(db: &Db, sql: &'static str) -> Vec<i64> {
    db.all(sql, vec![]).await.expect("a read").iter().map(|row| row.int("n").expect("a number")).collect()
}

/// Imports a text as a file.
async fn take(stores: &Stores, text: impl AsRef<[u8]>) -> Report {
    let file = stores.folder.path().join("products.csv");
    std::fs::write(&file, text).expect("a file");
    import(&stores.db, stores.folder.path(), &args(file)).await
}

fn refused(report: &Report) -> Vec<(u64, &str)> {
    report.refusals.iter().map(|refusal| (refusal.line, refusal.column.as_str())).collect()
}

#[tokio::test]
async fn a_product_whose_first_row_cannot_be_read_keeps_what_it_has() {
    for stores in stores::all().await {
        assert_eq!(take(&stores, WHOLE).await.exit_code(), 0, "{}", stores.name);
        let before = told(&stores.db).await;
        // A comma too many in the rows that name title and options; the third row has another price.
        let torn = WHOLE
            .replace("bag,Canvas bag,", "bag,Canvas, bag,")
            .replace(",Clay,,S,B-CS,400640,500,shopify,7,continue,48.00", ",Clay,,S,B-CS,400640,500,shopify,7,continue,45.00");
        let report = take(&stores, &torn).await;
        assert_eq!(refused(&report), [(2, "")], "{report}");
        assert_eq!((report.products_changed, report.variants, report.exit_code()), (1, 2, 3), "the good variants are taken: {report}");
        let after = told(&stores.db).await;
        assert_eq!(before.len(), after.len(), "no price ended, nothing is missing");
        let differ: Vec<&String> = before.iter().zip(&after).filter(|(before, after)| before != after).map(|(_, after)| after).collect();
        assert!(differ.len() == 1 && differ[0].contains("amount_minor=4500"), "{differ:?}");

        // Two rows torn, and one names a colour that nobody has introduced.
        let torn = WHOLE
            .replace("bag,Canvas bag,", "bag,Canvas, bag,")
            .replace("bag,,,,,,,,Sage,,M", "bag,,,,,,,,,Sage,,M")
            .replace(",Clay,,S", ",Lilac,,S");
        let report = take(&stores, &torn).await;
        assert_eq!(refused(&report), [(2, ""), (3, ""), (4, "Option1 Value")], "{report}");
        assert_eq!(told(&stores.db).await, after, "nothing changed");

        // The same of a product that the shop does not know: held back whole, every row named.
        let report = take(&stores, torn.replace("bag,", "sack,")).await;
        assert_eq!(refused(&report), [(2, ""), (3, ""), (4, "Title")], "{report}");
        assert_eq!((report.products_left_out(), report.exit_code()), (1, 1), "{report}");
        let more = torn.replace("bag,", "sack,") + "sack,,,,,,,,Sage,,L,B-SL,,500,shopify,7,continue,48.00,60.00,,\n";
        let report = take(&stores, more).await;
        assert_eq!(refused(&report), [(2, ""), (3, ""), (4, "Title"), (5, "")], "{report}");
        assert!(report.to_string().contains("products.csv:5: sack was left out, and this row with it"), "{report}");
        assert_eq!(told(&stores.db).await, after);
    }
}

#[tokio::test]
async fn a_file_that_names_no_options_leaves_them() {
    for stores in stores::all().await {
        take(&stores, WHOLE).await;
        let before = told(&stores.db).await;
        let report = take(&stores, "Handle,Title,Variant Price\nbag,Canvas bag,48.00\n").await;
        assert_eq!(refused(&report), [(2, "Option1 Value")], "{}: nobody can tell which variant: {report}", stores.name);
        assert_eq!((report.products_same, told(&stores.db).await), (1, before.clone()));
        let report = take(&stores, "Handle,Title,Option1 Value,Option2 Value,Variant Price\nbag,,sage,s,48.00\nbag,,Clay,S,49.00\n").await;
        assert_eq!((report.products_changed, report.variants, report.exit_code()), (1, 2, 0), "its known options tell: {report}");
        assert_eq!(column(&stores.db, "SELECT COUNT(*) AS n FROM variants WHERE active = 1").await, [3]);
        let report = take(&stores, "Handle,Title,Option1 Value,Variant Price\nhat,Hat,Sage,48.00\nhat,,Clay,49.00\n").await;
        assert_eq!(refused(&report), [(2, "Option1 Name"), (3, "")], "a new product needs the names: {report}");
    }
}

#[tokio::test]
async fn a_bad_cell_about_a_product_costs_that_cell_only() {
    for stores in stores::all().await {
        take(&stores, WHOLE).await;
        let before = told(&stores.db).await;
        let long = "long ".repeat(60);
        let cases: [(&str, Vec<u8>); 4] = [
            ("Status", WHOLE.replace(",active\n", ",perhaps\n").into()),
            ("Published", WHOLE.replace(",TRUE,", ",soon,").into()),
            ("Title", WHOLE.replace("Canvas bag", &long).into()),
            ("Vendor", WHOLE.replace("Mill", "M\u{1}ll").into_bytes().iter().map(|byte| if *byte == 1 { 0xff } else { *byte }).collect()),
        ];
        for (bad, text) in &cases {
            let report = take(&stores, text).await;
            assert_eq!(refused(&report), [(2, *bad)], "{}: {report}", stores.name);
            assert_eq!((report.products_same, report.variants, report.exit_code()), (1, 3, 3), "{bad}: {report}");
            assert_eq!(told(&stores.db).await, before, "{bad}: what was known stays");
        }
        let model = server::readmodel::open(stores.db.clone(), stores.table.clone(), Clock::system()).expect("a read model");
        model.projector.start().await.expect("a start");
        for (n, (bad, text)) in cases.iter().enumerate() {
            let handle = format!("sack-{n}");
            let text = String::from_utf8_lossy(text).replace("\nbag,", &format!("\n{handle},"));
            let text: Vec<u8> = text.replace('\u{fffd}', "\u{1}").bytes().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
            let report = take(&stores, &text).await;
            assert_eq!((report.products_new, report.products_hidden, report.variants), (1, 1, 3), "{bad}: its variants are kept: {report}");
            assert!(report.to_string().contains("could not be read (1 new)"), "{report}");
            model.projector.rebuild().await.expect("a read model");
            assert_eq!(model.storefront.product(TextLanguage::EnUs, &handle).await.expect("a read"), Found::Missing, "{bad}: not shown");
        }
        let mended = take(&stores, WHOLE.replace("\nbag,", "\nsack-0,")).await;
        assert_eq!((mended.products_changed, mended.exit_code()), (1, 0), "{mended}");
        model.projector.rebuild().await.expect("a read model");
        assert_eq!(readmodel::product(&model, TextLanguage::EnUs, "sack-0").await.title, "Canvas bag");
    }
}

#[tokio::test]
async fn a_column_that_is_not_there_changes_nothing() {
    for stores in stores::all().await {
        take(&stores, WHOLE).await;
        let before = told(&stores.db).await;
        let lean = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Inventory Qty\n\
                    bag,Canvas bag,Color,Sage,Size,S,9\nbag,,,Sage,,M,6\nbag,,,Clay,,S,7\n";
        let report = take(&stores, lean).await;
        assert_eq!((report.products_changed, report.exit_code()), (1, 0), "{}: {report}", stores.name);
        assert_eq!(told(&stores.db).await, before, "the pieces alone changed");
        assert_eq!(column(&stores.db, "SELECT free AS n FROM stock_balances ORDER BY variant_id").await, [9, 6, 7]);

        let claim = "SELECT compare_at_minor AS n FROM prices WHERE valid_until IS NULL ORDER BY variant_id";
        let price = "SELECT amount_minor AS n FROM prices WHERE valid_until IS NULL ORDER BY variant_id";
        let choice = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value";
        take(&stores, format!("{choice},Variant Price\nbag,Canvas bag,Color,Sage,Size,S,50.00\n")).await;
        assert_eq!((column(&stores.db, price).await[0], column(&stores.db, claim).await[0]), (5000, 6000), "the claim stays");
        take(&stores, format!("{choice},Variant SKU,Variant Compare At Price\nbag,Canvas bag,Color,Sage,Size,S,B-SS,70.00\n")).await;
        assert_eq!((column(&stores.db, price).await[0], column(&stores.db, claim).await[0]), (5000, 7000), "the price stays");
        take(&stores, format!("{choice},Variant Price,Variant Compare At Price\nbag,Canvas bag,Color,Sage,Size,S,,\n")).await;
        assert_eq!(column(&stores.db, price).await, [4800, 4800], "an empty price is one that says: not sold");

        let report = take(&stores, lean.replace("bag,", "sack,")).await;
        assert_eq!((report.products_new, report.exit_code()), (1, 0), "{report}");
        let counted = "SELECT tracked AS n FROM variants v JOIN products p ON p.id = v.product_id WHERE p.handle = 'sack'";
        assert_eq!(column(&stores.db, counted).await, [1, 1, 1], "what a file counts is not sold without limit");
        assert_eq!(column(&stores.db, price).await, [4800, 4800], "nothing is sold without a price");
    }
}

#[tokio::test]
async fn every_address_on_the_web_is_named_once_with_its_line() {
    for stores in stores::all().await {
        let report = take(&stores, WHOLE).await.to_string();
        assert!(report.contains("pictures that are addresses on the web (2)"), "{}: {report}", stores.name);
        for (line, address) in [(2, "https://pictures.example/a.jpg"), (3, "https://pictures.example/b.jpg")] {
            assert_eq!(report.matches(address).count(), 1, "{report}");
            assert!(report.contains(&format!("products.csv:{line}: Image Src: {address}\n")), "{report}");
        }
    }
}

#[tokio::test]
async fn a_quote_that_is_left_open_is_named_with_the_lines_that_it_swallows() {
    let stores = stores::all().await.remove(0);
    let report = take(&stores, "Handle,Title,Variant Price\ncup,Cup,3.00\nmug,\"Mug,4.00\njug,Jug,5.00\n").await;
    assert_eq!((refused(&report), report.products_new), (vec![(3, "")], 1), "{report}");
    assert!(
        report.to_string().contains("products.csv:3: the row has 2 fields, the header has 3 and goes on to line 4: is a quote missing?"),
        "{report}"
    );
}

#[tokio::test]
async fn variants_of_options_that_a_file_replaces_cannot_be_chosen_any_more() {
    let stores = stores::all().await.remove(0);
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant Price\ncup,Cup,Color,Red,3.00\ncup,,,Blue,3.00\n";
    take(&stores, file).await;
    let active = "SELECT active AS n FROM variants ORDER BY id";
    take(&stores, file.replace("Color,Red", "Size,Small").replace("Blue", "Large")).await;
    assert_eq!(column(&stores.db, active).await, [0, 0, 1, 1], "a colour is no size");
    let report =
        take(&stores, "Handle,Title,Option1 Name,Option1 Value,Variant Price\ncup,Cup,Size,Small,3.00\ncup,,,small,3.00\ncup,,,!!!,3.00\n").await;
    assert_eq!(refused(&report), [(3, "Option1 Value"), (4, "Option1 Value")], "one variant of a choice, and the good one stays: {report}");
    assert_eq!((report.products_same, column(&stores.db, active).await), (1, vec![0, 0, 1, 1]));
}

#[tokio::test]
async fn columns_are_named_as_the_file_names_them_and_three_options_are_taken() {
    for stores in stores::all().await {
        let report = take(
            &stores,
            "Title,URL handle,Status,SKU,Option1 name,Option1 value,Option2 name,Option2 value,Option3 name,Option3 value,Price,Inventory quantity\n\
             Desk frame,desk-frame,Active,D1,Color,Black,Size,L,Material,Steel,120.00,3\n\
             ,desk-frame,,D2,,Black,,L,,Oak,many,3\n\
             ,desk-frame,,D3,,Black,,M,,Oak,140.00,3\n",
        )
        .await;
        assert_eq!((report.products_new, report.variants, report.exit_code()), (1, 2, 3), "{}: {report}", stores.name);
        assert!(report.to_string().contains("products.csv:3: Price: "), "{report}");
        let model = server::readmodel::open(stores.db.clone(), stores.table.clone(), Clock::system()).expect("a read model");
        model.projector.start().await.expect("a start");
        let frame = readmodel::product(&model, TextLanguage::EnUs, "desk-frame").await;
        assert_eq!((frame.options.len(), frame.variants.len()), (3, 2));
    }
}
