// The page: who is speaking, where, and what goes out.

import { followDocuments } from "./documents.js";
import { el, icon } from "./dom.js";
import { drawMessages, setUp } from "./messages.js";
import { closePanel, openPanel, setUpPanel, touchPanel } from "./panel.js";
import { openPicker, setUpPicker } from "./picker.js";
import { act, follow, inRoom, me, name, state, words } from "./state.js";

const $ = (id) => document.getElementById(id);
const log = $("log");
const text = $("text");
const drafts = new Map();
const NEAR = 60; // pixels from the end of the log that count as its end
let stuck = true; // the log is at its end and stays there
let putAt = 0; // where it was put, in pixels from its top
let connected = false;

function drawAll() {
  if (!me()) return;
  const other = state.people.find((p) => p.id !== state.person);
  drawPeople();
  drawPlaces();
  const thread = state.thread && state.messages.get(state.thread);
  if (state.thread && !thread) state.thread = null;
  $("title").textContent = inRoom() ? "Team room" : "Direct message";
  $("subtitle").textContent = inRoom() ? `You, ${other.name} and the bot` : "You and the bot; every message is a question";
  $("mention").hidden = !inRoom();
  $("new").hidden = inRoom() && !state.thread;
  $("replying").hidden = !thread;
  $("replying-to").textContent = thread ? `In the thread of “${short(words(thread))}”` : "";
  const target = state.pointing && state.messages.get(state.pointing.message);
  if (state.pointing && (!target || target.deleted)) state.pointing = null;
  $("pointing").hidden = !state.pointing;
  $("pointing-at").textContent = state.pointing ? `${state.pointing.kind === "forward" ? "Forwards" : "Quotes"} “${short(words(target))}”` : "";
  text.placeholder = state.thread ? "Reply in the thread" : inRoom() ? "Write to the room; mention @bot to ask" : "Ask a question";
  $("text-label").textContent = text.placeholder;
  document.title = `${$("title").textContent} · ${me().name} · Playground`;
  const stays = isStuck();
  drawEmpty();
  drawMessages();
  if (stays) toEnd();
}

function toEnd() {
  stuck = true;
  log.scrollTop = $("empty").hidden ? log.scrollHeight : 0; // what greets is read from its beginning
  putAt = log.scrollTop;
  $("newer").hidden = true;
}

/** Whatever was read before: what comes next is at the end. */
function stick() {
  stuck = true;
  putAt = 0;
}

const fromEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight;

/** Whoever has scrolled up is heard of a frame later: until then what is new must not pull them down again. */
function isStuck() {
  if (log.scrollTop < putAt && fromEnd() >= NEAR) stuck = false;
  return stuck;
}

const short = (words) => (words.length > 48 ? `${words.slice(0, 47)}…` : words || "a deleted message");

function drawPeople() {
  if ($("people").childElementCount === state.people.length) {
    for (const input of $("people").querySelectorAll("input")) input.checked = input.value === state.person;
    return;
  }
  $("people").replaceChildren(...state.people.map((p) => {
    const input = el("input", { type: "radio", name: "person", value: p.id, checked: p.id === state.person, onchange: () => go(p.id, inRoom() ? state.room : p.direct) });
    return el("label", {}, input, el("span", { class: "avatar", "data-who": p.id, "aria-hidden": "true" }, p.name[0]), el("span", {}, p.name));
  }));
}

function drawPlaces() {
  const places = [["Direct message", me().direct, "person"], ["Team room", state.room, "people"]];
  const had = document.activeElement?.dataset?.place;
  $("places").replaceChildren(...places.map(([label, id, shape]) => el("button", {
    type: "button", "data-place": id, "aria-current": id === state.place ? "page" : null, onclick: () => go(state.person, id),
  }, icon(shape), el("span", {}, label), state.unread.has(id) && el("span", { class: "dot" }, el("span", { class: "sr" }, "new messages")))));
  if (had) $("places").querySelector(`[data-place="${had}"]`)?.focus();
}

