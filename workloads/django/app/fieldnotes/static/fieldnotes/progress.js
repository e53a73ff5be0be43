// Shows how far a journal is. Asks once a second, and only while it is being bound and somebody looks:
// a forgotten tab must not keep the database awake.
"use strict";

(() => {
  const sheet = document.querySelector("[data-state]");
  if (!sheet || sheet.dataset.active !== "true") return;

  const label = sheet.querySelector("[data-label]");
  const bar = sheet.querySelector("progress");
  let wait = 1000;
  let timer = 0;

  function show(state) {
    if (label.textContent !== state.label) label.textContent = state.label;
    label.className = `state ${state.status}`;
    bar.value = state.percent;
    sheet.querySelector("[data-done]").textContent = state.done;
    sheet.querySelector("[data-total]").textContent = state.total;
    for (const part of sheet.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state.status;
  }

  async function ask() {
    timer = 0;
    if (document.hidden) return;
    try {
      const response = await fetch(sheet.dataset.state, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      const state = await response.json();
      show(state);
      if (!state.active) {
        document.removeEventListener("visibilitychange", resume);
        return;
      }
      wait = 1000;
    } catch {
      wait = Math.min(wait * 2, 30000);
    }
    timer = window.setTimeout(ask, wait);
  }

  function resume() {
    if (!document.hidden && !timer) ask();
  }

  document.addEventListener("visibilitychange", resume);
  ask();
})();
