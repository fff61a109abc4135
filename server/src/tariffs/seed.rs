//! The tax rates that a shop starts with, each with its source. US rates are
//! what every place in a state charges; counties and cities add theirs, and exemptions (clothing in several states, tax holidays) and fees on
//! deliveries are not considered, so they are marked as estimates. A new rate is a new row with its own start, never a change of an old one.

use crate::{params, sql::Db};
use jiff::civil::Date;

/// Country, region, category, name, rate in millionths, estimated, first day, source.
type Row = (&'static str, &'static str, &'static str, &'static str, u32, bool, Date, &'static str);

/// Writes the rows that are missing. Safe to call on every start.
pub async fn seed(db: &Db) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        Box::pin(async move {
            for (country, region, category, name, millionths, estimated, from, source) in rows() {
                tx.execute(
                    "INSERT INTO tax_rates (country, region, category, name, rate_millionths, estimated, source, valid_from) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (country, region, category, name, valid_from) DO NOTHING",
                    params![country, region, category, name, millionths, estimated, source, midnight_utc(from)],
                )
                .await?;
            }
            Ok(())
        })
    })
    .await
}

/// Microseconds at the start of a day, UTC: a rate's first hours may differ by the zone, which no order of that night will mind.
fn midnight_utc(day: Date) -> i64 {
    jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_or(0, jiff::Timestamp::as_microsecond)
}

fn rows() -> impl Iterator<Item = Row> {
    let states = US.iter().map(|(state, millionths, source)| ("US", *state, "", "sales tax", *millionths, is_estimated(state), US_SINCE, *source));
    let changes = US_CHANGES.iter().map(|(state, millionths, from, source)| ("US", *state, "", "sales tax", *millionths, true, *from, *source));
    let delivery =
        US_DELIVERY_FREE_OF_TAX.iter().map(|(state, source)| ("US", *state, domain::tax::DELIVERY, "sales tax", 0, true, US_SINCE, *source));
    COUNTRIES.iter().copied().chain(states).chain(changes).chain(delivery)
}

/// Without any sales tax, nothing is estimated.
fn is_estimated(state: &str) -> bool {
    !matches!(state, "DE" | "MT" | "NH" | "OR")
}

const fn day(year: i16, month: i8, day: i8) -> Date {
    Date::constant(year, month, day)
}

const CRA: &str = "Excise Tax Act, s. 165 and Sch. VIII; \
    https://www.canada.ca/en/revenue-agency/services/tax/businesses/topics/gst-hst-businesses/charge-collect-which-rate/calculator.html";
const CRA_NS: &str = "SOR/2025-77; https://www.canada.ca/en/revenue-agency/services/forms-publications/publications/notice342.html";
const REVENU_QUEBEC: &str = "Act respecting the Québec sales tax, s. 16; https://www.revenuquebec.ca/en/businesses/consumption-taxes/gsthst-and-qst/basic-rules-for-applying-the-gsthst-and-qst/tables-of-gst-and-qst-rates/";

const COUNTRIES: &[Row] = &[
    // Canada: what the place of delivery charges, on goods and on delivery alike; QST and PST on the price without GST.
    ("CA", "AB", "", "GST", 50_000, false, day(2008, 1, 1), CRA),
    ("CA", "BC", "", "GST", 50_000, false, day(2008, 1, 1), CRA),
    (
        "CA",
        "BC",
        "",
        "PST",
        70_000,
        false,
        day(2013, 4, 1),
        "Provincial Sales Tax Act, s. 34; https://www2.gov.bc.ca/gov/content/taxes/sales-taxes/pst",
    ),
    ("CA", "MB", "", "GST", 50_000, false, day(2008, 1, 1), CRA),
    ("CA", "MB", "", "RST", 70_000, false, day(2019, 7, 1), "Retail Sales Tax Act, s. 2; https://www.gov.mb.ca/finance/taxation/taxes/retail.html"),
    ("CA", "NB", "", "HST", 150_000, false, day(2016, 7, 1), CRA),
    ("CA", "NL", "", "HST", 150_000, false, day(2016, 7, 1), CRA),
    ("CA", "NS", "", "HST", 150_000, false, day(2010, 7, 1), CRA),
    ("CA", "NS", "", "HST", 140_000, false, day(2025, 4, 1), CRA_NS),
    ("CA", "NT", "", "GST", 50_000, false, day(2008, 1, 1), CRA),
    ("CA", "NU", "", "GST", 50_000, false, day(2008, 1, 1), CRA),
    ("CA", "ON", "", "HST", 130_000, false, day(2010, 7, 1), CRA),
    ("CA", "PE", "", "HST", 150_000, false, day(2016, 10, 1), CRA),
    ("CA", "QC", "", "GST", 50_000, false, day(2008, 1, 1), CRA),
    ("CA", "QC", "", "QST", 99_750, false, day(2013, 1, 1), REVENU_QUEBEC),
    ("CA", "SK", "", "GST", 50_000, false, day(2008, 1, 1), CRA),
    (
        "CA",
        "SK",
        "",
        "PST",
        60_000,
        false,
        day(2017, 3, 23),
        "Provincial Sales Tax Act, s. 5; https://www.saskatchewan.ca/business/taxes-licensing-and-reporting/provincial-taxes-policies-and-bulletins/provincial-sales-tax",
    ),
    ("CA", "YT", "", "GST", 50_000, false, day(2008, 1, 1), CRA),
    // In the price elsewhere.
    ("GB", "", "", "VAT", 200_000, false, day(2011, 1, 4), "Value Added Tax Act 1994, s. 2; https://www.gov.uk/vat-rates"),
    ("DE", "", "", "VAT", 190_000, false, day(2021, 1, 1), "§ 12 Abs. 1 UStG; https://www.gesetze-im-internet.de/ustg_1980/__12.html"),
    (
        "FR",
        "",
        "",
        "VAT",
        200_000,
        false,
        day(2014, 1, 1),
        "Code général des impôts, art. 278, since 2026-09-01 in the Code des impositions sur les biens et services (ordonnance 2025-1247)",
    ),
    (
        "JP",
        "",
        "",
        "consumption tax",
        100_000,
        false,
        day(2019, 10, 1),
        "消費税法 第29条, 地方税法 第72条の83; https://www.nta.go.jp/taxes/shiraberu/taxanswer/shohi/6303.htm",
    ),
    ("KR", "", "", "VAT", 100_000, false, day(1977, 7, 1), "부가가치세법 제30조; https://www.law.go.kr/법령/부가가치세법/제30조"),
];

