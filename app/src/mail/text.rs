//! A letter as plain text: short lines are left as they are, long ones to the reader's program.

use super::letter::Letter;
use crate::document::SHOP_NAME;

pub fn text(letter: &Letter) -> String {
    let mut blocks = vec![letter.greeting.clone()];
    blocks.extend(letter.paragraphs.iter().cloned());
    let (words, address) = &letter.button;
    blocks.push(format!("{words}:\n{address}"));
    for items in &letter.items {
        let mut lines = vec![items.title.clone()];
        for item in &items.lines {
            let amount = item.amount.as_ref().map(|amount| format!(": {amount}")).unwrap_or_default();
            lines.push(format!("* {} ({}){amount}", item.title, item.details));
        }
        blocks.push(lines.join("\n"));
    }
    if !letter.sums.is_empty() {
        blocks.push(letter.sums.iter().map(|(label, amount)| format!("{label}: {amount}")).collect::<Vec<_>>().join("\n"));
    }
    for fact in &letter.facts {
        let mut lines = vec![format!("{}:", fact.label)];
        lines.extend(fact.lines.iter().cloned());
        blocks.push(lines.join("\n"));
    }
    // RFC 3676, 4.3: what follows two hyphens and a space is the signature.
    let entity = letter.entity.as_ref().map(|entity| format!("\n{entity}")).unwrap_or_default();
    blocks.push(format!("-- \n{SHOP_NAME}{entity}\n{}", letter.small));
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}
