//! Hashed, compressed files: a name holds the hash of its content, `.br` and `.gz` stand beside what compresses, old names stay.

use crate::node::hex;
use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// The folder of `/assets/`.
pub struct Assets {
    folder: PathBuf,
}

/// One file as it is served.
#[derive(Debug)]
pub struct Asset {
    pub url: String,
    /// What a browser receives: brotli where that is smaller.
    pub sent_bytes: usize,
}

impl Assets {
    pub fn open(site: &Path) -> Result<Self> {
        let folder = site.join("assets");
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Names are `stem.0123456789.ext`: ten hex digits keep 1.1e12 contents apart.
    pub fn name(stem: &str, extension: &str, content: &[u8]) -> String {
        format!("{stem}.{}.{extension}", &hex(&Sha256::digest(content))[..10])
    }

    pub fn add(&self, stem: &str, extension: &str, content: &[u8]) -> Result<Asset> {
        let name = Self::name(stem, extension, content);
        let file = self.folder.join(&name);
        if !file.exists() {
            write_whole(&file, content)?;
        }
        let mut sent_bytes = content.len();
        if compresses(extension) {
            let brotli_file = self.folder.join(format!("{name}.br"));
            if !brotli_file.exists() {
                write_whole(&brotli_file, &brotli_of(content)?)?;
                write_whole(&self.folder.join(format!("{name}.gz")), &gzip_of(content)?)?;
            }
            sent_bytes = usize::try_from(brotli_file.metadata()?.len())?;
        }
        Ok(Asset { url: format!("/assets/{name}"), sent_bytes })
    }
}

fn compresses(extension: &str) -> bool {
    matches!(extension, "css" | "js" | "wasm" | "svg" | "json" | "txt" | "webmanifest")
}

/// Written beside and renamed, so that a running server never sees half a file.
pub fn write_whole(file: &Path, content: &[u8]) -> Result<()> {
    let part = file.with_extension("part");
    std::fs::write(&part, content).with_context(|| format!("writing {}", part.display()))?;
    std::fs::rename(&part, file).with_context(|| format!("writing {}", file.display()))
}

pub fn brotli_of(content: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &content[..], &mut packed, &parameters)?;
    Ok(packed)
}

fn gzip_of(content: &[u8]) -> Result<Vec<u8>> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(content)?;
    Ok(packed.finish()?)
}
