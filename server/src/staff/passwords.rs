//! Passwords: argon2id, off the request threads and few at a time, because each costs 19 MiB and tens of milliseconds.

use crate::random;
use anyhow::Context as _;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// OWASP, Password Storage Cheat Sheet (2025): argon2id with 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// What stands before salt and hash; there is no second set of parameters yet.
const PREFIX: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// NIST SP 800-63B-4, 3.1.1.2: a password that is the only factor has at least 15 characters.
pub const CHARS_MIN: usize = 15;
/// More than a sentence or two. What a person is told is counted as they count.
const CHARS_MAX: usize = 500;
/// More is refused before it is hashed: a character has at most four bytes (RFC 3629).
pub const BYTES_MAX: usize = 4 * CHARS_MAX;
/// `aaaaaaaaaaaaaaa` is long enough and no password.
const DIFFERENT_CHARS_MIN: usize = 6;

/// How many are hashed at once: the others wait, the shop goes on.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Why a chosen password is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("a password has at least {CHARS_MIN} characters; a few words do")]
    Short,
    #[error("that password is too long")]
    Long,
    #[error("that password is too easy to guess")]
    Plain,
    #[error("choose a password that is not the one in use")]
    Same,
}

/// Whether somebody may choose this password.
pub fn fit(password: &str, email: &str) -> Result<(), Unfit> {
    let mut chars: Vec<char> = password.chars().collect();
    if chars.len() < CHARS_MIN {
        return Err(Unfit::Short);
    }
    if chars.len() > CHARS_MAX {
        return Err(Unfit::Long);
    }
    chars.sort_unstable();
    chars.dedup();
    if chars.len() < DIFFERENT_CHARS_MIN || password.to_lowercase() == email {
        return Err(Unfit::Plain);
    }
    Ok(())
}

/// A password that nobody chose: 125 random bits in Crockford's alphabet, in groups that can be read aloud.
pub fn random() -> Zeroizing<String> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bytes = Zeroizing::new(random::bytes::<25>());
    let groups: Vec<String> = bytes.chunks(5).map(|group| group.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()).collect();
    Zeroizing::new(groups.join("-"))
}

/// The PHC string to store (github.com/P-H-C/phc-string-format).
pub async fn hash(password: String) -> anyhow::Result<String> {
    let password = Zeroizing::new(password);
    off_thread(move || {
        let salt = random::bytes::<SALT_BYTES>();
        let hash = derive(password.as_bytes(), &salt);
        format!("{PREFIX}{}${}", STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash))
    })
    .await
}

/// Whether this is the password of a stored hash. `None` costs the same and is always false.
pub async fn verify(password: String, stored: Option<String>) -> anyhow::Result<bool> {
    let password = Zeroizing::new(password);
    let known = stored.is_some();
    let (salt, expected) = match stored.as_deref().map(parts) {
        Some(parts) => parts.context("staff.password_hash is no argon2id string of ours")?,
        None => ([0; SALT_BYTES], [0; HASH_BYTES]),
    };
    if password.len() > BYTES_MAX {
        return Ok(false);
    }
    off_thread(move || bool::from(derive(password.as_bytes(), &salt).ct_eq(&expected)) && known).await
}

fn parts(stored: &str) -> Option<([u8; SALT_BYTES], [u8; HASH_BYTES])> {
    let (salt, hash) = stored.strip_prefix(PREFIX)?.split_once('$')?;
    Some((STANDARD_NO_PAD.decode(salt).ok()?.try_into().ok()?, STANDARD_NO_PAD.decode(hash).ok()?.try_into().ok()?))
}

fn derive(password: &[u8], salt: &[u8; SALT_BYTES]) -> [u8; HASH_BYTES] {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).expect("these parameters are within argon2's limits");
    let mut out = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt, &mut out)
        .expect("salt and output are within argon2's limits, and the password was measured");
    out
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let _turn = AT_ONCE.acquire().await.context("waiting for a turn to hash a password")?;
    tokio::task::spawn_blocking(work).await.context("hashing a password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() -> anyhow::Result<()> {
        let stored = hash("correct horse battery".to_owned()).await?;
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(hash("correct horse battery".to_owned()).await?, stored, "each has a salt of its own");
        assert!(verify("correct horse battery".to_owned(), Some(stored.clone())).await?);
        assert!(!verify("correct horse batterY".to_owned(), Some(stored.clone())).await?);
        assert!(!verify(String::new(), None).await?);
        assert!(!verify("a".repeat(BYTES_MAX + 1), Some(stored)).await?);
        assert!(verify("x".to_owned(), Some("plain".to_owned())).await.is_err());
        Ok(())
    }

    #[test]
    fn short_and_plain_passwords_are_refused() {
        for (password, expected) in [
            ("fourteen chars", Err(Unfit::Short)),
            ("fifteen chars ✓", Ok(())),
            ("abababababababababab", Err(Unfit::Plain)),
            ("Ada.Lovelace@example.com", Err(Unfit::Plain)),
            (&"correct horse ".repeat(40), Err(Unfit::Long)),
            (&"いろはにほへと".repeat(71), Ok(())),
            (&"いろはにほへと".repeat(72), Err(Unfit::Long)),
        ] {
            assert_eq!(fit(password, "ada.lovelace@example.com"), expected, "{password}");
        }
        let random = random();
        assert!(random.len() == 29 && fit(&random, "").is_ok(), "{}", *random);
    }
}
