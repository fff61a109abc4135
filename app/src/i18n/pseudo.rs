//! Languages for tests, made of English: one long and accented, one right to left. A text that stays plain on such a page was not
//! translated, and a layout that breaks there breaks in German or Arabic too.

/// Leaves `{placeholders}` as they are and changes the rest.
fn outside_placeholders(text: &'static str, change: impl Fn(char) -> char) -> String {
    let mut depth = 0_u32;
    text.chars()
        .map(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ if depth == 0 => return change(c),
                _ => {}
            }
            c
        })
        .collect()
}

/// Messages live as long as the program, so a made one may too.
fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// `[Ådd ţö çåŕţ one two]`: accented, and about 40 % longer, as German is.
pub fn long(text: &'static str) -> &'static str {
    const PLAIN: &str = "aeioucnstrzydglhkwAEIOUCNSTRZYDGLHKW";
    const ACCENTED: &str = "åéîöûçñšţŕžýđğļĥķŵÅÉÎÖÛÇÑŠŢŔŽÝĐĞĻĤĶŴ";
    let accent = |c| PLAIN.chars().position(|plain| plain == c).and_then(|at| ACCENTED.chars().nth(at)).unwrap_or(c);
    let mut out = outside_placeholders(text, accent);
    for word in [" one", " two", " three", " four", " five", " six"].iter().take(1 + text.chars().count() / 14) {
        out.push_str(word);
    }
    kept(format!("[{out}]"))
}

/// Latin letters become Arabic ones, so that the text really runs from right to left; words are drawn out, as Arabic scribes do it, by
/// half their length or more.
pub fn right_to_left(text: &'static str) -> &'static str {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz";
    const ARABIC: &str = "ابسدةفغحيجكلمنوبقرستعوخشيز";
    const KASHIDA: char = '\u{640}';
    let turn = |c: char| PLAIN.chars().position(|plain| plain == c.to_ascii_lowercase()).and_then(|at| ARABIC.chars().nth(at)).unwrap_or(c);
    let turned = outside_placeholders(text, turn);
    let mut out = String::with_capacity(turned.len() * 2);
    let mut letters = 0;
    for c in turned.chars() {
        out.push(c);
        letters = if ARABIC.contains(c) { letters + 1 } else { 0 };
        if letters > 0 && letters % 2 == 0 {
            out.push(KASHIDA);
        }
    }
    kept(out)
}
