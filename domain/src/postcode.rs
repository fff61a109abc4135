//! Postcodes: how each country writes them, read from what people type.

use crate::market::Country;

/// An example, and whether all of it is digits.
pub const fn example(country: Country) -> (&'static str, bool) {
    match &country.0 {
        b"US" => ("94103", true),
        b"CA" => ("K1A 0B1", false),
        b"GB" => ("SW1A 1AA", false),
        b"DE" => ("10115", true),
        b"FR" => ("75001", true),
        b"JP" => ("100-0001", true),
        b"KR" => ("04524", true),
        _ => ("", false),
    }
}

/// The postcode in its country's spelling; `None`: not one. `text` has half-width characters.
pub fn parse(country: Country, text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '〒')).collect::<String>().to_uppercase();
    let digits = |count: usize| bare.len() == count && bare.bytes().all(|byte| byte.is_ascii_digit());
    match &country.0 {
        b"US" if digits(5) => Some(bare),
        b"US" if digits(9) => Some(format!("{}-{}", &bare[..5], &bare[5..])),
        b"DE" | b"FR" | b"KR" if digits(5) && bare != "00000" => Some(bare),
        b"JP" if digits(7) => Some(format!("{}-{}", &bare[..3], &bare[3..])),
        b"CA" if is_canadian(bare.as_bytes()) => Some(format!("{} {}", &bare[..3], &bare[3..])),
        b"GB" if is_british(bare.as_bytes()) => Some(format!("{} {}", &bare[..bare.len() - 3], &bare[bare.len() - 3..])),
        b"US" | b"DE" | b"FR" | b"KR" | b"JP" | b"CA" | b"GB" => None,
        _ => (text.chars().any(char::is_alphanumeric)).then(|| text.to_uppercase()),
    }
}

/// Whether goods for this postcode stay inside its country's VAT territory. The others are exports, which the shop does not declare:
/// Büsingen and Heligoland (Directive 2006/112/EC, art. 6(2)), the French departments and territories overseas (CGI, art. 294; Monaco's
/// 980 counts as France), Jersey and Guernsey (VAT Act 1994, s. 96(11) names the Isle of Man alone).
pub fn is_inside_vat_territory(country: Country, postcode: &str) -> bool {
    match &country.0 {
        b"DE" => !matches!(postcode, "78266" | "27498"),
        b"FR" => !postcode.starts_with("97") && (!postcode.starts_with("98") || postcode.starts_with("980")),
        b"GB" => !postcode.starts_with("JE") && !postcode.starts_with("GY"),
        _ => true,
    }
}

/// Canada Post: letter digit letter, digit letter digit; D F I O Q U never stand in one, W and Z never first.
fn is_canadian(code: &[u8]) -> bool {
    let letter = |byte: u8| byte.is_ascii_uppercase() && !b"DFIOQU".contains(&byte);
    code.len() == 6
        && !b"WZ".contains(&code[0])
        && code.iter().enumerate().all(|(place, byte)| if place % 2 == 0 { letter(*byte) } else { byte.is_ascii_digit() })
}

/// BS 7666: area and district (A9, A99, AA9, AA99, A9A, AA9A), then a digit and two letters without C I K M O V.
fn is_british(code: &[u8]) -> bool {
    let Some((outward, [sector, u1, u2])) = code.split_last_chunk::<3>() else { return false };
    let unit = |byte: &u8| byte.is_ascii_uppercase() && !b"CIKMOV".contains(byte);
    let kinds: Vec<_> = outward
        .iter()
        .map(|byte| {
            if byte.is_ascii_uppercase() {
                b'A'
            } else if byte.is_ascii_digit() {
                b'9'
            } else {
                b'?'
            }
        })
        .collect();
    let outward_fits = matches!(kinds.as_slice(), b"A9" | b"A99" | b"AA9" | b"AA99" | b"A9A" | b"AA9A") || outward == b"GIR";
    sector.is_ascii_digit() && unit(u1) && unit(u2) && outward_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_are_read_as_people_type_them() {
        for (country, typed, kept) in [
            ("US", "94103", Some("94103")),
            ("US", "94103 1234", Some("94103-1234")),
            ("US", "9410", None),
            ("US", "9410A", None),
            ("CA", "k1a-0b1", Some("K1A 0B1")),
            ("CA", "D1A 0B1", None),
            ("CA", "K1A 0B", None),
            ("GB", "sw1a1aa", Some("SW1A 1AA")),
            ("GB", "M1 1AE", Some("M1 1AE")),
            ("GB", "GIR 0AA", Some("GIR 0AA")),
            ("GB", "SW1A", None),
            ("GB", "12345", None),
            ("DE", "10115", Some("10115")),
            ("DE", "1011", None),
            ("FR", "75 001", Some("75001")),
            ("JP", "1000001", Some("100-0001")),
            ("JP", "〒100-0001", Some("100-0001")),
            ("JP", "100-001", None),
            ("KR", "04524", Some("04524")),
            ("KR", "100-011", None),
            ("NL", "1012 ab", Some("1012 AB")),
        ] {
            assert_eq!(parse(country.parse().expect("a code"), typed).as_deref(), kept, "{country} {typed}");
        }
    }

    #[test]
    fn places_outside_the_vat_territory_are_known() {
        for (country, postcode, inside) in [
            ("DE", "78266", false),
            ("DE", "27498", false),
            ("DE", "78224", true),
            ("FR", "97400", false),
            ("FR", "98800", false),
            ("FR", "98000", true),
            ("FR", "20000", true),
            ("GB", "JE2 3AB", false),
            ("GB", "GY1 1AA", false),
            ("GB", "G1 1AA", true),
            ("GB", "IM1 1AA", true),
            ("US", "97401", true),
        ] {
            assert_eq!(is_inside_vat_territory(country.parse().expect("a code"), postcode), inside, "{country} {postcode}");
        }
    }
}
