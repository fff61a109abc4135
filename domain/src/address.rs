//! Postal addresses in each country's own form: which fields, in which order, required or not, and what is wrong with what was
//! typed. Labels and sentences are the page's business.

use crate::{
    account::{PersonName, clean, clean_ascii},
    market::Country,
    postcode, region,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Where a parcel or a bill goes.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    pub country: Country,
    pub name: PersonName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    pub line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    pub city: String,
    /// A state's, province's or prefecture's code (ISO 3166-2 without the country): `CA`, `ON`, `13`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// In its country's spelling: `SW1A 1AA`, `100-0001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
}

/// All that tax depends on: no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Destination {
    pub country: Country,
    /// As in [`Address::region`]; `None`: not asked for, or not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl Address {
    pub fn destination(&self) -> Destination {
        Destination { country: self.country, region: self.region.clone() }
    }

    /// The lines of a label in the country's order, without the country.
    pub fn label(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let region = self.region.as_deref().map(|code| region::name(self.country, code).unwrap_or(code)).unwrap_or_default();
        let postcode = text(&self.postcode);
        let name = self.name.full.clone();
        let lines = match self.country.code() {
            "JP" => vec![
                format!("〒{postcode}"),
                format!("{region}{}{}", self.city, self.line1),
                text(&self.line2),
                text(&self.company),
                format!("{name} 様"),
            ],
            "KR" => vec![format!("{region} {} {}", self.city, self.line1), text(&self.line2), text(&self.company), name, postcode],
            "DE" | "FR" => vec![name, text(&self.company), self.line1.clone(), text(&self.line2), format!("{postcode} {}", self.city)],
            "US" => {
                vec![name, text(&self.company), self.line1.clone(), text(&self.line2), format!("{}, {} {postcode}", self.city, text(&self.region))]
            }
            "CA" => {
                vec![name, text(&self.company), self.line1.clone(), text(&self.line2), format!("{} {}  {postcode}", self.city, text(&self.region))]
            }
            _ => vec![name, text(&self.company), self.line1.clone(), text(&self.line2), self.city.clone(), region.to_owned(), postcode],
        };
        lines.into_iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Personal data stays out of logs.
        write!(f, "Address({}, …)", self.country)
    }
}

/// A field of an address form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The whole name.
    Name,
    FamilyName,
    GivenName,
    /// How the name is read (Japan).
    Kana,
    Company,
    Line1,
    Line2,
    City,
    Region,
    Postcode,
}

impl Field {
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::FamilyName,
        Self::GivenName,
        Self::Kana,
        Self::Company,
        Self::Line1,
        Self::Line2,
        Self::City,
        Self::Region,
        Self::Postcode,
    ];

    /// The form field's name, after `delivery_` or `billing_`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::FamilyName => "family_name",
            Self::GivenName => "given_name",
            Self::Kana => "kana",
            Self::Company => "company",
            Self::Line1 => "line1",
            Self::Line2 => "line2",
            Self::City => "city",
            Self::Region => "region",
            Self::Postcode => "postcode",
        }
    }

    /// The HTML autofill token, to stand after `shipping` or `billing`. There is none for a name's reading.
    pub const fn autocomplete(self) -> Option<&'static str> {
        Some(match self {
            Self::Name => "name",
            Self::FamilyName => "family-name",
            Self::GivenName => "given-name",
            Self::Kana => return None,
            Self::Company => "organization",
            Self::Line1 => "address-line1",
            Self::Line2 => "address-line2",
            Self::City => "address-level2",
            Self::Region => "address-level1",
            Self::Postcode => "postal-code",
        })
    }

    /// Most characters: what fits on a carrier's label, generously.
    pub const fn chars_max(self) -> usize {
        match self {
            Self::Postcode => 12,
            Self::Region => 60,
            Self::FamilyName | Self::GivenName => 50,
            _ => 100,
        }
    }
}

/// How much of a row a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Full,
    Half,
    Third,
}

/// One field as a country's form shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    pub field: Field,
    pub required: bool,
    pub width: Width,
    /// Code and name in the country's own language; empty: typed freely.
    pub choices: &'static [(&'static str, &'static str)],
}

