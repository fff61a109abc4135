// node zz_sheet.mjs out.png height files...
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
const [out, height, ...files] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 2600, height: 1000 } });
const html = files.map((f) => `<div style="height:${height}px;overflow:hidden;border:1px solid red;flex:none"><img src="data:image/png;base64,${readFileSync(f).toString("base64")}"></div>`).join("");
await page.setContent(`<body style="margin:0;display:inline-flex;gap:8px">${html}</body>`);
await page.locator("body").screenshot({ path: out });
await browser.close();
