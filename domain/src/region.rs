//! States, provinces and prefectures: ISO 3166-2 codes with their names in the country's own language, in the order in which the
//! country lists them.

use crate::market::Country;

/// Code and name of each region that an address needs; empty where it needs none.
pub const fn all(country: Country) -> &'static [(&'static str, &'static str)] {
    match &country.0 {
        b"US" => US,
        b"CA" => CA,
        b"JP" => JP,
        b"KR" => KR,
        _ => &[],
    }
}

/// The name of a region's code.
pub fn name(country: Country, code: &str) -> Option<&'static str> {
    all(country).iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// The code behind what was typed or filled in: the code or the name, in any case.
pub fn parse(country: Country, text: &str) -> Option<&'static str> {
    let text = text.trim().to_lowercase();
    let french = if country.0 == *b"CA" { CA_FRENCH } else { &[] };
    all(country).iter().chain(french).find(|(code, name)| code.to_lowercase() == text || name.to_lowercase() == text).map(|(code, _)| *code)
}

/// The name in French where it has another (Canada).
pub fn french_name(country: Country, code: &str) -> Option<&'static str> {
    if country.0 == *b"CA" { CA_FRENCH.iter().find(|(known, _)| *known == code).map(|(_, name)| *name) } else { None }
}

/// The 50 states, the District of Columbia and Puerto Rico, by name.
const US: &[(&str, &str)] = &[
    ("AL", "Alabama"),
    ("AK", "Alaska"),
    ("AZ", "Arizona"),
    ("AR", "Arkansas"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DE", "Delaware"),
    ("DC", "District of Columbia"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("HI", "Hawaii"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("IA", "Iowa"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("ME", "Maine"),
    ("MD", "Maryland"),
    ("MA", "Massachusetts"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MS", "Mississippi"),
    ("MO", "Missouri"),
    ("MT", "Montana"),
    ("NE", "Nebraska"),
    ("NV", "Nevada"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NY", "New York"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("PR", "Puerto Rico"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VT", "Vermont"),
    ("VA", "Virginia"),
    ("WA", "Washington"),
    ("WV", "West Virginia"),
    ("WI", "Wisconsin"),
    ("WY", "Wyoming"),
];

const CA: &[(&str, &str)] = &[
    ("AB", "Alberta"),
    ("BC", "British Columbia"),
    ("MB", "Manitoba"),
    ("NB", "New Brunswick"),
    ("NL", "Newfoundland and Labrador"),
    ("NT", "Northwest Territories"),
    ("NS", "Nova Scotia"),
    ("NU", "Nunavut"),
    ("ON", "Ontario"),
    ("PE", "Prince Edward Island"),
    ("QC", "Quebec"),
    ("SK", "Saskatchewan"),
    ("YT", "Yukon"),
];

/// Where French has a name of its own.
const CA_FRENCH: &[(&str, &str)] = &[
    ("BC", "Colombie-Britannique"),
    ("NB", "Nouveau-Brunswick"),
    ("NL", "Terre-Neuve-et-Labrador"),
    ("NT", "Territoires du Nord-Ouest"),
    ("NS", "Nouvelle-Écosse"),
    ("PE", "Île-du-Prince-Édouard"),
    ("QC", "Québec"),
];

/// JIS X 0401, from north to south.
const JP: &[(&str, &str)] = &[
    ("01", "北海道"),
    ("02", "青森県"),
    ("03", "岩手県"),
    ("04", "宮城県"),
    ("05", "秋田県"),
    ("06", "山形県"),
    ("07", "福島県"),
    ("08", "茨城県"),
    ("09", "栃木県"),
    ("10", "群馬県"),
    ("11", "埼玉県"),
    ("12", "千葉県"),
    ("13", "東京都"),
    ("14", "神奈川県"),
    ("15", "新潟県"),
    ("16", "富山県"),
    ("17", "石川県"),
    ("18", "福井県"),
    ("19", "山梨県"),
    ("20", "長野県"),
    ("21", "岐阜県"),
    ("22", "静岡県"),
    ("23", "愛知県"),
    ("24", "三重県"),
    ("25", "滋賀県"),
    ("26", "京都府"),
    ("27", "大阪府"),
    ("28", "兵庫県"),
    ("29", "奈良県"),
    ("30", "和歌山県"),
    ("31", "鳥取県"),
    ("32", "島根県"),
    ("33", "岡山県"),
    ("34", "広島県"),
    ("35", "山口県"),
    ("36", "徳島県"),
    ("37", "香川県"),
    ("38", "愛媛県"),
    ("39", "高知県"),
    ("40", "福岡県"),
    ("41", "佐賀県"),
    ("42", "長崎県"),
    ("43", "熊本県"),
    ("44", "大分県"),
    ("45", "宮崎県"),
    ("46", "鹿児島県"),
    ("47", "沖縄県"),
];

const KR: &[(&str, &str)] = &[
    ("11", "서울특별시"),
    ("26", "부산광역시"),
    ("27", "대구광역시"),
    ("28", "인천광역시"),
    ("29", "광주광역시"),
    ("30", "대전광역시"),
    ("31", "울산광역시"),
    ("50", "세종특별자치시"),
    ("41", "경기도"),
    ("42", "강원특별자치도"),
    ("43", "충청북도"),
    ("44", "충청남도"),
    ("45", "전북특별자치도"),
    ("46", "전라남도"),
    ("47", "경상북도"),
    ("48", "경상남도"),
    ("49", "제주특별자치도"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_to_the_same_region() {
        let country = |code: &str| code.parse::<Country>().expect("a code");
        for (code, typed, region) in [
            ("US", "ca", Some("CA")),
            ("US", "New York", Some("NY")),
            ("US", "ON", None),
            ("CA", "Québec", Some("QC")),
            ("CA", "quebec", Some("QC")),
            ("JP", "東京都", Some("13")),
            ("JP", "13", Some("13")),
            ("KR", "서울특별시", Some("11")),
            ("DE", "Berlin", None),
        ] {
            assert_eq!(parse(country(code), typed), region, "{code} {typed}");
        }
        assert_eq!((all(country("US")).len(), all(country("CA")).len(), all(country("JP")).len(), all(country("KR")).len()), (52, 13, 47, 17));
    }
}
