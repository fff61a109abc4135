//! Value added taxes of Europe, in the price and by destination: the European Union's 27 states (Directive 2006/112/EC, art. 33 and 97 to 99)
//! and Great Britain. Rates of islands and other parts with their own (the Azores, Madeira, Corsica, the Canaries) are not here.
//!
//! A standard rate's source is the state's act, as in the Commission's database "Taxes in Europe" (<https://ec.europa.eu/taxation_customs/tedb/>).
//! The reduced rates are those of printed books (Annex III, no. 6); nothing of the demo's qualifies for another one.

use super::{Row, day};
use domain::tax::{DELIVERY, Scope};
use jiff::civil::Date;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    let standard = STANDARD.iter().map(|(country, millionths, from, source)| row(country, "", *millionths, *from, source));
    let books = BOOKS.iter().map(|(country, millionths, from, source)| row(country, "books", *millionths, *from, source));
    let mut countries: Vec<&'static str> = STANDARD.iter().map(|(country, ..)| *country).collect();
    countries.dedup();
    let delivery = countries.into_iter().map(|country| {
        let source = if country == "GB" { GB_DELIVERY } else { EU_DELIVERY };
        Row { scope: Scope::AsGoods, ..row(country, DELIVERY, 0, EU_DELIVERY_SINCE, source) }
    });
    standard.chain(books).chain(delivery)
}

const fn row(country: &'static str, category: &'static str, millionths: u32, from: Date, source: &'static str) -> Row {
    Row { country, region: "", category, name: "VAT", millionths, scope: Scope::All, estimated: false, from, source }
}

const GB_DELIVERY: &str = "HMRC, VAT Notice 700/24 (postage and delivery charges): delivery of delivered goods has their liability, apportioned where \
    it differs";
const EU_DELIVERY: &str = "Directive 2006/112/EC, art. 78(b); ECJ C-349/96 (Card Protection Plan), para. 30; for Germany Abschn. 3.10 Abs. 5 UStAE";
/// When the directive came into force.
const EU_DELIVERY_SINCE: Date = day(2007, 1, 1);

/// By state, in order of time.
const STANDARD: &[(&str, u32, Date, &str)] = &[
    ("AT", 200_000, day(1984, 1, 1), "§ 10 Abs. 1 UStG 1994"),
    ("BE", 210_000, day(1996, 1, 1), "Code de la TVA, art. 37; arrêté royal n° 20"),
    ("BG", 200_000, day(1999, 1, 1), "ЗДДС, чл. 66, ал. 1"),
    ("CY", 190_000, day(2014, 1, 13), "Ν. 95(I)/2000, άρθρο 17"),
    ("CZ", 210_000, day(2013, 1, 1), "zákon č. 235/2004 Sb., § 47"),
    ("DE", 190_000, day(2007, 1, 1), "§ 12 Abs. 1 UStG; HBeglG 2006"),
    ("DE", 160_000, day(2020, 7, 1), "§ 28 Abs. 1 UStG; Zweites Corona-Steuerhilfegesetz, Art. 3"),
    ("DE", 190_000, day(2021, 1, 1), "§ 12 Abs. 1 UStG; https://www.gesetze-im-internet.de/ustg_1980/__12.html"),
    ("DK", 250_000, day(1992, 1, 1), "momsloven, § 33"),
    ("EE", 200_000, day(2009, 7, 1), "käibemaksuseadus, § 15 lg 1"),
    ("EE", 220_000, day(2024, 1, 1), "käibemaksuseadus, § 15 lg 1"),
    ("EE", 240_000, day(2025, 7, 1), "käibemaksuseadus, § 15 lg 1"),
    ("ES", 210_000, day(2012, 9, 1), "Ley 37/1992, art. 90"),
    ("FI", 240_000, day(2013, 1, 1), "arvonlisäverolaki 1501/1993, 84 §"),
    ("FI", 255_000, day(2024, 9, 1), "arvonlisäverolaki 1501/1993, 84 §"),
    (
        "FR",
        200_000,
        day(2014, 1, 1),
        "Code général des impôts, art. 278, since 2026-09-01 in the Code des impositions sur les biens et services (ordonnance 2025-1247)",
    ),
    ("GB", 200_000, day(2011, 1, 4), "Value Added Tax Act 1994, s. 2; https://www.gov.uk/vat-rates"),
    ("GR", 240_000, day(2016, 6, 1), "Ν. 4389/2016, άρθρο 52; Κώδικας ΦΠΑ"),
    ("HR", 250_000, day(2012, 3, 1), "Zakon o porezu na dodanu vrijednost, čl. 38"),
    ("HU", 270_000, day(2012, 1, 1), "2007. évi CXXVII. törvény, 82. §"),
    ("IE", 230_000, day(2012, 1, 1), "Value-Added Tax Consolidation Act 2010, s. 46"),
    ("IE", 210_000, day(2020, 9, 1), "Financial Provisions (Covid-19) (No. 2) Act 2020, s. 7"),
    ("IE", 230_000, day(2021, 3, 1), "Value-Added Tax Consolidation Act 2010, s. 46"),
    ("IT", 220_000, day(2013, 10, 1), "D.P.R. 633/1972, art. 16"),
    ("LT", 210_000, day(2009, 9, 1), "PVM įstatymas, 19 str."),
    ("LU", 170_000, day(2015, 1, 1), "loi TVA du 12 février 1979, art. 39"),
    ("LU", 160_000, day(2023, 1, 1), "loi du 26 octobre 2022"),
    ("LU", 170_000, day(2024, 1, 1), "loi TVA du 12 février 1979, art. 39"),
    ("LV", 210_000, day(2012, 7, 1), "Pievienotās vērtības nodokļa likums, 41. pants"),
    ("MT", 180_000, day(2004, 1, 1), "Value Added Tax Act (Cap. 406), art. 19"),
    ("NL", 210_000, day(2012, 10, 1), "Wet op de omzetbelasting 1968, art. 9"),
    ("PL", 230_000, day(2011, 1, 1), "ustawa o podatku od towarów i usług, art. 41, 146ef"),
    ("PT", 230_000, day(2011, 1, 1), "Código do IVA, art. 18"),
    ("RO", 190_000, day(2017, 1, 1), "Codul fiscal, art. 291"),
    ("RO", 210_000, day(2025, 8, 1), "Codul fiscal, art. 291; Legea 141/2025"),
    ("SE", 250_000, day(1990, 7, 1), "mervärdesskattelag (2023:200), 9 kap. 2 §"),
    ("SI", 220_000, day(2013, 7, 1), "ZDDV-1, 41. člen"),
    ("SK", 200_000, day(2011, 1, 1), "zákon č. 222/2004 Z. z., § 27"),
    ("SK", 230_000, day(2025, 1, 1), "zákon č. 222/2004 Z. z., § 27; zákon č. 278/2024 Z. z."),
];

