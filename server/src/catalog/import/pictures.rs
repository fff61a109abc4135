//! Pictures that a file names: read from beside it into the data folder; addresses on the web are kept and not fetched.

use super::{
    Report,
    report::Refusal,
    sheet::{Draft, DraftImage},
};
use crate::catalog::product::{PictureTexts, Product, Texts};
use anyhow::Context as _;
use domain::catalog::PictureSource;
use image::{ImageFormat, ImageReader};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    fmt::Write as _,
    io::Cursor,
    path::{Component, Path, PathBuf},
};

/// Largest picture that is read, in bytes and in pixels of a side.
const BYTES_MAX: u64 = 32 << 20;
const SIDE_PIXELS_MAX: u32 = 12_000;
/// Most pictures of one product.
const PICTURES_MAX: usize = 60;

/// Where pictures come from and go to.
pub(super) struct Folder {
    from: PathBuf,
    to: PathBuf,
    read: HashMap<String, Result<PictureTexts, String>>,
}

impl Folder {
    pub(super) fn new(beside: &Path, data: &Path) -> Self {
        let from = if beside.as_os_str().is_empty() { PathBuf::from(".") } else { beside.to_owned() };
        Self { from, to: data.join("media").join("import"), read: HashMap::new() }
    }

    /// The pictures of a product in the file's order; what cannot be read is refused, or stays as it was known. A known picture that the file
    /// does not name goes, unless the row that names it may be one that could not be read.
    pub(super) fn read(&mut self, draft: &Draft, known: Option<&Product>, report: &mut Report) -> anyhow::Result<Vec<PictureTexts>> {
        let mut images: Vec<&DraftImage> = draft.images.iter().collect();
        images.sort_by_key(|image| image.position);
        let mut pictures: Vec<PictureTexts> = Vec::new();
        for image in images {
            if pictures.iter().any(|picture| picture.named == image.src) {
                continue;
            }
            if pictures.len() == PICTURES_MAX {
                report.refusals.push(Refusal::new(image.line, "Image Src", format!("a product has at most {PICTURES_MAX} pictures")));
                break;
            }
            let before = known.and_then(|known| known.pictures.iter().find(|picture| picture.named == image.src));
            // Ready-made sizes are better than the one file that they were made from.
            let ready = before.filter(|picture| matches!(picture.source, PictureSource::Sized { .. }));
            let picture = match ready {
                Some(picture) => Ok(picture.clone()),
                None if is_address(&image.src) => {
                    report.remote(&image.src, image.line);
                    Ok(blank(PictureSource::Remote { url: image.src.clone() }, 4, 5, &image.src))
                }
                None => self.local(&image.src)?,
            };
            match (picture, before) {
                (Ok(picture), before) => {
                    let (value, view, alts) = before.map(|b| (b.value.clone(), b.view.clone(), b.alts.clone())).unwrap_or_default();
                    pictures.push(PictureTexts { value, view, alts, ..picture });
                }
                (Err(_), Some(before)) => pictures.push(before.clone()),
                (Err(reason), None) => report.refusals.push(Refusal::new(image.line, "Image Src", reason)),
            }
        }
        let Some(known) = known.filter(|_| draft.has_gaps && !pictures.is_empty()) else { return Ok(pictures) };
        let mut kept = known.pictures.clone();
        for picture in pictures {
            match kept.iter_mut().find(|known| known.named == picture.named) {
                Some(known) => *known = picture,
                None => kept.push(picture),
            }
        }
        kept.truncate(PICTURES_MAX.max(known.pictures.len()));
        Ok(kept)
    }

    fn local(&mut self, src: &str) -> anyhow::Result<Result<PictureTexts, String>> {
        if let Some(known) = self.read.get(src) {
            return Ok(known.clone());
        }
        let picture = self.copy(src)?;
        self.read.insert(src.to_owned(), picture.clone());
        Ok(picture)
    }

    /// Copies a picture under the name of its content. The outer error is the data folder's, the inner one the file's.
    fn copy(&self, src: &str) -> anyhow::Result<Result<PictureTexts, String>> {
        let path = Path::new(src);
        if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Ok(Err(format!("{src:?} leads out of the file's folder")));
        }
        let path = self.from.join(path);
        let inside = path.canonicalize().ok().zip(self.from.canonicalize().ok()).is_some_and(|(path, folder)| path.starts_with(folder));
        let Some(meta) = std::fs::metadata(&path).ok().filter(|meta| inside && meta.is_file()) else {
            return Ok(Err(format!("there is no picture {src:?} beside the file")));
        };
        if meta.len() > BYTES_MAX {
            return Ok(Err(format!("{src:?} has {} bytes; at most {BYTES_MAX} are taken", meta.len())));
        }
        let Ok(bytes) = std::fs::read(&path) else { return Ok(Err(format!("{src:?} cannot be read"))) };
        let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().context("guessing a picture's format")?;
        let ending = match reader.format() {
            Some(ImageFormat::Jpeg) => "jpg",
            Some(ImageFormat::Png) => "png",
            Some(ImageFormat::WebP) => "webp",
            _ => return Ok(Err(format!("{src:?} is not a JPEG, PNG or WebP picture"))),
        };
        let (width, height) = match reader.into_dimensions() {
            Ok((width, height)) if width.max(height) <= SIDE_PIXELS_MAX && width.min(height) > 0 => (width, height),
            Ok((width, height)) => return Ok(Err(format!("{src:?} is {width}×{height}; at most {SIDE_PIXELS_MAX} pixels a side are taken"))),
            Err(error) => return Ok(Err(format!("{src:?} cannot be read: {error}"))),
        };
        let mut name = Sha256::digest(&bytes).iter().take(12).fold(String::new(), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        });
        let _ = write!(name, ".{ending}");
        let to = self.to.join(&name);
        if !to.exists() {
            std::fs::create_dir_all(&self.to).with_context(|| format!("creating {}", self.to.display()))?;
            // Written aside and moved, so that the shop never serves half a picture.
            let part = self.to.join(format!("{name}.part"));
            std::fs::write(&part, &bytes).and_then(|()| std::fs::rename(&part, &to)).with_context(|| format!("writing {}", to.display()))?;
        }
        Ok(Ok(blank(PictureSource::File { path: format!("import/{name}") }, width, height, src)))
    }
}

fn blank(source: PictureSource, width: u32, height: u32, named: &str) -> PictureTexts {
    PictureTexts { source, width, height, value: None, view: String::new(), alts: Texts::new(), named: named.to_owned() }
}

fn is_address(src: &str) -> bool {
    src.starts_with("https://") || src.starts_with("http://") || src.starts_with("//")
}
