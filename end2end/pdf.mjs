// The text of a PDF as the shop writes it (server/src/invoices/pdf): pages whose text is glyphs of embedded fonts, each with the way back to
// characters (ISO 32000-1, 9.10.3). No reader for other PDFs.
import { inflateSync } from "node:zlib";

/** Each object's dictionary and stream, by its number. */
function objects(bytes) {
  const file = bytes.toString("latin1");
  const found = new Map();
  const begins = /(\d+) 0 obj\b/g;
  for (let begin; (begin = begins.exec(file)); ) {
    const body = begins.lastIndex;
    const end = file.indexOf("endobj", body);
    const opens = /stream\r?\n/g;
    opens.lastIndex = body;
    const stream = opens.exec(file);
    if (!stream || stream.index > end) {
      found.set(Number(begin[1]), { dictionary: file.slice(body, end) });
      continue;
    }
    const dictionary = file.slice(body, stream.index);
    const length = Number(/\/Length (\d+)/.exec(dictionary)[1]);
    const raw = bytes.subarray(opens.lastIndex, opens.lastIndex + length);
    found.set(Number(begin[1]), { dictionary, stream: dictionary.includes("/FlateDecode") ? inflateSync(raw) : raw });
    begins.lastIndex = opens.lastIndex + length;
  }
  return found;
}

/** Which characters a font's glyphs are. */
function characters(cmap) {
  const map = new Map();
  for (const [, list] of cmap.toString("latin1").matchAll(/beginbfchar([\s\S]*?)endbfchar/g)) {
    for (const [, glyph, text] of list.matchAll(/<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>/g)) {
      map.set(parseInt(glyph, 16), Buffer.from(text, "hex").swap16().toString("utf16le"));
    }
  }
  return map;
}

const escapes = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

/** The string that begins there in a page's content, `(…)` with brackets in pairs or escaped, or `<…>`; and where it ends. */
function string(page, at) {
  if (page[at] === "<") {
    const end = page.indexOf(">", at);
    return { bytes: Buffer.from(page.slice(at + 1, end), "hex"), end };
  }
  let text = "";
  for (let depth = 1; ; ) {
    at += 1;
    const letter = page[at];
    const octal = letter === "\\" && /^[0-7]{1,3}/.exec(page.slice(at + 1, at + 4))?.[0];
    if (octal) {
      text += String.fromCharCode(parseInt(octal, 8));
      at += octal.length;
    } else if (letter === "\\") {
      at += 1;
      text += escapes[page[at]] ?? page[at];
    } else {
      if (letter === "(") depth += 1;
      if (letter === ")") depth -= 1;
      if (depth === 0) return { bytes: Buffer.from(text, "latin1"), end: at };
      text += letter;
    }
  }
}

/** All texts, one a line in the order in which they were set. */
export function pdfText(bytes) {
  const all = objects(bytes);
  const fonts = new Map();
  for (const { dictionary } of all.values()) {
    for (const [, name, number] of dictionary.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
      const unicode = /\/ToUnicode (\d+) 0 R/.exec(all.get(Number(number)).dictionary);
      fonts.set(name, characters(all.get(Number(unicode[1])).stream));
    }
  }
  const lines = [];
  for (const { dictionary } of all.values()) {
    const contents = /\/Contents (\d+) 0 R/.exec(dictionary);
    if (!contents) continue;
    let font;
    const page = all.get(Number(contents[1])).stream.toString("latin1");
    const parts = /\/(F\d+) [\d.]+ Tf|[(<]/g;
    for (let part; (part = parts.exec(page)); ) {
      if (part[1]) {
        font = fonts.get(part[1]);
        continue;
      }
      const { bytes: glyphs, end } = string(page, part.index);
      parts.lastIndex = end + 1;
      let line = "";
      for (let at = 0; at + 1 < glyphs.length; at += 2) line += font.get(glyphs.readUInt16BE(at)) ?? "\ufffd";
      lines.push(line);
    }
  }
  return lines.join("\n");
}
