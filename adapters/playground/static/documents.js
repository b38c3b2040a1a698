// The box that says where answers come from: how many files were read, and why others were not.

import { el } from "./dom.js";

const box = document.getElementById("documents");
let before = ""; // the last report

/** Nothing is shown where nobody keeps a folder: only the demo does. `onReport` is told of what may be asked of it. */
export async function followDocuments(onReport) {
  let next = 15000;
  try {
    const response = await fetch("/documents");
    if (response.status === 404) return;
    const report = await response.json();
    const now = JSON.stringify(report);
    if (now !== before) {
      draw(report);
      onReport(report);
    }
    if (report.waiting || now !== before) next = 2000; // more may come of it
    before = now;
  } catch {
    // the bot is away; the page says so elsewhere
  }
  setTimeout(followDocuments, next, onReport);
}

function draw({ summary, unread, notes }) {
  const lines = [
    ...unread.map(([name, reason]) => el("li", {}, el("code", {}, name), ` ${reason}`)),
    ...notes.map((note) => el("li", {}, note)),
  ];
  const open = box.querySelector("details")?.open;
  box.replaceChildren(
    lines.length
      ? el("details", { open }, el("summary", {}, summary), el("ul", {}, ...lines))
      : el("p", { class: "quiet" }, summary),
  );
}