/// The fields of a country's form, in its own order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressForm {
    pub country: Country,
    pub fields: Vec<FieldSpec>,
    /// What a postcode looks like there: `94103`.
    pub postcode_example: &'static str,
    /// Whether the postcode's pad is digits only.
    pub postcode_numeric: bool,
}

impl AddressForm {
    pub fn for_country(country: Country) -> Self {
        use Field::{City, Company, FamilyName, GivenName, Kana, Line1, Line2, Name, Postcode, Region};
        let must = |field, width| FieldSpec { field, required: true, width, choices: if field == Region { region::all(country) } else { &[] } };
        let may = |field, width| FieldSpec { required: false, ..must(field, width) };
        let (full, half, third) = (Width::Full, Width::Half, Width::Third);
        let fields = match country.code() {
            "US" | "CA" => vec![
                must(Name, full),
                may(Company, full),
                must(Line1, full),
                may(Line2, full),
                must(City, half),
                must(Region, third),
                must(Postcode, third),
            ],
            "GB" => vec![must(Name, full), may(Company, full), must(Line1, full), may(Line2, full), must(City, half), must(Postcode, third)],
            "DE" | "FR" => vec![must(Name, full), may(Company, full), must(Line1, full), may(Line2, full), must(Postcode, third), must(City, half)],
            // Family name and postcode come first; the reading helps the carrier but is nobody's duty.
            "JP" => vec![
                must(FamilyName, half),
                must(GivenName, half),
                may(Kana, full),
                must(Postcode, third),
                must(Region, third),
                must(City, half),
                must(Line1, full),
                may(Line2, full),
                may(Company, full),
            ],
            "KR" => vec![
                must(Name, full),
                must(Postcode, third),
                must(Region, third),
                must(City, half),
                must(Line1, full),
                may(Line2, full),
                may(Company, full),
            ],
            _ => vec![
                must(Name, full),
                may(Company, full),
                must(Line1, full),
                may(Line2, full),
                must(City, half),
                may(Region, third),
                may(Postcode, third),
            ],
        };
        let (postcode_example, postcode_numeric) = postcode::example(country);
        Self { country, fields, postcode_example, postcode_numeric }
    }

    /// Whether this form has the field.
    pub fn has(&self, field: Field) -> bool {
        self.fields.iter().any(|spec| spec.field == field)
    }

