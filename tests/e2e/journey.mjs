// A visit in a real browser. Reads what to do as JSON on standard input and writes what it saw as JSON.
//
// {executable, arguments, profile, screenshots, site, admin: {name, password}, photo}
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const PATIENCE = 60_000; // ms: a database may have to wake up
const WORKER_PATIENCE = 240_000; // ms: a service at zero tasks scales out after the cooldown of its last scale-in
const plan = JSON.parse(readFileSync(0, "utf8"));
const seen = { responses: [], errors: [], steps: [] };

const context = await chromium.launchPersistentContext(plan.profile, {
  executablePath: plan.executable,
  args: plan.arguments,
  headless: true,
  viewport: { width: 1100, height: 800 },
});
context.setDefaultTimeout(PATIENCE);
const page = context.pages()[0] ?? (await context.newPage());
page.on("response", (response) =>
  seen.responses.push({
    url: response.url(),
    status: response.status(),
    location: response.headers().location ?? "",
    type: response.headers()["content-type"] ?? "",
    cdn: (response.headers().via ?? "").includes("CloudFront"),
  }),
);
page.on("console", (message) => {
  // Django's admin has no icon, which browsers ask for by themselves.
  if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico"))
    seen.errors.push(`${message.text()} (${message.location().url})`);
});
page.on("pageerror", (error) => seen.errors.push(String(error)));

async function step(name, act) {
  const result = await act();
  await page.screenshot({ path: join(plan.screenshots, `${name}.png`) });
  seen.steps.push({ name, url: page.url(), result: result ?? null });
}

async function write(title) {
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Place").fill("Harbour");
  await page.getByLabel("What did you see?").fill("A seal looked at the ferry.");
}

try {
  await step("1-board", async () => {
    await page.goto(plan.site.replace("https://", "http://"));
    return page.evaluate(() => getComputedStyle(document.querySelector("a.button")).backgroundColor);
  });

  await step("2-note-with-photo", async () => {
    await page.getByRole("link", { name: "Write a note" }).first().click();
    await write("Seal");
    await page.getByLabel("Photo", { exact: false }).first().setInputFiles(plan.photo);
    await page.getByLabel("What does the photo show?").fill("A red square");
    await page.getByLabel("Your name").fill("Ada");
    await page.getByRole("button", { name: "Put it on the board" }).click();
    const image = page.locator("article.note img.photo").first();
    await image.scrollIntoViewIfNeeded();
    await page.waitForFunction(() => document.querySelector("article.note img.photo")?.naturalWidth > 0);
    return image.evaluate((element) => ({ width: element.naturalWidth, source: element.src }));
  });

  await step("3-admin", async () => {
    await page.goto(`${plan.site}admin/`);
    await page.getByLabel("Username").fill(plan.admin.name);
    await page.getByLabel("Password").fill(plan.admin.password);
    await page.getByRole("button", { name: "Log in" }).click();
    return page.locator("#user-tools").innerText();
  });

  await step("4-record-added", async () => {
    await page.goto(`${plan.site}admin/fieldnotes/note/add/`);
    await page.locator("#id_title").fill("Added in the admin");
    await page.locator("#id_place").fill("Office");
    await page.locator("#id_text").fill("Typed in by a person with an account.");
    await page.locator("#id_author").fill("Admin");
    await page.locator("#id_published").check();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    return page.locator("ul.messagelist").innerText();
  });

  await step("5-journal", async () => {
    await page.goto(`${plan.site}journals/`);
    await page.getByRole("button", { name: "Bind a journal" }).click();
    await page.waitForURL(/journals\/[0-9a-f-]{36}\//);
    const link = page.getByRole("link", { name: "Open the PDF" });
    await link.waitFor({ state: "visible", timeout: WORKER_PATIENCE });
    return page.locator("[data-label]").innerText();
  });

  await step("6-file", async () => {
    const link = await page.getByRole("link", { name: "Open the PDF" }).getAttribute("href");
    const other = await context.newPage();
    const answers = [];
    other.on("response", (response) =>
      answers.push({ url: response.url(), status: response.status(), type: response.headers()["content-type"] }),
    );
    // The browser shows a PDF or loads it down, which ends the navigation early.
    await other.goto(new URL(link, plan.site).href).catch(() => undefined);
    await other.waitForTimeout(1000);
    await other.close();
    return answers;
  });
} catch (error) {
  await page.screenshot({ path: join(plan.screenshots, "failed.png") }).catch(() => undefined);
  seen.failure = { step: seen.steps.length + 1, message: String(error), url: page.url() };
} finally {
  await context.close();
}
process.stdout.write(JSON.stringify(seen));