/// Since when the states' rates below are taken to be in force.
const US_SINCE: Date = day(2025, 1, 1);

/// Where delivery by a carrier that is stated separately bears no sales tax, by the state's general rule, and the rule.
const US_DELIVERY_FREE_OF_TAX: &[(&str, &str)] = &[
    ("AL", "Ala. Admin. Code 810-6-1-.178(2)"),
    ("AZ", "Ariz. Admin. Code R15-5-133"),
    ("CA", "18 CCR 1628: up to the actual cost"),
    ("IA", "Iowa Code 423.1"),
    ("ID", "Idaho Code 63-3613"),
    ("KS", "K.S.A. 79-3602; KDOR Notice 23-02"),
    ("MA", "830 CMR 64H.1.1: up to the actual cost"),
    ("MD", "COMAR 03.06.01.08"),
    ("ME", "36 M.R.S. 1752"),
    ("MI", "MCL 205.51, as amended by 2023 PA 20"),
    ("MO", "RSMo 144.010"),
    ("NV", "NAC 372.101(1)(a)"),
    ("OK", "OAC 710:65-19-70"),
    ("UT", "Utah Code 59-12-102"),
    ("VA", "23 VAC 10-210-6000"),
    ("WY", "Wyoming Department of Revenue, Freight and Transportation Charges"),
];

/// Rates that changed after [`US_SINCE`].
const US_CHANGES: &[(&str, u32, Date, &str)] = &[("DC", 70_000, day(2026, 10, 1), "D.C. Code 47-2002(a)")];

