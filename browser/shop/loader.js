// The page's loader, joined to wasm-bindgen's glue into one module by the build: it fetches the Wasm and wakes the islands in
// document order, parents before children. Nothing here is needed to buy; with Save-Data nothing is fetched at all.
const wasmUrl = "__SHOP_WASM__";

const wakeBelow = async (node, shop, enterChildren) => {
  for (const child of [...node.children]) {
    if (child.localName === "leptos-island") {
      const wake = shop[child.dataset.component];
      if (wake) {
        // An island among another's children is built in the reactive scope of that other.
        enterChildren?.();
        await wake(child);
      } else {
        console.warn(`This build has no island ${child.dataset.component}.`);
      }
    }
    await wakeBelow(child, shop, child.localName === "leptos-children" ? child.$$on_hydrate : enterChildren);
  }
};

const start = async () => {
  // Our own module, seen from outside: its exports are the islands.
  const shop = await import(import.meta.url);
  await shop.default({ module_or_path: new URL(wasmUrl, import.meta.url) });
  shop.hydrate();
  window.__hydrateIsland = (island, id) => shop[id]?.(island);
  await wakeBelow(document.body, shop);
  document.documentElement.dataset.islands = "ready";
};

// Back may bring this page out of the browser's memory as it was: the cart's number is asked for again.
addEventListener("pageshow", async ({ persisted }) => {
  if (!persisted) return;
  const page = await (await fetch(location)).text();
  // Cut out as text: a parsed page would fall under this page's policy, with another nonce in it.
  const [, badge] = /class="bag".*?(<b\b.*?<\/b>)/s.exec(page) ?? [];
  if (badge) document.querySelector(".bag b").outerHTML = badge;
});

if (!navigator.connection?.saveData) start();