function drawEmpty() {
  const empty = ![...state.messages.values()].some((m) => m.conversation === state.place && !m.deleted);
  $("empty").hidden = !empty;
  if (!empty) return;
  const prefix = inRoom() ? "@bot " : "";
  const offered = state.suggestions.length > 0 ? state.suggestions : state.found;
  $("empty").replaceChildren(el("div", {},
    el("h2", {}, inRoom() ? "A room for two and a bot" : `Hello ${me().name}, what would you like to know?`),
    el("p", {}, inRoom() ? "Mention @bot to ask. It answers in a thread, and goes on answering whoever asked there." : "Answers come from the documents on this machine, and nothing leaves it."),
    offered.length > 0 && el("ul", { class: "suggestions", "aria-label": "Questions to try" }, ...offered.map((s) => el("li", {}, el("button", { type: "button", onclick: () => send(prefix + s) }, s)))),
    el("p", { class: "quiet" }, "Change what it knows: save a file in ", el("code", {}, state.docs), ", ask again."),
  ));
}

function go(person, place) {
  drafts.set(draftKey(), text.value);
  const kept = person === state.person && state.pointing?.kind === "forward" ? state.pointing : null; // to be sent on elsewhere
  if (person !== state.person || place !== state.place) Object.assign(state, { person, place, thread: null, editing: null, selected: null, pointing: kept });
  state.selected ??= newest();
  state.unread.delete(place);
  text.value = drafts.get(draftKey()) ?? "";
  history.replaceState(null, "", `#${person}/${inRoom() ? "room" : "dm"}`);
  stick();
  trouble("");
  touchPanel(true);
  drawAll();
  fit(); // the words that stand in an empty box differ from place to place
}

/** What the panel is about until somebody chooses: the newest answer here. */
const newest = () => [...state.messages.values()].filter((m) => m.conversation === state.place && m.body?.kind === "answer").map((m) => m.id).sort().at(-1) ?? null;

/** The end of a long path; the whole of it stands in the title and in an empty conversation. */
const tail = (path) => (path.length > 30 && path.includes("/") ? `…/${path.split("/").filter(Boolean).slice(-2).join("/")}` : path);

const draftKey = () => `${state.person} ${state.place} ${state.thread ?? ""}`;

function enter(thread) {
  drafts.set(draftKey(), text.value);
  state.thread = thread;
  text.value = drafts.get(draftKey()) ?? "";
  drawAll();
  fit();
  text.focus();
}

async function send(words, thread = state.thread) {
  const pointing = words === text.value ? state.pointing : null;
  if (!words.trim() && pointing?.kind !== "forward") return;
  const key = draftKey();
  const nonce = [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, "0")).join("");
  if (words === text.value) text.value = ""; // what is pointed at stays until it has gone out
  drafts.delete(key);
  fit();
  stick();
  try {
    const sent = await act("messages", { conversation: state.place, thread, text: words, nonce, context: pointing });
    if (pointing === state.pointing) state.pointing = null;
    fit();
    trouble("");
    if (!words.startsWith("/")) {
      state.selected = sent;
      touchPanel(true);
    }
    drawAll();
  } catch (error) {
    if (key === draftKey() && !text.value) text.value = words;
    else drafts.set(key, words);
    fit();
    trouble(error.message);
  }
}

function trouble(sentence) {
  $("trouble").textContent = sentence;
  $("trouble").hidden = !sentence;
}

