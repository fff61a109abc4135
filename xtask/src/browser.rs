//! The browser's script and Wasm: cargo, wasm-bindgen (a library here, so that there is no tool to install), wasm-opt, and the loader.

use crate::{
    assets::{Asset, Assets},
    machine::{Repo, Stopwatch, say},
    node::{Shrinkers, hex},
    wasm_toolchain::{TARGET, WasmToolchain},
};
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// What a product page may send of both together, brotli.
pub const BUDGET_BYTES: usize = 100_000;

pub struct Browser {
    pub script: Asset,
    pub wasm: Asset,
}

impl Browser {
    pub fn sent_bytes(&self) -> usize {
        self.script.sent_bytes + self.wasm.sent_bytes
    }
}

pub fn build(repo: &Repo, toolchain: &WasmToolchain, shrinkers: Option<&Shrinkers>, assets: &Assets) -> Result<Browser> {
    say("compiling the browser's Wasm");
    toolchain.build(repo, "shop")?;
    let module = std::fs::read(repo.at("target").join(TARGET).join("browser/shop.wasm"))?;
    let loader = std::fs::read_to_string(repo.at("browser/shop/loader.js"))?;

    // wasm-bindgen and wasm-opt run again only when what they read is new.
    let work = repo.at("target/browser-files");
    std::fs::create_dir_all(&work)?;
    let mut key = Sha256::new();
    key.update(&module);
    key.update(shrinkers.map(Shrinkers::identity).unwrap_or_default());
    let key = hex(&key.finalize());
    let made = work.join("made");
    if std::fs::read_to_string(&made).ok().as_deref() != Some(key.as_str()) {
        bind(module, &work)?;
        match shrinkers {
            Some(shrinkers) => {
                say("shrinking the Wasm (wasm-opt -Oz)");
                let watch = Stopwatch::start();
                shrinkers.wasm_opt(&work.join("shop_bg.wasm"), &work.join("shop.wasm"))?;
                say(&format!("Wasm shrunk in {}", watch.seconds()));
            }
            None => {
                std::fs::copy(work.join("shop_bg.wasm"), work.join("shop.wasm"))?;
            }
        }
        std::fs::write(&made, key)?;
    }
    let wasm = assets.add("shop", "wasm", &std::fs::read(work.join("shop.wasm"))?)?;
    let script = assets.add("shop", "js", &script(&work, &loader, &wasm, shrinkers)?)?;
    Ok(Browser { script, wasm })
}

/// Glue in `shop.js`, module in `shop_bg.wasm`.
fn bind(module: Vec<u8>, work: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_bytes("shop", module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.generate(work).context("wasm-bindgen")
}

/// Glue and loader as one ES module, with the address of the Wasm written into it.
fn script(work: &Path, loader: &str, wasm: &Asset, shrinkers: Option<&Shrinkers>) -> Result<Vec<u8>> {
    let glue = std::fs::read_to_string(work.join("shop.js"))?;
    if glue.contains("./snippets/") {
        bail!("a dependency brings JavaScript snippets into the glue; the loader joins only one file");
    }
    let name = wasm.url.rsplit('/').next().context("an asset's URL has a name")?;
    let joined = format!("{glue}\n{}", loader.replace("__SHOP_WASM__", &format!("./{name}")));
    let file = work.join("joined.js");
    std::fs::write(&file, &joined)?;
    match shrinkers {
        Some(shrinkers) => shrinkers.minify(&file, None),
        None => Ok(joined.into_bytes()),
    }
}