    /// Reads what was typed, by [`Field::key`]. Unknown keys are ignored; every wrong field is told, in the form's order.
    pub fn parse(&self, typed: &BTreeMap<String, String>) -> Result<Address, Vec<FieldError>> {
        let mut read = BTreeMap::new();
        let mut errors = Vec::new();
        for spec in &self.fields {
            match self.parse_field(spec, typed.get(spec.field.key()).map_or("", String::as_str)) {
                Ok(Some(value)) => drop(read.insert(spec.field, value)),
                Ok(None) => {}
                Err(kind) => errors.push(FieldError { field: spec.field, kind }),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut take = |field| read.remove(&field);
        let full = take(Field::Name)
            .unwrap_or_else(|| [take(Field::FamilyName), take(Field::GivenName)].into_iter().flatten().collect::<Vec<_>>().join(" "));
        Ok(Address {
            country: self.country,
            name: PersonName { full, kana: take(Field::Kana) },
            company: take(Field::Company),
            line1: take(Field::Line1).unwrap_or_default(),
            line2: take(Field::Line2),
            city: take(Field::City).unwrap_or_default(),
            region: take(Field::Region),
            postcode: take(Field::Postcode),
        })
    }

    fn parse_field(&self, spec: &FieldSpec, typed: &str) -> Result<Option<String>, FieldErrorKind> {
        let text = if spec.field == Field::Postcode { clean_ascii(typed) } else { clean(typed) };
        if text.is_empty() {
            return if spec.required { Err(FieldErrorKind::Missing) } else { Ok(None) };
        }
        let max = spec.field.chars_max();
        if text.chars().count() > max {
            return Err(FieldErrorKind::TooLong { max });
        }
        match spec.field {
            Field::Postcode => postcode::parse(self.country, &text).map(Some).ok_or(FieldErrorKind::Malformed),
            Field::Region if !spec.choices.is_empty() => {
                region::parse(self.country, &text).map(|code| Some(code.to_owned())).ok_or(FieldErrorKind::Unknown)
            }
            _ if !text.chars().any(char::is_alphanumeric) => Err(FieldErrorKind::Malformed),
            _ => Ok(Some(text)),
        }
    }
}

/// A field that cannot be taken as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub field: Field,
    pub kind: FieldErrorKind,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldErrorKind {
    Missing,
    TooLong {
        max: usize,
    },
    /// Not in the form that the field has: a postcode of four digits.
    Malformed,
    /// Not one of the choices.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        code.parse().expect("a code")
    }
    fn typed(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_country_prints_its_own_label() {
        for (code, fields, label) in [
            (
                "US",
                &[
                    ("name", " Ada  Lovelace "),
                    ("line1", "12 Valencia Street"),
                    ("city", "San Francisco"),
                    ("region", "california"),
                    ("postcode", "94103"),
                ][..],
                &["Ada Lovelace", "12 Valencia Street", "San Francisco, CA 94103"][..],
            ),
            (
                "CA",
                &[("name", "Marie Roy"), ("line1", "1 rue Crémazie"), ("city", "Québec"), ("region", "QC"), ("postcode", "g1r2v1")],
                &["Marie Roy", "1 rue Crémazie", "Québec QC  G1R 2V1"],
            ),
            (
                "GB",
                &[("name", "A"), ("line1", "10 Downing St"), ("city", "London"), ("postcode", "sw1a2aa")],
                &["A", "10 Downing St", "London", "SW1A 2AA"],
            ),
            (
                "DE",
                &[("name", "Jürgen Groß"), ("line1", "Straße 1"), ("line2", ""), ("postcode", "10115"), ("city", "Berlin")],
                &["Jürgen Groß", "Straße 1", "10115 Berlin"],
            ),
            (
                "JP",
                &[
                    ("family_name", "山田"),
                    ("given_name", "花子"),
                    ("postcode", "〒１００－０００１"),
                    ("region", "東京都"),
                    ("city", "千代田区"),
                    ("line1", "千代田1-1"),
                ],
                &["〒100-0001", "東京都千代田区千代田1-1", "山田 花子 様"],
            ),
            (
                "KR",
                &[("name", "김민지"), ("postcode", "04524"), ("region", "11"), ("city", "중구"), ("line1", "세종대로 110")],
                &["서울특별시 중구 세종대로 110", "김민지", "04524"],
            ),
        ] {
            let address = AddressForm::for_country(country(code)).parse(&typed(fields)).expect(code);
            assert_eq!(address.label(), label);
        }
    }

    #[test]
    fn every_wrong_field_is_told_at_once_in_the_forms_order() {
        let form = AddressForm::for_country(country("US"));
        let errors = form.parse(&typed(&[("line1", "--"), ("city", &"x".repeat(101)), ("region", "Atlantis"), ("postcode", "9410")]));
        let told: Vec<_> = errors.expect_err("wrong").into_iter().map(|error| (error.field, error.kind)).collect();
        assert_eq!(
            told,
            [
                (Field::Name, FieldErrorKind::Missing),
                (Field::Line1, FieldErrorKind::Malformed),
                (Field::City, FieldErrorKind::TooLong { max: 100 }),
                (Field::Region, FieldErrorKind::Unknown),
                (Field::Postcode, FieldErrorKind::Malformed),
            ]
        );
    }

    #[test]
    fn markup_is_only_text() {
        let form = AddressForm::for_country(country("DE"));
        let evil = "<script>alert(1)</script>'; DROP TABLE orders;--";
        let address = form.parse(&typed(&[("name", evil), ("line1", evil), ("city", evil), ("postcode", "10115")])).expect("text");
        assert_eq!(address.name.full, evil);
    }
}
