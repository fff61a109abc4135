//! Sales taxes of the United States: what every place in a state charges, exemptions of clothing, and how delivery is taxed. Counties and
//! cities add their own, which only the full address tells, and fees on deliveries and tax holidays are not considered: so these are estimates.

use super::{Row, day};
use domain::tax::{DELIVERY, Scope};
use jiff::civil::Date;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    let general = US.iter().map(|(state, millionths, source)| Row { estimated: is_estimated(state), ..row(state, "", *millionths, source) });
    let changes = US_CHANGES.iter().map(|(state, millionths, from, source)| Row { from: *from, ..row(state, "", *millionths, source) });
    let clothing = CLOTHING.iter().map(|(state, millionths, scope, estimated, source)| Row {
        scope: *scope,
        estimated: *estimated,
        ..row(state, "clothing", *millionths, source)
    });
    let free = US_DELIVERY_FREE_OF_TAX.iter().map(|(state, source)| row(state, DELIVERY, 0, source));
    let mixed = DELIVERY_OF_MIXED_GOODS.iter().map(|(state, scope, source)| Row { scope: *scope, ..row(state, DELIVERY, 0, source) });
    general.chain(changes).chain(clothing).chain(free).chain(mixed)
}

const fn row(state: &'static str, category: &'static str, millionths: u32, source: &'static str) -> Row {
    Row { country: "US", region: state, category, name: "sales tax", millionths, scope: Scope::All, estimated: true, from: US_SINCE, source }
}

/// Without any sales tax, nothing is estimated.
fn is_estimated(state: &str) -> bool {
    !matches!(state, "DE" | "MT" | "NH" | "OR")
}

/// State, rate, scope, whether towns may tax it all the same, and the rule. Elsewhere clothing is taxed like everything; Connecticut's exemption
/// ended in 2011, and its 7.75 % on what costs more than $1,000 a piece lies beyond our prices.
const CLOTHING: &[(&str, u32, Scope, bool, &str)] = &[
    ("MA", 62_500, Scope::Above(17_500), false, "G.L. c. 64H, § 6(k); 830 CMR 64H.6.4: exempt up to $175 a piece, only what is beyond is taxed"),
    ("MN", 0, Scope::All, false, "Minn. Stat. 297A.67, subd. 8; Sales Tax Fact Sheet 105: no local tax either"),
    ("NJ", 0, Scope::All, false, "N.J.S.A. 54:32B-8.4; New Jersey Sales Tax Guide, bulletin S&U-4"),
    ("NY", 0, Scope::Below(11_000), true, "N.Y. Tax Law § 1115(a)(30); TB-ST-530; Publication 718-C: the state's 4 % only, counties choose"),
    ("PA", 0, Scope::All, false, "72 P.S. § 7204(26); REV-717: no local tax either"),
    ("RI", 70_000, Scope::Above(25_000), false, "R.I. Gen. Laws § 44-18-30(27): exempt up to $250 a piece, only what is beyond is taxed"),
    ("VT", 0, Scope::All, false, "32 V.S.A. § 9741(45): no local tax either"),
];

/// How one charge for delivery is taxed where some goods are exempt.
const DELIVERY_OF_MIXED_GOODS: &[(&str, Scope, &str)] = &[
    ("MN", Scope::AsGoods, "Minn. Stat. 297A.61, subd. 7; Sales Tax Fact Sheet 155: by the share of the sales price"),
    ("NJ", Scope::AsGoods, "N.J.S.A. 54:32B-2(oo); N.J.A.C. 18:24-27.2: by the share of the sales price"),
    ("NY", Scope::IfAny, "N.Y. Tax Law § 1101(b)(3); TB-ST-838: one charge for taxable and exempt things is taxable as a whole"),
    ("PA", Scope::AsGoods, "61 Pa. Code § 54.1: taxed with what is delivered"),
    ("RI", Scope::AsGoods, "R.I. Gen. Laws § 44-18-7.1(i): by the share of the sales price"),
    ("VT", Scope::AsGoods, "32 V.S.A. § 9701(26): by the share of the sales price"),
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
