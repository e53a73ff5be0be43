// Reads the report as a person at a keyboard does. Takes what to do as JSON on standard input and writes what it saw.
//
// {executable, arguments, page, screenshots}
import axe from "axe-core";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const plan = JSON.parse(readFileSync(0, "utf8"));
const seen = { errors: [], requests: [], violations: {} };
const browser = await chromium.launch({ executablePath: plan.executable, args: plan.arguments });

async function open(options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: false, ...options });
  const page = await context.newPage();
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => seen.requests.push(request.url()));
  await page.goto(plan.page);
  return page;
}

const rows = (page) => page.locator("#rows-table tbody tr").count();
const count = (page) => page.locator("#rows-count").textContent();
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());

try {
  const page = await open({ colorScheme: "light" });
  seen.title = await page.title();
  seen.verdict = (await page.locator(".verdict").first().textContent()).trim();
  seen.changes = await page.locator("#changes li").allTextContents();
  seen.start = await count(page);

  // Only keys from here on: tab to the skip link, to the filters, and use them.
  await page.keyboard.press("Tab");
  seen.first = await focused(page);
  await page.keyboard.press("Enter");
  seen.skipped = await focused(page);
  for (let key = 0; key < 200 && (await focused(page)) !== "f-account"; key += 1) await page.keyboard.press("Tab");
  seen.reached = await focused(page);
  for (let key = 0; key < 10 && (await focused(page)) !== "f-change"; key += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Home");
  seen.all = await count(page);
  seen.pages = await page.locator("#rows-pages span").textContent();
  seen.drawn = await rows(page);

  await page.locator("#f-account").focus();
  await page.keyboard.type("staging");
  seen.staging = await count(page);
  seen.stagingRows = await page.locator("#rows-table tbody tr td:nth-child(3)").allTextContents();
  for (let key = 0; key < 20 && (await focused(page)) !== "f-text"; key += 1) await page.keyboard.press("Tab");
  await page.keyboard.type("server access");
  seen.text = await count(page);
  seen.needlessPager = await page.locator("#rows-pages").isVisible();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space"); // off: the first status
  seen.withoutOpen = await count(page);
  for (let key = 0; key < 10 && (await focused(page)) !== "Clear filters"; key += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForFunction((start) => document.getElementById("rows-count").textContent === start, seen.start);
  seen.cleared = await count(page);

  await page.locator("#f-change").selectOption("");
  await page.locator("#rows-pages button").last().focus();
  await page.keyboard.press("Enter");
  seen.secondPage = await page.locator("#rows-pages span").textContent();
  await page.locator("#f-rule").selectOption({ label: "LZ-NET-1" });
  seen.rule = await count(page);
  await page.locator("#f-rule").selectOption("");
  await page.locator("button[data-account]").first().focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "f-account");
  seen.account = await count(page);
  seen.trust = await page.locator("#trust-count").textContent();
  await page.locator("#t-kind").selectOption("");
  seen.allTrust = await page.locator("#trust-count").textContent();
  await page.screenshot({ path: join(plan.screenshots, "compliance.png") });

  // What does not apply is hidden, whatever its style says: without a baseline, the filter of changes.
  seen.hiddenStays = await page.evaluate(() => {
    const label = document.getElementById("f-change").parentElement;
    label.hidden = true;
    const shown = label.checkVisibility();
    label.hidden = false;
    return shown;
  });

  // As on paper: all that the filters leave, no controls, black on white.
  await page.locator("#f-account").selectOption("");
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  seen.printed = await rows(page);
  seen.controls = await page.locator("form, nav, .skip").evaluateAll((all) => all.filter((one) => one.checkVisibility()).length);
  seen.ink = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]);
  seen.pdf = (await page.pdf()).length;

  // Accessibility by a kept library's rules. It looks through a page of its own, where the policy lets its code in.
  for (const colorScheme of ["light", "dark"]) {
    const looked = await open({ colorScheme, bypassCSP: true });
    await looked.evaluate(axe.source);
    const found = await looked.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }));
    seen.violations[colorScheme] = found.violations.map((one) => `${one.id}: ${one.nodes[0].html}`);
    seen[`passes-${colorScheme}`] = found.passes.length;
    await looked.setViewportSize({ width: 360, height: 800 });
    // An organization's names may be long, and a list is as wide as the longest of them.
    await looked.evaluate(() => document.querySelectorAll("select").forEach((one) => one.append(new Option("NIST.800.53.R5-".repeat(6)))));
    seen.overflow = await looked.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }
} catch (error) {
  seen.failure = String(error);
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(seen));
