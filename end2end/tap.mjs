// A way to a server of this machine that can be made slow or cut: `slow(ms)`, `cut()`, `heal()`.
import { once } from "node:events";
import { connect, createServer } from "node:net";

export async function tap(port) {
  let delay = 0;
  let isCut = false;
  const open = new Set();
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      open.add(from);
      // What was sent before the end still arrives, as late as all the rest.
      const end = () => (to === near ? setTimeout(() => near.destroySoon(), delay) : to.destroy());
      from.on("close", () => open.delete(from) && end()).on("error", () => to.destroy());
    }
    near.pipe(far);
    far.on("data", (data) => setTimeout(() => near.writable && near.write(data), delay)).on("end", () => setTimeout(() => near.end(), delay));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const drop = () => open.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** From now on every answer takes so much longer. */
    slow: (ms) => (delay = ms),
    /** From now on nobody gets through, and whoever was is thrown out. */
    cut: () => ((isCut = true), drop()),
    heal: () => ((isCut = false), (delay = 0)),
    close: () => (server.close(), drop()),
  };
}
