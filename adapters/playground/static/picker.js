// The emoji picker: what counts as good and as bad by the bot's own table, and some that mean nothing.

import { el } from "./dom.js";
import { act, state } from "./state.js";

const GROUPS = {
  "Counts as good": "👍 👏 🙌 🎉 💯 ✅ ✔️ ❤️ 🔥 😍 🤩 🥰 👌 🏆 ⭐ 👍🏽",
  "Counts as bad": "👎 ❌ 😡 😠 🤬 💩 🤮 💔",
  "Means nothing": "👀 🤔 😂 🙏 🚀 ☕",
};
const COLUMNS = 8;

const picker = document.getElementById("picker");
let message = null;
let opener = null;
let trouble = () => {};

export function setUpPicker(onTrouble) {
  trouble = onTrouble;
  const groups = Object.entries(GROUPS).map(([title, emoji]) =>
    el("div", { role: "group", "aria-label": title }, el("p", { class: "quiet", "aria-hidden": "true" }, title),
      el("div", { class: "grid" }, ...emoji.split(" ").map((e) => el("button", { type: "button", "data-emoji": e, tabindex: "-1", "aria-label": e, onclick: () => choose(e) }, e)))));
  const keep = el("label", { class: "keep" }, el("input", { type: "checkbox", id: "keep" }), " Keep my other emoji on it");
  picker.replaceChildren(...groups, keep);
  picker.addEventListener("keydown", keys);
  document.addEventListener("pointerdown", (event) => {
    if (!picker.hidden && !picker.contains(event.target)) close(false);
  });
  addEventListener("resize", () => close(false));
}

export function openPicker(about, button) {
  message = about;
  opener = { id: about.id, control: button.dataset.control };
  const mine = held();
  for (const choice of picker.querySelectorAll("[data-emoji]")) choice.setAttribute("aria-pressed", String(mine.includes(choice.dataset.emoji)));
  picker.hidden = false;
  const at = button.getBoundingClientRect();
  const beside = button.closest("article").getBoundingClientRect().right + 8; // the message stays in sight, where there is room
  const lowest = innerHeight - picker.offsetHeight - 8;
  const fits = beside + picker.offsetWidth < innerWidth - 8;
  const left = fits ? beside : Math.max(8, Math.min(at.right - picker.offsetWidth, innerWidth - picker.offsetWidth - 8));
  const top = fits ? Math.max(8, Math.min(at.top, lowest)) : innerWidth > 760 && at.bottom + 6 < lowest ? at.bottom + 6 : lowest;
  picker.style.left = `${left}px`;
  picker.style.top = `${top}px`;
  focusOn(picker.querySelector("[data-emoji]"));
}

const held = () => (state.messages.get(message.id)?.reactions ?? []).filter((r) => r.people.includes(state.person)).map((r) => r.emoji);

async function choose(emoji) {
  const mine = held();
  const keep = document.getElementById("keep").checked;
  const id = message.id;
  close(true);
  try {
    if (mine.includes(emoji)) await act("reactions", { message: id, emoji, added: false });
    else {
      for (const other of keep ? [] : mine) await act("reactions", { message: id, emoji: other, added: false });
      await act("reactions", { message: id, emoji, added: true });
    }
  } catch (error) {
    trouble(error.message);
  }
}

function close(giveBackFocus) {
  if (picker.hidden) return;
  picker.hidden = true;
  if (giveBackFocus) document.querySelector(`article[data-id="${opener.id}"] [data-control="${opener.control}"]`)?.focus();
}

function focusOn(choice) {
  for (const other of picker.querySelectorAll("[data-emoji]")) other.tabIndex = other === choice ? 0 : -1;
  choice.focus();
}

function keys(event) {
  if (event.key === "Escape") return close(true, event.stopPropagation());
  if (event.key === "Tab") {
    // The focus stays in the dialog: from the emoji to the box and back.
    event.preventDefault();
    const inGrid = event.target.matches("[data-emoji]");
    return inGrid ? document.getElementById("keep").focus() : focusOn(picker.querySelector('[data-emoji][tabindex="0"]'));
  }
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
  if (step === undefined || !event.target.matches("[data-emoji]")) return undefined;
  event.preventDefault();
  const all = [...picker.querySelectorAll("[data-emoji]")];
  const to = Math.abs(step) === 1 ? all[all.indexOf(event.target) + step] : vertical(all, event.target, Math.sign(step));
  return to && focusOn(to);
}

/** The nearest emoji of the next line, whatever group it belongs to. */
function vertical(all, from, sign) {
  const here = from.getBoundingClientRect();
  const distance = (choice) => {
    const there = choice.getBoundingClientRect();
    return sign * (there.top - here.top) * 100 + Math.abs(there.left - here.left);
  };
  return all.filter((choice) => sign * (choice.getBoundingClientRect().top - here.top) > 4).sort((a, b) => distance(a) - distance(b))[0];
}