function fit() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, innerHeight * 0.35)}px`;
  $("send").disabled = !text.value.trim() && state.pointing?.kind !== "forward";
}

function announce(message) {
  if (message.author === state.person || message.deleted) return;
  if (message.conversation === state.place) {
    $("announce").textContent = `${name(message.author)}: ${words(message).slice(0, 400)}`;
    $("newer").hidden = isStuck();
  } else {
    state.unread.add(message.conversation);
    if (message.conversation === state.room || message.conversation === me().direct) $("announce").textContent = `New message in ${message.conversation === state.room ? "the team room" : "your direct messages"}`;
  }
}

function showLink(on) {
  connected = on === "on";
  $("link").dataset.state = on;
  $("link").textContent = connected ? "Connected" : "Reconnecting…";
}

setUp({
  draw: drawAll,
  pick: openPicker,
  reply: enter,
  point(kind, message) {
    state.pointing = kind && { kind, message };
    fit();
    drawAll();
    text.focus();
  },
  trouble,
  select(id, open = false) {
    state.selected = id;
    touchPanel(true);
    drawAll();
    if (open) openPanel();
  },
  edit(id, back = null) {
    state.editing = id;
    drawAll();
    const article = document.querySelector(`article[data-id="${id ?? back}"]`);
    (article?.querySelector("[data-control='edit-text']") ?? article)?.focus();
  },
});
setUpPicker(trouble);
setUpPanel();

follow({
  onLink: showLink,
  onSnapshot(all) {
    const first = !state.person;
    Object.assign(state, { people: all.people, room: all.room, docs: all.docs, suggestions: all.suggestions, working: all.working });
    state.messages = new Map(all.messages.map((m) => [m.id, m]));
    for (const node of document.querySelectorAll(".docs-name")) Object.assign(node, { textContent: tail(all.docs), title: all.docs });
    if (first) {
      const [person, place] = location.hash.slice(1).split("/");
      const who = all.people.find((p) => p.id === person) ?? all.people[0];
      go(who.id, place === "room" ? all.room : who.direct);
    } else drawAll();
    touchPanel();
  },
  onMessage(message) {
    const isNew = !state.messages.has(message.id);
    state.messages.set(message.id, message);
    if (isNew) announce(message);
    drawAll();
    const selected = state.messages.get(state.selected);
    if (selected) touchPanel();
  },
  onWorking(signs) {
    state.working = signs;
    drawAll();
    touchPanel();
  },
});

followDocuments(({ suggestions = [] }) => {
  if (JSON.stringify(suggestions) === JSON.stringify(state.found)) return;
  state.found = suggestions;
  drawAll();
});

$("composer").addEventListener("submit", (event) => send(text.value, state.thread, event.preventDefault()));
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(text.value, state.thread, event.preventDefault());
  if (event.key === "Escape" && state.thread) enter(null);
});
text.addEventListener("input", fit);
log.addEventListener("scroll", () => {
  stuck = fromEnd() < NEAR;
  if (stuck) $("newer").hidden = true;
});
new ResizeObserver(() => isStuck() && toEnd()).observe(log);

$("send").append(icon("send"));
$("mention").addEventListener("click", () => {
  if (!/(?<![\w@])@bot\b/i.test(text.value)) text.value = `@bot ${text.value}`;
  text.focus();
  fit();
});
$("new").addEventListener("click", () => send("/new"));
$("help").addEventListener("click", () => send("/help"));
$("point-at-nothing").addEventListener("click", () => {
  state.pointing = null;
  fit();
  drawAll();
  text.focus();
});
$("leave-thread").addEventListener("click", () => enter(null));
$("newer").addEventListener("click", () => {
  toEnd();
  text.focus();
});
$("open-panel").addEventListener("click", openPanel);

const THEMES = ["system", "light", "dark"];
function theme(choice) {
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  $("theme").textContent = `Theme: ${choice}`;
  $("theme").dataset.choice = choice;
  try {
    localStorage.setItem("theme", choice);
  } catch {
    // a browser without storage forgets the choice
  }
}
let remembered = null;
try {
  remembered = localStorage.getItem("theme");
} catch {
  // as above
}
theme(THEMES.includes(remembered) ? remembered : "system");
$("theme").addEventListener("click", () => theme(THEMES[(THEMES.indexOf($("theme").dataset.choice) + 1) % THEMES.length]));
addEventListener("hashchange", () => {
  const [person, place] = location.hash.slice(1).split("/");
  const who = state.people.find((p) => p.id === person);
  if (who) go(who.id, place === "room" ? state.room : who.direct);
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") closePanel();
});
fit();
