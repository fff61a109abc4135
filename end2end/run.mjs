// The journeys, one after the other: `node run.mjs [part of a name]` or JOURNEY="part of a name". Prints a line each and ends with a sum.
// FRONT=workers or FRONT=cdn puts that edge before the shop.
import { launch } from "./browser.mjs";
import { open } from "./edge/place.mjs";
import { startShop } from "./shop.mjs";
import * as accessibility from "./journeys/accessibility.mjs";
import * as buying from "./journeys/buying.mjs";
import * as keyboard from "./journeys/keyboard.mjs";
import * as layout from "./journeys/layout.mjs";
import * as markets from "./journeys/markets.mjs";
import * as operations from "./journeys/operations.mjs";
import * as script from "./journeys/script.mjs";
import * as serving from "./journeys/serving.mjs";

const wanted = process.argv[2] ?? process.env.JOURNEY ?? "";
const front = process.env.FRONT;
/** Two edges are walked at once, and their lines mix. */
const where = front ? `${front}: ` : "";
const started = Date.now();
let passed = 0;
const failures = [];

/** A shop at its edge's address. */
async function behind(name, variables) {
  const place = await open(`${front}-${name}`, { front, variables });
  return { ...place.shops[0], url: place.url, origin: place.origin, stop: place.close };
}

async function group(shopName, variables, journeys) {
  const chosen = journeys.filter(([name]) => name.includes(wanted));
  if (chosen.length === 0) return;
  const shop = front ? await behind(shopName, variables) : await startShop(shopName, variables);
  const browser = await launch();
  try {
    for (const [name, walk] of chosen) {
      const begun = Date.now();
      try {
        await walk(browser, shop);
        passed += 1;
        console.log(`ok      ${where}${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
      } catch (error) {
        failures.push(name);
        console.log(`FAILED  ${where}${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)\n  ${error.message}`);
      }
    }
  } finally {
    await browser.close();
    await shop.stop();
  }
}

const all = [...buying.everywhere, ...buying.refusals, ...keyboard.journeys, ...script.journeys, ...layout.journeys, ...accessibility.journeys, ...operations.journeys, ...serving.journeys];
// What pages of one visitor say is the origin's alone: an edge passes them as they are.
await group("embedded", {}, front ? all : [...all, ...markets.journeys]);
const { JOURNEY_DATABASE_URL: database, JOURNEY_DYNAMODB_ENDPOINT: dynamodb } = process.env;
// Which stores are behind an origin is nothing to an edge.
if (database && dynamodb && !front) {
  const variables = {
    DATABASE_URL: database, NEXTGEN_DYNAMODB: "aws", AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local",
  };
  await group("postgres-dynamodb", variables, buying.realStores);
}

console.log(`\njourneys${front ? ` through ${front}` : ""}: ${passed} passed, ${failures.length} failed in ${((Date.now() - started) / 60_000).toFixed(1)} min`);
if (passed + failures.length === 0) console.log(`no journey is called "${wanted}"`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