/// Printed books. Denmark had no reduced rate in 2025; when the abolition that it announced for 2026 begins is not known here.
const BOOKS: &[(&str, u32, Date, &str)] = &[
    ("AT", 100_000, day(1984, 1, 1), "§ 10 Abs. 2 UStG 1994, Anlage 1"),
    ("BE", 60_000, day(1996, 1, 1), "arrêté royal n° 20, tableau A, XIX"),
    ("BG", 90_000, day(2020, 7, 1), "ЗДДС, чл. 66, ал. 2"),
    ("CY", 30_000, day(2023, 7, 21), "Ν. 95(I)/2000, Δωδέκατο Παράρτημα"),
    ("CZ", 0, day(2024, 1, 1), "zákon č. 235/2004 Sb., § 71i"),
    ("DE", 70_000, day(2007, 1, 1), "§ 12 Abs. 2 Nr. 1 UStG, Anlage 2 Nr. 49"),
    ("DE", 50_000, day(2020, 7, 1), "§ 28 Abs. 2 UStG; Zweites Corona-Steuerhilfegesetz, Art. 3"),
    ("DE", 70_000, day(2021, 1, 1), "§ 12 Abs. 2 Nr. 1 UStG, Anlage 2 Nr. 49"),
    ("EE", 90_000, day(2009, 1, 1), "käibemaksuseadus, § 15 lg 2"),
    ("ES", 40_000, day(1995, 1, 1), "Ley 37/1992, art. 91.Dos.1.2.º"),
    ("FI", 100_000, day(2013, 1, 1), "arvonlisäverolaki 1501/1993, 85 a §"),
    ("FI", 140_000, day(2025, 1, 1), "arvonlisäverolaki 1501/1993, 85 §"),
    ("FI", 135_000, day(2026, 1, 1), "arvonlisäverolaki 1501/1993, 85 §"),
    ("FR", 55_000, day(2014, 1, 1), "Code général des impôts, art. 278-0 bis, A, 3°"),
    ("GB", 0, day(1994, 9, 1), "Value Added Tax Act 1994, Sch. 8, Group 3"),
    ("GR", 60_000, day(2015, 7, 20), "Κώδικας ΦΠΑ, Παράρτημα ΙΙΙ"),
    ("HR", 50_000, day(2013, 1, 1), "Zakon o porezu na dodanu vrijednost, čl. 38 st. 2"),
    ("HU", 50_000, day(2004, 1, 1), "2007. évi CXXVII. törvény, 3. számú melléklet"),
    ("IE", 0, day(2010, 11, 1), "Value-Added Tax Consolidation Act 2010, s. 46(1)(b), Sch. 2"),
    ("IT", 40_000, day(1989, 1, 1), "D.P.R. 633/1972, tabella A, parte II, n. 18"),
    ("LT", 90_000, day(2013, 1, 1), "PVM įstatymas, 19 str. 3 d."),
    ("LT", 50_000, day(2026, 1, 1), "PVM įstatymas, 19 str."),
    ("LU", 30_000, day(1992, 1, 1), "loi TVA du 12 février 1979, annexe B"),
    ("LV", 50_000, day(2022, 1, 1), "Pievienotās vērtības nodokļa likums, 42. pants: since 2026 in the languages that it names"),
    ("MT", 50_000, day(2004, 1, 1), "Value Added Tax Act (Cap. 406), Eighth Schedule"),
    ("NL", 90_000, day(2019, 1, 1), "Wet op de omzetbelasting 1968, art. 9, tabel I, a.30"),
    ("PL", 50_000, day(2011, 1, 1), "ustawa o podatku od towarów i usług, załącznik nr 10"),
    ("PT", 60_000, day(2011, 1, 1), "Código do IVA, lista I, 2.1"),
    ("RO", 50_000, day(2015, 6, 1), "Codul fiscal, art. 291 alin. (3)"),
    ("RO", 110_000, day(2025, 8, 1), "Codul fiscal, art. 291 alin. (2); Legea 141/2025"),
    ("SE", 60_000, day(2002, 1, 1), "mervärdesskattelag (2023:200), 9 kap."),
    ("SI", 50_000, day(2020, 1, 1), "ZDDV-1, 41. člen, priloga IV"),
    ("SK", 100_000, day(2011, 1, 1), "zákon č. 222/2004 Z. z., príloha č. 7"),
    ("SK", 50_000, day(2025, 1, 1), "zákon č. 222/2004 Z. z., príloha č. 7a"),
];
