//! What the crate `idna` asks Unicode. On servers ICU4X answers; in Wasm modules, which talk to the hosts of their own configuration alone,
//! 80 kB of tables are left out: a host's name is ASCII there (`xn--…` for others), and any other name is an error. It stands in the place
//! of the crate that `idna` names, because that one is chosen for all targets alike.

#[cfg(target_family = "wasm")]
mod ascii;
#[cfg(not(target_family = "wasm"))]
mod icu;

#[cfg(target_family = "wasm")]
pub use ascii::*;
#[cfg(not(target_family = "wasm"))]
pub use icu::*;

#[cfg(test)]
mod tests {
    /// Examples of RFC 5891 to 5893 and of UTS 46, as browsers read them.
    #[test]
    fn names_of_hosts_are_read_as_browsers_read_them() {
        for (name, host) in [
            ("Shop.Example", "shop.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("faß.example", "xn--fa-hia.example"),
            ("ｓｈｏｐ。example", "shop.example"),
            ("ショップ.example", "xn--xckya1d0c.example"),
            ("상점.example", "xn--hg4bs7k.example"),
            ("مثال.example", "xn--mgbh0fb.example"),
            ("नी\u{200d}.example", ""),
            ("क\u{94d}\u{200d}ष.example", "xn--11b2ezcw70k.example"),
            ("\u{300}a.example", ""),
            ("1א.example", ""),
            ("xn--a.example", ""),
        ] {
            let read = url::Url::parse(&format!("https://{name}/")).ok().and_then(|url| url.host_str().map(str::to_owned));
            if host.is_empty() {
                assert_eq!(read, None, "{name}");
            } else {
                assert_eq!(read.as_deref(), Some(host), "{name}");
            }
        }
    }
}
