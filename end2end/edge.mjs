// The edges in front of real shops: `node edge.mjs [part of a row's name]` starts shops, workerd and the stand-in for CloudFront, prints a table,
// and ends with 0 only if every row passed. Rows are in edge/*.mjs, bundles in EDGE_BUNDLE and CDN_BUNDLE. The rows with two origins need
// JOURNEY_DATABASE_URL and JOURNEY_DYNAMODB_ENDPOINT.
import { broken } from "./edge/broken.mjs";
import { crowd } from "./edge/crowd.mjs";
import { originGone, tableGone } from "./edge/failures.mjs";
import { live } from "./edge/live.mjs";
import { open } from "./edge/place.mjs";
import { passed, same } from "./edge/same.mjs";
import { answerLost, canShare, cartsGone, originsGone, twoOrigins, writerGone } from "./edge/regions.mjs";
import { confusion, strangers } from "./edge/strangers.mjs";

const wanted = process.argv[2] ?? process.env.EDGE_ROW ?? "";
/** [name, the row]. A row returns what it counted and throws what went wrong; the one that kills the shop is the last on it. */
const rows = [
  ["the same pages", same],
  ["what passes", passed],
  ["live values", live],
  ["hostile headers", strangers],
  ["cache-key confusion", confusion],
  ["a crowd", crowd],
  ["a broken instance", broken],
  ["table gone", tableGone],
  ["origin gone", originGone],
];
const results = [];

async function told(name, row) {
  const begun = Date.now();
  const outcome = await row().then((counts) => ["pass", counts], (error) => ["FAIL", error.message]);
  results.push([name, ...outcome, `${((Date.now() - begun) / 1000).toFixed(1)} s`]);
  console.error(`${outcome[0]}  ${name}: ${outcome[1]}`);
}

for (const front of ["workers", "cdn"]) {
  const chosen = rows.map(([name, row]) => [`${front}: ${name}`, row]).filter(([name]) => name.includes(wanted));
  if (chosen.length > 0) {
    const place = await open(`edge-${front}`, { front });
    try {
      for (const [name, row] of chosen) await told(name, () => row(place));
    } finally {
      await place.close();
    }
  }
  for (const [name, row] of [["two origins", twoOrigins], ["origins gone", originsGone], ["writer gone", writerGone], ["carts gone", cartsGone], ["an answer lost", answerLost]]) {
    if (canShare && `${front}: ${name}`.includes(wanted)) await told(`${front}: ${name}`, () => row(front));
  }
}

if (!canShare) console.log("rows with two origins are left out: JOURNEY_DATABASE_URL and JOURNEY_DYNAMODB_ENDPOINT are not set");
const table = [["at the edge", "", "counts", "time"], ...results];
const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
for (const line of table) console.log(line.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
const failed = results.filter(([, outcome]) => outcome !== "pass").length;
console.log(`\nedge: ${results.length - failed} passed, ${failed} failed`);
// workerd's connections may keep Node waiting; everything is closed.
process.exit(failed === 0 && results.length > 0 ? 0 : 1);
