// axe-core in a page: puts its script there and runs it on a part.
import fs from "node:fs";
import { createRequire } from "node:module";

const source = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function violations(page, part) {
  await page.evaluate(source);
  return page.evaluate(async (part) => (await globalThis.axe.run(part)).violations, part);
}
