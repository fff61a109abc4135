//! An order's invoice over HTTP, in every market: found on the order's page, printed, kept as a PDF, and shown to nobody else.

use crate::{
    support::Visitor,
    till::house::{self, House, PAYS, Thing, add, paid, place, type_card, words},
};
use anyhow::Context as _;
use app::i18n::{invoice, till};
use domain::{locale::Locale, staff::Role};
use std::time::Duration;

/// An order of somebody's, paid: its path.
async fn bought(house: &House, thing: &Thing, locale: Locale) -> anyhow::Result<(Visitor, String)> {
    let visitor = house.shop.visitor();
    add(&visitor, locale, thing).await?;
    let payment = place(&visitor, locale).await?;
    let order = type_card(&visitor, &payment, PAYS).await?;
    paid(&visitor, &order, till(locale).status_paid).await?;
    Ok((visitor, order))
}

/// Waits until the order's page leads to an invoice: its path.
async fn invoiced(visitor: &Visitor, order: &str) -> anyhow::Result<String> {
    for _ in 0..100 {
        let page = visitor.get(order).await?;
        if let Some((_, rest)) = page.body.split_once(&format!("{order}/invoices/")) {
            let number = rest.split(['"', '.']).next().context("a number")?;
            return Ok(format!("{order}/invoices/{number}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{order} never had an invoice")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_market_invoices_in_its_own_words() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for (locale, number, wanted) in [
        ("en-us", "US-2026-000001", &["Invoice", "Total before tax"][..]),
        ("en-ca", "CA-2026-000001", &["00000 0000 RT0001", "Total before tax"]),
        ("fr-ca", "CA-2026-000002", &["Facture", "GST/HST – TPS/TVH", "Total avant taxes"]),
        ("en-gb", "GB-2026-000001", &["VAT invoice", "GB 000 0000 00", "Unit price excl. VAT", "20%"]),
        ("de-de", "DE-2026-000001", &["Rechnung", "USt-IdNr. DE000000000", "Einzelpreis netto", "19 %"]),
        ("fr-fr", "FR-2026-000001", &["Facture", "N° TVA", "Prix unitaire HT", "20 %"]),
        ("ja-jp", "JP-2026-000001", &["適格請求書", "登録番号 T0000000000000", "10%", "消費税額"]),
        ("ko-kr", "KR-2026-000001", &["거래명세서", "사업자등록번호", "공급가액", "10%"]),
    ] {
        let locale: Locale = locale.parse()?;
        let (visitor, order) = bought(&house, &things[0], locale).await?;
        let path = invoiced(&visitor, &order).await?;
        assert_eq!(path.rsplit('/').next(), Some(number));
        let page = visitor.get(&path).await?;
        let said = words(&page.body);
        for wanted in wanted {
            assert!(said.contains(wanted), "{locale}: no {wanted:?} in {said}");
        }
        assert!(said.contains(number) && said.contains(invoice(locale).paid) && !page.body.contains("<script"), "{locale}: {said}");
        assert!(page.body.contains(&format!("lang=\"{}\"", locale.bcp47())) && page.header("cache-control") == "no-store", "{locale}");
        assert!(page.header("content-security-policy").contains("style-src 'self'"), "{locale}: it shows its style");
        let answer = visitor.client.get(format!("{}{path}.pdf", house.shop.url)).send().await?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        assert_eq!((header("content-type").as_str(), header("cache-control").as_str()), ("application/pdf", "no-store"), "{locale}");
        assert!(header("content-disposition").contains(&format!("{number}.pdf")));
        let bytes = answer.bytes().await?;
        assert!(bytes.starts_with(b"%PDF-1.") && bytes.len() < 100_000, "{locale}: {} bytes", bytes.len());
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_as_private_as_its_order() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let gb: Locale = "en-gb".parse()?;
    let (visitor, order) = bought(&house, &things[0], gb).await?;
    let path = invoiced(&visitor, &order).await?;
    assert!(words(&visitor.get(&path).await?.body).contains("St James"), "whom it is for");
    // Another order does not open it, and what is no number leads nowhere.
    let (_, other) = bought(&house, &things[1], gb).await?;
    let number = path.rsplit('/').next().context("a number")?.to_owned();
    for nothing in [
        format!("{other}/invoices/{number}"),
        format!("{order}/invoices/GB-2026-999999"),
        format!("{order}/invoices/x"),
        format!("{order}/invoices/{number}.xml"),
    ] {
        assert_eq!(visitor.get(&nothing).await?.status, 404, "{nothing}");
    }
    let gone = house.shop.visitor().get(&format!("/en-gb/orders/0123456789abcdefABCDEF/invoices/{number}")).await?;
    assert!(gone.status == 404 && !gone.body.contains("St James"), "{}", gone.status);
    // Staff see it where they may see people.
    let at = format!(
        "/ops/orders/{}/invoices/{number}",
        house.shop.shop.orders.find_by_secret(order.rsplit('/').next().context("a secret")?).await?.context("an order")?.number
    );
    let desk = at.split("/invoices/").next().context("a page")?.to_owned();
    for (role, status) in [(Role::Viewer, 403), (Role::Warehouse, 403), (Role::Support, 200), (Role::Admin, 200)] {
        let staff = house.shop.signed_in(role).await?;
        assert_eq!(staff.get(&at).await?.status, status, "{role}");
        assert_eq!(staff.get(&desk).await?.body.contains(&at), status == 200, "{role}");
    }
    assert_eq!(house.shop.visitor().get(&at).await?.status, 303, "to sign in");
    // An old link asks for the postcode, of the invoice too.
    house.shop.clock.advance(Duration::from_hours(31 * 24));
    for asked in [path.clone(), format!("{path}.pdf")] {
        let page = house.shop.visitor().get(&asked).await?;
        assert!(page.body.contains("name=\"postcode\"") && !page.body.contains("St James"), "{}", words(&page.body));
    }
    house.close().await
}
