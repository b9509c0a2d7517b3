// Opens every page of the built book in headless Chromium, in a light and a dark theme, wide and on a phone.
// usage: node test.mjs BOOK_HTML_FOLDER CHROMIUM
import { violations } from "./axe.mjs";
import { chromium } from "playwright-core";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [folder, executablePath] = process.argv.slice(2);
const pages = fs.readdirSync(folder).filter((name) => name.endsWith(".html") && !["404.html", "toc.html"].includes(name));
const looks = [
  { theme: "light", width: 1280, height: 900 },
  { theme: "navy", width: 1280, height: 900 },
  { theme: "light", width: 390, height: 844 },
  { theme: "navy", width: 390, height: 844 },
];
let passed = 0;
const failures = [];
const check = (name, problems) => (problems.length ? failures.push(`${name}: ${problems.join("; ")}`) : passed++);

// Runs in the page: formulas and figures must take up room and stand out against the paper.
function invisible() {
  const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const paper = parse(getComputedStyle(document.documentElement).backgroundColor);
  const contrast = (color) => {
    const [high, low] = [luminance(parse(color)), luminance(paper)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const problems = [];
  const look = (element, color, least, what) => {
    const box = element.getBoundingClientRect();
    if (box.width < 1 || box.height < 1) problems.push(`${what} has no size`);
    else if (contrast(color) < least) problems.push(`${what} is ${color} on ${paper}`);
  };
  const shown = (element) => !element.closest("details:not([open])");
  for (const math of [...document.querySelectorAll("main math")].filter(shown)) {
    look(math, getComputedStyle(math).color, 4.5, `formula ${math.textContent.trim().slice(0, 20)}`);
  }
  for (const svg of document.querySelectorAll("main figure.evidence svg")) {
    const name = svg.querySelector("title")?.textContent ?? "a figure without title";
    if (svg.getBoundingClientRect().width < 200) problems.push(`figure ${name} is narrower than 200 px`);
    for (const text of svg.querySelectorAll("text")) look(text, getComputedStyle(text).fill, 4.5, `${name}: text`);
    for (const line of svg.querySelectorAll("polyline")) {
      if (+line.getAttribute("opacity") === 1) look(line.parentElement, getComputedStyle(line).stroke, 1.2, `${name}: line`);
    }
  }
  return [...new Set(problems)];
}

// Runs in the page: where its links and files lead.
function targets() {
  const elements = document.querySelectorAll("a[href], link[href], script[src], img[src], iframe[src]");
  return [...elements].map((element) => element.href ?? element.src).filter((url) => typeof url === "string" && url);
}

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const anchors = new Map();
const links = [];
for (const { theme, width, height } of looks) {
  const context = await browser.newContext({ viewport: { width, height } });
  await context.addInitScript((theme) => {
    localStorage.setItem("mdbook-theme", theme);
    localStorage.setItem("mdbook-sidebar", "hidden");
  }, theme);
  for (const name of pages) {
    const page = await context.newPage();
    const [errors, outside] = [[], []];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || outside.push(request.url()));
    await page.goto(pathToFileURL(path.join(folder, name)).href, { waitUntil: "load" });
    await page.evaluate(() => document.fonts.ready);
    const at = `${name} (${theme}, ${width} px)`;
    check(`${at} console`, errors);
    check(`${at} requests that leave the machine`, outside);
    check(`${at} horizontal scroll`, await page.evaluate(() => {
      const wide = document.documentElement.scrollWidth - window.innerWidth;
      return wide > 0 ? [`${wide} px too wide`] : [];
    }));
    check(`${at} formulas and figures`, await page.evaluate(invisible));
    const found = await violations(page, "main");
    const serious = found.filter(({ impact }) => ["serious", "critical"].includes(impact));
    check(`${at} accessibility`, serious.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`));
    if (theme === "light" && width > 1000) {
      anchors.set(name, new Set(await page.evaluate(() => [...document.querySelectorAll("[id]")].map(({ id }) => id))));
      links.push(...(await page.evaluate(targets)).map((url) => [name, url]));
    }
    if (name === "index.html") check(`${at} search`, await search(page));
    await page.close();
  }
  await context.close();
}
await browser.close();

async function search(page) {
  await page.keyboard.press("s");
  // The index is fetched when the bar opens; what is typed before is looked up once it is there.
  await page.locator("#mdbook-searchbar").pressSequentially("condition number", { delay: 30 });
  const found = page.locator("#mdbook-searchresults li");
  await found.first().waitFor({ timeout: 10000 }).catch(() => {});
  return (await found.count()) > 0 ? [] : ["nothing found for `condition number`"];
}

for (const [name, url] of links) {
  const target = new URL(url);
  if (target.protocol !== "file:") {
    // A reader may follow a link to a paper; whether it is still there cannot be seen offline.
    continue;
  }
  const file = fileURLToPath(target.origin === "null" ? `file://${target.pathname}` : target);
  const anchor = decodeURIComponent(target.hash.slice(1));
  const missing = !fs.existsSync(file) || (anchor && anchors.has(path.basename(file)) && !anchors.get(path.basename(file)).has(anchor));
  check(`${name} link`, missing ? [`${path.basename(file)}${target.hash} does not exist`] : []);
}

failures.forEach((failure) => console.error(failure));
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length ? 1 : 0);