/// What every place in the state charges: its own rate and the local parts that it levies everywhere. Four states have no sales tax; in
/// Alaska only towns have one.
const US: &[(&str, u32, &str)] = &[
    ("AK", 0, "AS 29.45.650 to .710: municipal taxes only; https://arsstc.org/"),
    ("AL", 40_000, "https://www.revenue.alabama.gov/sales-use/state-sales-use-tax-rates/"),
    ("AR", 65_000, "Ark. Code 26-52-301; https://www.dfa.arkansas.gov/"),
    ("AZ", 56_000, "https://azdor.gov/transaction-privilege-tax"),
    ("CA", 72_500, "https://www.cdtfa.ca.gov/taxes-and-fees/rates.aspx"),
    ("CO", 29_000, "https://tax.colorado.gov/sales-tax"),
    ("CT", 63_500, "https://portal.ct.gov/drs/sales-tax/tax-information"),
    ("DC", 60_000, "D.C. Code 47-2002; https://otr.cfo.dc.gov/page/sales-use-tax"),
    ("DE", 0, "https://revenue.delaware.gov/"),
    ("FL", 60_000, "https://floridarevenue.com/taxes/taxesfees/Pages/sales_tax.aspx"),
    ("GA", 40_000, "https://dor.georgia.gov/taxes/sales-use-tax"),
    ("HI", 40_000, "https://tax.hawaii.gov/geninfo/get/"),
    ("IA", 60_000, "https://revenue.iowa.gov/taxes/tax-guidance/sales-use-excise-tax"),
    ("ID", 60_000, "https://tax.idaho.gov/taxes/sales-use/"),
    ("IL", 62_500, "35 ILCS 120/2-10; https://tax.illinois.gov/"),
    ("IN", 70_000, "https://www.in.gov/dor/business-tax/sales-tax/"),
    ("KS", 65_000, "https://www.ksrevenue.gov/salesratechanges.html"),
    ("KY", 60_000, "https://revenue.ky.gov/Business/Sales-Use-Tax/Pages/default.aspx"),
    ("LA", 50_000, "La. R.S. 47:302; https://revenue.louisiana.gov/sales-tax/"),
    ("MA", 62_500, "https://www.mass.gov/guides/sales-and-use-tax"),
    ("MD", 60_000, "Tax-General 11-104; https://www.marylandcomptroller.gov/"),
    ("ME", 55_000, "https://www.maine.gov/revenue/taxes/sales-use-service-provider-tax"),
    ("MI", 60_000, "https://www.michigan.gov/taxes/business-taxes/sales-use-tax"),
    ("MN", 68_750, "https://www.revenue.state.mn.us/sales-and-use-tax"),
    ("MO", 42_250, "https://dor.mo.gov/taxation/business/tax-types/sales-use/"),
    ("MS", 70_000, "https://www.dor.ms.gov/tax-rates"),
    ("MT", 0, "https://mtrevenue.gov/"),
    ("NC", 47_500, "https://www.ncdor.gov/taxes-forms/sales-and-use-tax"),
    ("ND", 50_000, "https://www.tax.nd.gov/business/sales-and-use-tax"),
    ("NE", 55_000, "https://revenue.nebraska.gov/businesses/sales-and-use-tax"),
    ("NH", 0, "https://www.revenue.nh.gov/"),
    ("NJ", 66_250, "https://www.nj.gov/treasury/taxation/businesses/salestax/"),
    ("NM", 48_750, "https://www.tax.newmexico.gov/businesses/gross-receipts-overview/"),
    ("NV", 68_500, "NRS 372.105 and 374.110; https://tax.nv.gov/"),
    ("NY", 40_000, "https://www.tax.ny.gov/bus/st/stidx.htm"),
    ("OH", 57_500, "https://tax.ohio.gov/business/ohio-business-taxes/sales-and-use"),
    ("OK", 45_000, "https://oklahoma.gov/tax/businesses/sales-use-tax.html"),
    ("OR", 0, "https://www.oregon.gov/dor/"),
    ("PA", 60_000, "https://www.pa.gov/agencies/revenue/resources/tax-types-and-information/sales-use-and-hotel-occupancy-tax"),
    ("PR", 115_000, "Código de Rentas Internas 2011, 4020.01; https://hacienda.pr.gov/"),
    ("RI", 70_000, "https://tax.ri.gov/tax-sections/sales-excise-taxes"),
    ("SC", 60_000, "https://dor.sc.gov/tax/sales"),
    ("SD", 42_000, "https://dor.sd.gov/businesses/taxes/sales-use-tax/"),
    ("TN", 70_000, "https://www.tn.gov/revenue/taxes/sales-and-use-tax.html"),
    ("TX", 62_500, "https://comptroller.texas.gov/taxes/sales/"),
    ("UT", 61_000, "https://tax.utah.gov/sales/rates"),
    ("VA", 53_000, "https://www.tax.virginia.gov/sales-and-use-tax"),
    ("VT", 60_000, "https://tax.vermont.gov/business/sales-and-use-tax"),
    ("WA", 65_000, "https://dor.wa.gov/taxes-rates/sales-use-tax-rates"),
    ("WI", 50_000, "https://www.revenue.wi.gov/Pages/FAQS/pcs-taxrates.aspx"),
    ("WV", 60_000, "https://tax.wv.gov/Business/SalesAndUseTax/Pages/SalesAndUseTax.aspx"),
    ("WY", 40_000, "https://revenue.wyo.gov/tax-types/sales-tax"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tariffs;
    use domain::{address::Destination, region, tax};

    #[test]
    fn every_region_that_an_address_may_name_has_its_row() {
        for country in ["US", "CA"] {
            for (code, name) in region::all(country.parse().expect("a code")) {
                assert!(rows().any(|row| row.0 == country && row.1 == *code && row.2.is_empty()), "{name}");
            }
        }
        for (country, region, _, name, millionths, _, _, source) in rows() {
            assert!(millionths <= 250_000 && !source.is_empty(), "{country} {region} {name}");
            assert!(region.is_empty() || region::name(country.parse().expect("a code"), region).is_some(), "{country} {region}");
        }
    }

    #[tokio::test]
    async fn rates_are_written_once_and_read_by_country() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let db = Db::open(&format!("sqlite:{}", folder.path().join("test.sqlite").display())).await?;
        db.migrate().await?;
        seed(&db).await?;
        seed(&db).await?;
        let canada = "CA".parse()?;
        let rates = tariffs::rates(&db, canada, midnight_utc(day(2026, 1, 1))).await?;
        let at = |region: &str| Destination { country: canada, region: Some(region.to_owned()) };
        let in_force = |region: &str| {
            tax::in_force(&rates, &at(region), "", midnight_utc(day(2026, 1, 1)))
                .iter()
                .map(|rate| (rate.name.clone(), rate.millionths))
                .collect::<Vec<_>>()
        };
        assert_eq!(in_force("QC"), [("GST".to_owned(), 50_000), ("QST".to_owned(), 99_750)]);
        assert_eq!(in_force("NS"), [("HST".to_owned(), 140_000)]);
        Ok(())
    }
}
