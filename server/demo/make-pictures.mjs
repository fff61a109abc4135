// Makes the ready-made sizes of the demo pictures and lists them in pictures.json.
//
//   npm install sharp && node server/demo/make-pictures.mjs SOURCE [public/media]
//
// SOURCE holds <category>/<product>/<colour>-<view>.webp, heroes/*.webp and tiles/*.webp. Sizes that exist already are kept, so an
// interrupted run goes on where it stopped. AVIF encoding costs about half a CPU-second a megapixel: that is why the sizes are committed.

import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

// From the folder where `npm install` was run, not from this file's.
const sharp = createRequire(join(process.cwd(), "package.json"))("sharp");
sharp.concurrency(1);

const [source, target = "public/media"] = process.argv.slice(2);
if (!source) throw new Error("usage: node make-pictures.mjs SOURCE [TARGET]");
const list = join(import.meta.dirname, "pictures.json");

const WIDTHS = { heroes: [480, 800, 1600, 2400], tiles: [320, 480, 900], products: [320, 480, 800, 1200] };
// The backdrops are large calm gradients: below these qualities they show bands.
const FORMATS = {
  avif: (image) => image.avif({ quality: 62, effort: 3, chromaSubsampling: "4:4:4" }),
  webp: (image) => image.webp({ quality: 88, effort: 4, smartSubsample: true }),
};

const exists = (path) => stat(path).then(() => true, () => false);

const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith(".webp")).sort();
const pictures = {};
for (const file of files) {
  const original = join(source, file);
  const { width, height } = await sharp(original).metadata();
  const widths = (WIDTHS[file.split("/")[0]] ?? WIDTHS.products).filter((wanted) => wanted <= width);
  const name = relative("", file).replace(/\.webp$/, "");
  pictures[name] = { width, height, widths };
  for (const wanted of widths) {
    const resized = sharp(original).resize({ width: wanted, kernel: "lanczos3" });
    for (const [extension, encode] of Object.entries(FORMATS)) {
      const path = join(target, `${name}-${wanted}.${extension}`);
      if (await exists(path)) continue;
      await mkdir(dirname(path), { recursive: true });
      await encode(resized.clone()).toFile(path);
    }
  }
}
await writeFile(list, `{\n${Object.entries(pictures).map(([name, picture]) => `  ${JSON.stringify(name)}: ${JSON.stringify(picture)}`).join(",\n")}\n}\n`);
console.log(`${files.length} pictures listed in ${list}`);
