//! The shop's keys: one master key, made on the first start, readable by the owner only. Everything else is derived from it or
//! wrapped by it. Erasing a customer is destroying the customer's data key, which lives elsewhere.

use crate::random;
use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::{fmt, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The master key. Its bytes never leave this module.
pub struct Keys {
    master: Zeroizing<[u8; 32]>,
}

/// One customer's key. Whoever has it can read that customer's personal data.
pub struct DataKey(Zeroizing<[u8; 32]>);

/// Bytes of a signature in a cookie: 128 bits cannot be guessed.
const SIGNATURE_BYTES: usize = 16;
/// Bytes of XChaCha20-Poly1305's nonce: long enough to be random.
const NONCE_BYTES: usize = 24;

impl Keys {
    /// Whether a shop has made its key in this data folder.
    pub fn are_in(data: &Path) -> bool {
        data.join("keys/master").is_file()
    }

    /// Reads `keys/master` in the data folder, or makes it. Two processes that start together end with the same key.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let folder = data.join("keys");
        let path = folder.join("master");
        if !path.exists() {
            std::fs::create_dir_all(&folder).with_context(|| format!("creating {}; can NEXTGEN_DATA be written?", folder.display()))?;
            let draft = folder.join(format!("master.{}", URL_SAFE_NO_PAD.encode(random::bytes::<9>())));
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).context("creating the master key")?;
            file.write_all(URL_SAFE_NO_PAD.encode(random::bytes::<32>()).as_bytes())
                .and_then(|()| file.sync_all())
                .context("writing the master key")?;
            // Linking fails when another process was faster: then its key counts.
            let linked = std::fs::hard_link(&draft, &path);
            std::fs::remove_file(&draft).ok();
            if let Err(error) = linked
                && !path.exists()
            {
                return Err(error).context("putting the master key in place");
            }
        }
        let text = Zeroizing::new(std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?);
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim()).unwrap_or_default());
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(master) => Ok(Self { master: Zeroizing::new(master) }),
            Err(_) => bail!("{} is damaged: restore it from a backup, or delete the data folder to start over", path.display()),
        }
    }

    /// A keyed hash; different purposes give unrelated hashes.
    pub fn hmac(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        mac(&mac(&*self.master, purpose.as_bytes()), bytes)
    }

    /// `value.signature`, for cookies and links. `value` must not contain a dot's meaning: the last dot divides.
    pub fn sign(&self, purpose: &str, value: &str) -> String {
        let signature = self.hmac(purpose, value.as_bytes());
        format!("{value}.{}", URL_SAFE_NO_PAD.encode(&signature[..SIGNATURE_BYTES]))
    }

    /// The value of what [`Keys::sign`] made for the same purpose; `None` for anything else.
    pub fn verify<'a>(&self, purpose: &str, signed: &'a str) -> Option<&'a str> {
        let (value, signature) = signed.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let expected = self.hmac(purpose, value.as_bytes());
        bool::from(signature.ct_eq(&expected[..SIGNATURE_BYTES])).then_some(value)
    }

    /// A new customer's key, and the same key wrapped for storing. `subject` binds it to the customer.
    pub fn new_data_key(&self, subject: &str) -> (DataKey, Vec<u8>) {
        let key = DataKey(Zeroizing::new(random::bytes()));
        let wrapped = self.wrapping().seal(subject, &*key.0);
        (key, wrapped)
    }

    /// Opens a wrapped key of that customer.
    pub fn data_key(&self, subject: &str, wrapped: &[u8]) -> anyhow::Result<DataKey> {
        let bytes = Zeroizing::new(self.wrapping().open(subject, wrapped)?);
        Ok(DataKey(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).context("a customer's key has the wrong length")?)))
    }

    /// The key of the capsules that payment providers keep.
    pub fn capsule(&self) -> DataKey {
        DataKey(Zeroizing::new(self.hmac("capsule", b"")))
    }

    /// The key of whom invoices are for: the law keeps them when a customer is erased, so no customer's key closes them.
    pub fn invoices(&self) -> DataKey {
        DataKey(Zeroizing::new(self.hmac("invoices", b"")))
    }

    fn wrapping(&self) -> DataKey {
        DataKey(Zeroizing::new(self.hmac("wrap", b"")))
    }
}

impl DataKey {
    /// Encrypts with XChaCha20-Poly1305 under a random nonce, which stands before the ciphertext. `context` must be given again to open.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        self.seal_under(random::bytes(), context, plain)
    }

    /// The same, but equal messages give equal ciphertexts: the nonce is a keyed hash of the message, so that it comes twice only when all of
    /// it does (a synthetic nonce, as in RFC 5297).
    pub fn seal_alike(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let of_context = mac(&mac(&*self.0, b"synthetic nonce"), context.as_bytes());
        let hash = mac(&of_context, plain);
        self.seal_under(std::array::from_fn(|place| hash[place]), context, plain)
    }

    fn seal_under(&self, nonce: [u8; NONCE_BYTES], context: &str, plain: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let sealed = self.cipher().encrypt(XNonce::from_slice(&nonce), payload).expect("only messages beyond 256 GB are refused");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Decrypts what [`DataKey::seal`] made with the same context.
    pub fn open(&self, context: &str, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_BYTES).context("sealed data is too short")?;
        let payload = Payload { msg: ciphertext, aad: context.as_bytes() };
        self.cipher().decrypt(XNonce::from_slice(nonce), payload).map_err(|_| anyhow::anyhow!("sealed data does not fit its key or context"))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.as_slice().into())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}
impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

fn mac(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_master_key_is_made_once_and_is_the_owners_alone() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let first = Keys::open(folder.path())?.hmac("test", b"x");
        assert_eq!(Keys::open(folder.path())?.hmac("test", b"x"), first);
        let path = folder.path().join("keys/master");
        assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "short")?;
        assert!(Keys::open(folder.path()).is_err_and(|error| error.to_string().contains("damaged")));
        Ok(())
    }

    #[test]
    fn signatures_hold_for_one_purpose_and_one_value() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let keys = Keys::open(folder.path())?;
        let signed = keys.sign("cart", "a.b");
        assert_eq!(keys.verify("cart", &signed), Some("a.b"));
        for forged in [signed.replace('a', "c"), "a.b".to_owned(), "a.b.".to_owned(), String::new(), format!("{signed}A"), keys.sign("order", "a.b")]
        {
            assert_eq!(keys.verify("cart", &forged), None, "{forged}");
        }
        Ok(())
    }

    #[test]
    fn personal_data_opens_with_its_customers_key_only() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let keys = Keys::open(folder.path())?;
        let (key, wrapped) = keys.new_data_key("anna");
        let (other, _) = keys.new_data_key("ben");
        let sealed = key.seal("order 1", b"Anna");
        assert_eq!(keys.data_key("anna", &wrapped)?.open("order 1", &sealed)?, b"Anna");
        assert!(key.open("order 2", &sealed).is_err());
        assert!(other.open("order 1", &sealed).is_err());
        assert!(keys.data_key("ben", &wrapped).is_err());
        assert!(key.open("order 1", b"").is_err());
        assert_ne!(key.seal("order 1", b"Anna"), sealed);
        let alike = key.seal_alike("order 1", b"Anna");
        assert_eq!(alike, key.seal_alike("order 1", b"Anna"));
        assert_eq!(key.open("order 1", &alike)?, b"Anna");
        assert!(alike[..24] != key.seal_alike("order 2", b"Anna")[..24] && alike[..24] != key.seal_alike("order 1", b"Anne")[..24]);
        Ok(())
    }
}
