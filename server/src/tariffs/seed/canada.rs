//! Canada's taxes, on top of prices: what the province of delivery charges, on goods and on delivery alike (Excise Tax Act, s. 153(1) and 165;
//! New Harmonized Value-added Tax System Regulations, s. 13); QST and PST on the price without GST. Clothing for adults is taxed like everything:
//! the provinces' point-of-sale rebates are for children's, which the shop does not sell.

use super::{Row, day};
use domain::tax::Scope;
use jiff::civil::Date;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    CANADA.iter().map(|(region, name, millionths, from, source)| Row {
        country: "CA",
        region,
        category: "",
        name,
        millionths: *millionths,
        scope: Scope::All,
        estimated: false,
        from: *from,
        source,
    })
}

const CRA: &str = "Excise Tax Act, s. 165 and Sch. VIII; \
    https://www.canada.ca/en/revenue-agency/services/tax/businesses/topics/gst-hst-businesses/charge-collect-which-rate/calculator.html";
const CRA_NS: &str = "SOR/2025-77; https://www.canada.ca/en/revenue-agency/services/forms-publications/publications/notice342.html";
const REVENU_QUEBEC: &str = "Act respecting the Québec sales tax, s. 16; https://www.revenuquebec.ca/en/businesses/consumption-taxes/gsthst-and-qst/basic-rules-for-applying-the-gsthst-and-qst/tables-of-gst-and-qst-rates/";

const CANADA: &[(&str, &str, u32, Date, &str)] = &[
    ("AB", "GST", 50_000, day(2008, 1, 1), CRA),
    ("BC", "GST", 50_000, day(2008, 1, 1), CRA),
    ("BC", "PST", 70_000, day(2013, 4, 1), "Provincial Sales Tax Act, s. 34; https://www2.gov.bc.ca/gov/content/taxes/sales-taxes/pst"),
    ("MB", "GST", 50_000, day(2008, 1, 1), CRA),
    ("MB", "RST", 80_000, day(2013, 7, 1), "Retail Sales Tax Act, s. 2"),
    ("MB", "RST", 70_000, day(2019, 7, 1), "Retail Sales Tax Act, s. 2; https://www.gov.mb.ca/finance/taxation/taxes/retail.html"),
    ("NB", "HST", 150_000, day(2016, 7, 1), CRA),
    ("NL", "HST", 150_000, day(2016, 7, 1), CRA),
    ("NS", "HST", 150_000, day(2010, 7, 1), CRA),
    ("NS", "HST", 140_000, day(2025, 4, 1), CRA_NS),
    ("NT", "GST", 50_000, day(2008, 1, 1), CRA),
    ("NU", "GST", 50_000, day(2008, 1, 1), CRA),
    ("ON", "HST", 130_000, day(2010, 7, 1), CRA),
    ("PE", "HST", 150_000, day(2016, 10, 1), CRA),
    ("QC", "GST", 50_000, day(2008, 1, 1), CRA),
    ("QC", "QST", 99_750, day(2013, 1, 1), REVENU_QUEBEC),
    ("SK", "GST", 50_000, day(2008, 1, 1), CRA),
    (
        "SK",
        "PST",
        60_000,
        day(2017, 3, 23),
        "Provincial Sales Tax Act, s. 5; https://www.saskatchewan.ca/business/taxes-licensing-and-reporting/provincial-taxes-policies-and-bulletins/provincial-sales-tax",
    ),
    ("YT", "GST", 50_000, day(2008, 1, 1), CRA),
];
