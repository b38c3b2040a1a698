// The panel beside the chat: what the bot did with one question, as the bot itself tells it.

import { el, icon } from "./dom.js";
import { inspect, pointed, state, words } from "./state.js";

const panel = document.getElementById("panel");
const body = document.getElementById("panel-body");
const narrow = matchMedia("(max-width: 1099px)");
const FRESH_SECONDS = 75; // the settle window of feedback ends after 60 s at the latest

const STEPS = {
  context: "Read what goes along", submit: "Ask the assistant", poll: "Wait for the answer", intent: "Store the answer", send: "Post the answer",
  find: "Look up a message", progress: "Say that it takes longer", close: "End the old conversation",
};

/** Name a step for people; the core calls it `send:1`, the second of its kind. */
function called(step) {
  const [word, number] = step.split(":");
  const again = Number(number) > 0 ? (word === "send" ? `, part ${Number(number) + 1}` : ", again") : "";
  return (STEPS[word] ?? capital(plain(word))) + again;
}

let found = null;
let shown = "";
let touched = 0;
let asking = false;
let opener = null;

export function setUpPanel() {
  document.getElementById("close-panel").append(icon("close"));
  document.getElementById("close-panel").addEventListener("click", closePanel);
  panel.addEventListener("keydown", (event) => {
    if (!narrow.matches) return;
    if (event.key === "Escape") closePanel();
    if (event.key === "Tab") keepInside(event);
  });
  narrow.addEventListener("change", closePanel);
  setInterval(tick, 1000);
  draw();
}

/** Look again soon: something about the selected message changed, or another was selected. */
export function touchPanel(again = false) {
  touched = Date.now();
  if (again) found = null;
  draw();
  ask();
}

export function openPanel() {
  if (!narrow.matches) return; // it is there already
  opener = document.activeElement;
  panel.classList.add("open");
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-modal", "true");
  document.getElementById("close-panel").focus();
}

export function closePanel() {
  panel.removeAttribute("role");
  panel.removeAttribute("aria-modal");
  if (!panel.classList.contains("open")) return;
  panel.classList.remove("open");
  if (opener?.isConnected) opener.focus();
  else document.getElementById("text").focus();
}

function keepInside(event) {
  const stops = [...panel.querySelectorAll("button, a")];
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement === edge) (event.shiftKey ? stops.at(-1) : stops[0]).focus(event.preventDefault());
}

function tick() {
  const open = found && !found.outcome;
  if (state.selected && !document.hidden && (open || Date.now() - touched < FRESH_SECONDS * 1000)) ask();
}

async function ask() {
  const about = state.selected;
  if (!about || asking) return;
  asking = true;
  try {
    const answer = await inspect(about);
    if (about === state.selected) {
      found = answer;
      draw();
    }
  } catch {
    // The bot is stopped for the moment; what is shown stays, the header says so.
  } finally {
    asking = false;
  }
  if (about !== state.selected) ask();
}

function draw() {
  const message = state.messages.get(state.selected);
  const signature = JSON.stringify([state.selected, found, message && words(message)]);
  if (signature === shown) return;
  shown = signature;
  const focused = document.activeElement?.dataset?.copy;
  body.replaceChildren(...(found && message ? report(message) : nothing(message)));
  if (focused) body.querySelector(`[data-copy="${focused}"]`)?.focus();
}

function nothing(message) {
  if (!message) return [el("p", { class: "quiet" }, "Ask something. Here you see how the answer comes about: the steps and their times, and what became of your feedback.")];
  return [about(message), el("p", { class: "quiet", id: "why-none" }, whyNone(message))];
}

/** Why the bot left words alone; said here and never as a message, for people may well speak with each other. */
function whyNone(message) {
  if (message.author === "bot") return "This message of the bot answers no question, so there is nothing behind it.";
  if (message.conversation === state.room && !/(?<![\w@])@bot\b/i.test(words(message))) {
    return message.thread
      ? "The bot left these words alone: in a thread it goes on answering whoever asked it there. Others call it with @bot."
      : "The bot left these words alone: in the team room it answers whoever calls it with @bot.";
  }
  return "This message is no question to the bot and no answer, so there is nothing behind it.";}

const about = (message) => el("blockquote", { class: "about" }, words(message).slice(0, 160) || "A deleted message");

