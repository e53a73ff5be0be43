"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const WIDTH = 9, PAGE = 100, PRINTED = 2000;
  const GLYPHS = { "non-compliant": "✕", unknown: "?", waived: "◐", rechecked: "↻", compliant: "✓" };
  const KINDS = ["", "new", "changed", "gone"];
  const byId = (id) => document.getElementById(id);
  const names = new Map(data.accounts);

  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children.filter((child) => child !== ""));
    return made;
  }
  const quiet = (text) => element("span", { className: "quiet" }, text);
  const line = () => element("br");
  // Long paths may break after each slash.
  const path = (text) => text.split("/").flatMap((part, index) => (index ? ["/", element("wbr"), part] : [part]));

  // One list: what is shown, which page of it, and how the filters' form drives it.
  function list({ name, form, total, noun, matches, draw }) {
    const body = byId(`${name}-table`).tBodies[0], pages = byId(`${name}-pages`), count = byId(`${name}-count`);
    let found = [], page = 0;
    const step = (label, by) => {
      const button = element("button", { type: "button", textContent: label });
      button.addEventListener("click", () => { page += by; show(); });
      return button;
    };
    const back = step("Previous", -1), on = step("Next", 1), where = element("span");
    pages.append(back, where, on);
    function fill(from, to) {
      body.replaceChildren(...found.slice(from, to).map(draw));
    }
    function show() {
      const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
      page = Math.min(Math.max(page, 0), last);
      fill(page * PAGE, (page + 1) * PAGE);
      // Moving to a disabled button would lose the place of a person at the keyboard.
      if (document.activeElement === back && page === 0) on.focus();
      back.disabled = page === 0;
      on.disabled = page === last;
      if (document.activeElement === document.body && last > 0 && page === last) back.focus();
      where.textContent = `page ${page + 1} of ${last + 1}`;
      pages.hidden = last === 0;
    }
    function filter() {
      const test = matches();
      found = [];
      for (let index = 0; index < total; index += 1) if (test(index)) found.push(index);
      page = 0;
      count.textContent = `${found.length.toLocaleString("en")} of ${total.toLocaleString("en")} ${noun}`;
      show();
    }
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    window.addEventListener("beforeprint", () => {
      fill(0, PRINTED);
      if (found.length > PRINTED) count.textContent += `; the first ${PRINTED} are printed, narrow the filters for the rest`;
    });
    window.addEventListener("afterprint", filter);
    return filter;
  }

  function options(id, pairs) {
    byId(id).append(...pairs.map(([value, label]) => element("option", { value, textContent: label })));
  }

  // Rules on resources: nine numbers each, see compliance/report/page.py.
  const at = (row, column) => data.rows[row * WIDTH + column];
  const stackOf = (row) => data.stacks[at(row, 0)];
  const ruleOf = (row) => data.rules[at(row, 2)];
  const waiverOf = (row) => (at(row, 4) < 0 ? null : data.waivers[at(row, 4)]);
  const sorted = (items, label) => items.map((item, index) => [index, label(item)]).sort((a, b) => a[1].localeCompare(b[1], "en"));
  const filters = byId("filters");
  options("f-account", data.accounts.map(([id, label]) => [id, `${label} ${id}`]));
  options("f-stack", sorted(data.stacks, (stack) => stack[0]));
  options("f-pack", data.packs.map((pack, index) => [index, pack[1]]));
  options("f-rule", sorted(data.rules, (rule) => rule[0]));
  if (data.compared) {
    byId("f-change").options[1].defaultSelected = true;
  } else {
    byId("f-change").parentElement.hidden = true;
  }

  const lowered = data.texts.map((text) => text.toLowerCase());
  const loweredWaivers = data.waivers.map((waiver) => waiver.join(" ").toLowerCase());
  const loweredRules = data.rules.map((rule) => `${rule[0]} ${rule[2]}`.toLowerCase());
  function rowMatches() {
    const [account, stack, pack, rule, change] = ["account", "stack", "pack", "rule", "change"].map((id) => byId(`f-${id}`).value);
    const words = byId("f-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const statuses = new Set([...filters.querySelectorAll("[name=status]:checked")].map((box) => Number(box.value)));
    return (row) =>
      statuses.has(at(row, 3)) &&
      (account === "" || stackOf(row)[1] === account) &&
      (stack === "" || at(row, 0) === Number(stack)) &&
      (pack === "" || ruleOf(row)[1] === Number(pack)) &&
      (rule === "" || at(row, 2) === Number(rule)) &&
      (change === "" || (change === "any" ? at(row, 7) > 0 : KINDS[at(row, 7)] === change)) &&
      words.every((word) =>
        lowered[at(row, 1)].includes(word) || lowered[at(row, 5)].includes(word) ||
        loweredRules[at(row, 2)].includes(word) || (at(row, 4) >= 0 && loweredWaivers[at(row, 4)].includes(word)));
  }
  function drawRow(row) {
    const status = data.statuses[at(row, 3)], kind = KINDS[at(row, 7)], before = at(row, 8);
    const rule = ruleOf(row), stack = stackOf(row), waiver = waiverOf(row);
    const finding = data.texts[at(row, 5)], recheck = data.texts[at(row, 6)];
    const cell = { role: "cell" };
    const state = element("td", cell, element("span", { className: `status ${status}` }, element("span", { ariaHidden: "true" }, GLYPHS[status]), ` ${status}`));
    if (recheck) state.append(line(), quiet(`by ${recheck}`));
    if (kind) state.append(line(), element("span", { className: `kind ${kind}` }, kind));
    if (kind === "changed" && before >= 0) state.append(line(), quiet(`was ${data.statuses[before]}`));
    const about = element("details", {}, element("summary", {}, "what must hold"), rule[2], rule[3] && line(), rule[3] && quiet(`Fix: ${rule[3]}`));
    const accepted = element("td", cell);
    if (waiver) accepted.append(waiver[0], line(), quiet([waiver[1], waiver[2], `until ${waiver[3]}`].filter(Boolean).join(", ")));
    return element("tr", { className: kind, role: "row" },
      state,
      element("td", cell, rule[0], rule[2] ? about : ""),
      element("td", cell, ...path(data.texts[at(row, 1)]), finding && line(), finding && quiet(finding), line(),
        quiet([names.get(stack[1]) || stack[1], stack[2] || stack[0]].filter(Boolean).join(", "))),
      accepted);
  }
  const showRows = list({ name: "rows", form: filters, total: data.rows.length / WIDTH, noun: "rows", matches: rowMatches, draw: drawRow });

  // Trust: role, account, principal, kind, from account, crosses, condition, used by, stack.
  options("t-account", data.accounts);
  function trustMatches() {
    const account = byId("t-account").value, kind = byId("t-kind").value, text = byId("t-text").value.toLowerCase();
    return (index) => {
      const trust = data.trust[index];
      return (account === "" || trust[1] === account) &&
        (kind === "" || (kind === "cross" ? trust[5] === 1 : trust[3] === kind)) &&
        (text === "" || trust.join(" ").toLowerCase().includes(text));
    };
  }
  function drawTrust(index) {
    const [role, account, principal, kind, from, , condition, used, stack] = data.trust[index];
    const cell = (...children) => element("td", { className: "path" }, ...children);
    return element("tr", {},
      element("th", { scope: "row", className: "path" }, ...path(role), line(), quiet(stack)),
      cell(names.get(account) || account), cell(...path(principal), line(), quiet(kind)),
      cell(from ? names.get(from) || from : ""), cell(condition), cell(used));
  }
  const showTrust = list({ name: "trust", form: byId("trust-filters"), total: data.trust.length, noun: "trusts", matches: trustMatches, draw: drawTrust });

  for (const button of document.querySelectorAll("button[data-account]")) {
    button.addEventListener("click", () => {
      filters.reset();
      byId("f-account").value = button.dataset.account;
      setTimeout(() => {
        byId("f-account").value = button.dataset.account;
        byId("f-change").value = "";
        showRows();
        byId("rows").scrollIntoView();
        byId("f-account").focus();
      });
    });
  }
  showRows();
  showTrust();
})();
