// Staff serve a shopper by keyboard: they find an order, are refused without a carrier, ship it, give money back, send another one in bulk with its
// pick list and slip, and correct the stock. axe looks at every page, wide and narrow; nothing is wider than a phone of 320 px.
import { Buyer, cards } from "../buyer.mjs";
import { desk, getIn } from "./operations.mjs";

const tote = { slug: "canvas-tote", option: "colour", value: "natural" };

async function paid(shop) {
  const buyer = await Buyer.withCart(shop, tote);
  await buyer.place();
  await buyer.pay(cards.pays);
  await buyer.sees("Paid");
  return buyer;
}

/** Unfolds a form by keyboard and answers it. */
async function unfold(page, words) {
  const form = page.locator("details.act", { has: page.locator("summary", { hasText: words }) });
  await form.locator("summary").focus();
  await page.keyboard.press("Enter");
  return form;
}

async function serving(browser, shop, width) {
  const [first, second] = [await paid(shop), await paid(shop)];
  const tracking = [`RM1${width}GB`, `RM2${width}GB`];
  const { context, page, lookAt, finish } = await desk(browser, shop, { width, colorScheme: "light" });
  await getIn(shop, page, `grace-${width}@example.com`);
  const refused = async (act) => {
    page.expected = [422];
    await act();
    page.expected = [];
  };

  await page.goto("/ops/orders");
  await page.getByLabel("Find orders").fill("nobody@example.com");
  await page.keyboard.press("Enter");
  await page.getByText("No order has exactly this.").waitFor();
  await lookAt("nothing found");
  await page.getByLabel("Find orders").fill(first.number);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `Order ${first.number}` }).waitFor();
  await lookAt("order");

  let form = await unfold(page, "Ship from");
  await form.getByLabel("Tracking numbers").fill(tracking[0]);
  await refused(async () => {
    await form.getByRole("button", { name: "Ship" }).press("Enter");
    await page.getByRole("alert").getByText("Name the carrier").waitFor();
  });
  await lookAt("shipping, refused");
  await page.getByRole("link", { name: "Go to the form" }).press("Enter");
  form = page.locator("details.act[open]");
  if ((await form.getByLabel("Tracking numbers").inputValue()) !== tracking[0]) throw new Error("what was typed is gone");
  await form.getByLabel("Carrier").fill("Royal Mail");
  await page.keyboard.press("Enter");
  await page.getByText("Done: the pieces left the shelf.").waitFor();
  await page.getByText(`Royal Mail ${tracking[0]}`).waitFor();

  form = await unfold(page, "Refund…");
  await form.getByText(/At most £\d+\.\d\d/).waitFor();
  await form.getByLabel("Amount in GBP").fill("999");
  await form.getByLabel("Reason").selectOption("late");
  await form.getByLabel("The money goes back.").press("Space");
  await refused(async () => {
    await form.getByRole("button", { name: "Refund" }).press("Enter");
    await page.getByRole("alert").waitFor();
  });
  await lookAt("refund, refused");
  form = page.locator("details.act[open]");
  await form.getByLabel("Amount in GBP").fill("5.00");
  if (!(await form.getByLabel("The money goes back.").isChecked())) throw new Error("what was confirmed is gone");
  await form.getByRole("button", { name: "Refund" }).press("Enter");
  await page.getByText("The refund is asked for.").waitFor();
  await lookAt("order, shipped and refunded");

  await page.goto("/ops/orders/ship");
  await page.getByRole("link", { name: second.number, exact: true }).waitFor();
  await page.getByRole("button", { name: "Pick list" }).press("Enter");
  await page.getByRole("cell", { name: new RegExp(second.number) }).waitFor();
  await lookAt("pick list");
  await page.goBack();
  await page.getByRole("button", { name: "Packing slips" }).press("Enter");
  const slip = page.getByRole("article").filter({ hasText: second.number });
  await slip.getByText("12 St James's Square").waitFor();
  await lookAt("packing slips");
  await page.emulateMedia({ media: "print" });
  if (await page.getByRole("navigation", { name: "Operations" }).isVisible()) throw new Error("the rail is printed with the slips");
  await page.emulateMedia({ media: null });
  await page.goBack();
  await page.getByRole("button", { name: "Enter numbers and ship" }).press("Enter");
  await page.getByLabel("Carrier", { exact: true }).fill("Royal Mail");
  await page.getByLabel(`Tracking numbers, separated by commas of ${second.number}`).fill(tracking[1]);
  await lookAt("carriers and numbers");
  await page.getByRole("button", { name: "Ship", exact: true }).press("Enter");
  await page.getByText("1 shipment has left.").waitFor();
  await page.goto("/ops/orders");
  await page.getByLabel("Find orders").fill(tracking[1]);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `Order ${second.number}` }).waitFor();

  await page.goto("/ops/stock?q=TOTE-NAT");
  form = await unfold(page, "Adjust after a count");
  await form.getByLabel("Location").selectOption({ label: "Rotterdam, Netherlands" });
  await form.getByLabel("What you know").selectOption({ label: "How many more or fewer" });
  await form.getByLabel("Figure").fill("-1");
  await form.getByLabel("Reason").selectOption({ label: "Lost" });
  await form.getByRole("button", { name: "Book adjustment" }).press("Enter");
  await page.getByText("The adjustment is booked.").waitFor();
  await lookAt("stock, adjusted");
  await page.goto("/ops/audit");
  await page.getByRole("link", { name: first.number }).first().waitFor();
  await lookAt("audit log");
  await context.close();
  finish();
}

export const journeys = [1280, 390].map((width) => [`staff find an order, ship it, refund a piece and adjust stock (${width} px)`, (browser, shop) => serving(browser, shop, width)]);