function report(message) {
  return [
    about(message),
    el("p", { class: "states" }, badge(found.outcome ?? found.state ?? "waiting", found.outcome)),
    ...changed(message),
    ...sentAlong(message),
    el("h3", {}, "Steps"),
    steps(found.steps ?? []),
    el("dl", { class: "facts" }, fact("Polls", String(found.polls ?? 0))),
    el("h3", {}, "Feedback"),
    el("dl", { class: "facts", id: "feedback" }, fact("Rating", rating(found.rating)), fact("Last submitted", rating(found.submitted)), fact("State", plain(found.feedback) || "nothing yet")),
    el("p", { class: "quiet" }, STATES[found.feedback ?? ""] ?? ""),
    el("h3", {}, "Names"),
    el("dl", { class: "facts ids" }, id("Reference", found.reference), id("Session", found.session_id), id("Request", found.request_id)),
  ];
}

/** An edit that comes after the answer changes the words alone; nobody should wonder why the answer stays. */
function changed(message) {
  const question = message.author === "bot" ? state.messages.get(message.reply_to) : message;
  return question?.edited ? [el("p", { class: "quiet", id: "changed" }, "The question was changed. That counts until its answer is on its way; after that, ask anew.")] : [];
}

const ALONG = {
  reply: "The message it answers", forward: "A forwarded message", table: "A table", link: "A message it links to",
  thread: "Earlier messages of the thread", file: "A file", name: "A name",
};
const BECAME = { used: "went along", cut: "went along in part", unreadable: "could not be read", refused: "was too much for the assistant" };

/** What went along with the words; the words themselves stand with the message that asked. */
function sentAlong(message) {
  const along = found.context ?? [];
  if (!along.length) return [];
  const question = pointed(message) ? message : state.messages.get(message.reply_to);
  const text = pointed(question)?.text;
  return [
    el("h3", {}, "Sent along"),
    el("ul", { class: "along", id: "along" }, ...along.map((one) => el("li", { "data-kind": one.kind, "data-outcome": one.outcome }, `${ALONG[one.kind] ?? capital(plain(one.kind))} ${BECAME[one.outcome] ?? plain(one.outcome)}${one.chars ? `, ${one.chars} characters` : ""}`))),
    text && el("blockquote", { class: "about" }, text.slice(0, 600)),
  ].filter(Boolean);
}

const plain = (word) => (typeof word === "string" ? word.replaceAll("_", " ") : "");
const STATES = {
  "": "A rating goes to the assistant some seconds after its last change.",
  submitted: "The assistant holds what people mean.",
  already_rated: "The assistant keeps the first rating it was sent; ours is what people mean now.",
};
const rating = (value) => (value === "good" || value === "bad" ? el("span", { class: "rated" }, icon(value), value) : "none");

function badge(word, outcome) {
  const tone = outcome === "answered" ? "good" : ["failed", "refused", "limited"].includes(outcome) ? "bad" : outcome ? "plain" : "busy";
  return el("span", { class: "badge", "data-tone": tone, id: "outcome" }, plain(word));
}

function fact(label, value) {
  return el("div", {}, el("dt", {}, label), el("dd", {}, value));
}

function id(label, value) {
  if (!value) return fact(label, "none yet");
  const copy = el("button", { type: "button", class: "icon", "data-copy": label, "aria-label": `Copy ${label.toLowerCase()}`, title: "Copy" }, icon("copy"));
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(value).catch(() => {});
    copy.classList.add("done");
  });
  return el("div", {}, el("dt", {}, label), el("dd", {}, el("code", { title: value }, value), copy));
}

const at = (value) => (typeof value === "number" ? value : Date.parse(value) / 1000);

/** Each step as a bar on the turn's own time line. */
function steps(list) {
  if (!list.length) return el("p", { class: "quiet" }, "Not begun yet.");
  const begin = Math.min(...list.map((s) => at(s.started_at)));
  const end = Math.max(begin + 0.001, ...list.map((s) => (s.seconds === null || s.seconds === undefined ? Date.now() / 1000 : at(s.started_at) + s.seconds)));
  const total = end - begin;
  return el("ol", { class: "steps" }, ...list.map((step) => {
    const running = step.seconds === null || step.seconds === undefined;
    const bar = el("i", { class: running ? "running" : null });
    const from = (at(step.started_at) - begin) / total;
    const share = (running ? end - at(step.started_at) : step.seconds) / total;
    bar.style.marginLeft = `${Math.min(99, from * 100)}%`;
    bar.style.width = `${Math.max(1, Math.min(1 - from, share) * 100)}%`;
    return el("li", {}, el("span", { class: "step", title: step.name }, called(step.name)), el("span", { class: "took" }, running ? "…" : seconds(step.seconds)), el("span", { class: "bar", "aria-hidden": "true" }, bar));
  }));
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const seconds = (value) => (value < 1 ? `${Math.max(1, Math.round(value * 1000))} ms` : `${value.toFixed(1)} s`);
