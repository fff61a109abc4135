//! Words as the index keeps them: folded, accents and case gone; scripts without spaces as pairs of characters.

use domain::locale::TextLanguage;

/// Letters that fold to others, beside what lower case does: Latin-1, Latin Extended-A and the ligatures of our languages.
const FOLDS: [(&str, &str); 24] = [
    ("àáâãåā", "a"),
    ("ä", "a"),
    ("æ", "ae"),
    ("çćč", "c"),
    ("ď", "d"),
    ("èéêëēęě", "e"),
    ("ğ", "g"),
    ("ìíîïī", "i"),
    ("ł", "l"),
    ("ñńň", "n"),
    ("òóôõøō", "o"),
    ("ö", "o"),
    ("œ", "oe"),
    ("ř", "r"),
    ("śšş", "s"),
    ("ß", "ss"),
    ("ť", "t"),
    ("ùúûūů", "u"),
    ("ü", "u"),
    ("ýÿ", "y"),
    ("źżž", "z"),
    ("’‘ʼ", "'"),
    ("‐‑–—", "-"),
    ("ー", ""),
];

/// Folds a text: lower case, no accents, full-width forms narrow, hiragana as katakana.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | ' ' => out.push(c),
            // Combining marks: the letter before them stays.
            '\u{300}'..='\u{36f}' => {}
            // Full-width ASCII stands 0xFEE0 above its narrow form (Unicode, block FF00).
            '\u{ff01}'..='\u{ff5e}' => out.extend(char::from_u32(u32::from(c) - 0xfee0).into_iter().flat_map(char::to_lowercase)),
            // Hiragana stands 0x60 below katakana (Unicode, blocks 3040 and 30A0).
            '\u{3041}'..='\u{3096}' => out.extend(char::from_u32(u32::from(c) + 0x60)),
            c => match FOLDS.iter().find(|(from, _)| from.contains(c)) {
                Some((_, to)) => out.push_str(to),
                None => out.push(c),
            },
        }
    }
    out
}

/// Whether a character belongs to a script that writes without spaces, or whose endings cling to the word (Korean).
fn is_dense(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

/// The runs of a folded text: words, and stretches of dense script.
fn runs(folded: &str) -> Vec<(bool, String)> {
    let mut runs: Vec<(bool, String)> = Vec::new();
    let mut open = false;
    for c in folded.chars() {
        if !c.is_alphanumeric() {
            open = false;
            continue;
        }
        let dense = is_dense(c);
        match runs.last_mut() {
            Some((kind, run)) if open && *kind == dense => run.push(c),
            _ => runs.push((dense, c.to_string())),
        }
        open = true;
    }
    runs
}

/// What a text is found by: words, and every single character and pair of dense script.
pub fn index_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (dense, run) in runs(&fold(text)) {
        if dense {
            let chars: Vec<char> = run.chars().collect();
            words.extend(chars.iter().map(char::to_string));
            words.extend(chars.windows(2).map(|pair| pair.iter().collect()));
        } else {
            words.push(run);
        }
    }
    words
}

/// The ends of a long word, by which the second half of a German compound is found: `flasche` in `isolierflasche`.
pub fn word_ends(word: &str) -> impl Iterator<Item = &str> {
    let long = word.chars().count() >= 8;
    word.char_indices().skip(3).filter(move |_| long).map(|(at, _)| &word[at..]).filter(|end| end.chars().count() >= 4)
}

/// What is looked for: all terms have to be found. The last character of a plural may be missing.
pub fn query_terms(text: &str, language: TextLanguage) -> Vec<Term> {
    let mut terms = Vec::new();
    for (dense, run) in runs(&fold(text)) {
        let chars: Vec<char> = run.chars().collect();
        match (dense, chars.len()) {
            (true, 1) => terms.push(Term::exact(run)),
            (true, _) => terms.extend(chars.windows(2).map(|pair| Term::exact(pair.iter().collect()))),
            (false, length) => {
                let plural = match language {
                    TextLanguage::De => run.ends_with("en") || run.ends_with('s'),
                    _ => run.ends_with(['s', 'x']),
                };
                let singular = (length > 3 && plural).then(|| chars[..length - 1].iter().collect());
                terms.push(Term { word: run, singular, exact: false });
            }
        }
    }
    terms.truncate(TERMS_MAX);
    terms
}

/// Terms of a query that count.
const TERMS_MAX: usize = 12;

/// One thing to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub word: String,
    pub singular: Option<String>,
    /// Whether longer words that begin with it do not count.
    pub exact: bool,
}

impl Term {
    const fn exact(word: String) -> Self {
        Self { word, singular: None, exact: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_widths_fold_away() {
        for (text, folded) in [
            ("Étui À", "etui a"),
            ("GRÖSSE Straße", "grosse strasse"),
            ("ＵＳＢ－Ｃ", "usb-c"),
            ("ぼうし", "ボウシ"),
            ("Cœur", "coeur"),
            ("e\u{301}", "e"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn dense_scripts_are_found_by_pairs() {
        assert_eq!(index_words("保冷ボトル 500ml"), ["保", "冷", "ボ", "ト", "ル", "保冷", "冷ボ", "ボト", "トル", "500ml"]);
        assert_eq!(query_terms("ボトル", TextLanguage::Ja).iter().map(|term| term.word.as_str()).collect::<Vec<_>>(), ["ボト", "トル"]);
    }

    #[test]
    fn a_compound_is_found_by_its_end() {
        assert!(word_ends("isolierflasche").any(|end| end == "flasche"));
        assert_eq!(word_ends("mutze").count(), 0);
    }
}
