// The list of messages: drawn again when something changes, each message only when it itself has changed.

import { clock, el, icon, safe } from "./dom.js";
import { act, inRoom, name, pointed, state, threads, words } from "./state.js";

const list = document.getElementById("messages");
const thanked = new Set(); // answers whose reason was given on this page
const drawn = new Map(); // key → {key, node, signature}
let hands; // what the page does on: select, reply, pick, trouble, draw

export function setUp(actions) {
  hands = actions;
  list.addEventListener("keydown", walk);
  list.addEventListener("focusin", (event) => event.target.matches(".wide, pre") || current(event.target.closest("article")));
  list.addEventListener("click", (event) => {
    const article = event.target.closest("article");
    if (article && !event.target.closest("button, a, textarea, input") && getSelection().isCollapsed) hands.select(article.dataset.id);
  });
}

export function drawMessages() {
  const wanted = [];
  const previous = { id: null };
  for (const { root, replies } of threads()) {
    wanted.push(entry(root, previous, false));
    for (const reply of replies) wanted.push(entry(reply, previous, true));
    if (inRoom()) wanted.push(...signs((sign) => sign.thread === root.id, true));
  }
  wanted.push(...signs((sign) => !inRoom() || !state.messages.has(sign.thread), false));
  place(wanted);
  roving();
}

function entry(message, previous, isReply) {
  const quoted = !inRoom() && message.reply_to && message.reply_to !== previous.id ? state.messages.get(message.reply_to) : null;
  const follows = previous.author === message.author && previous.isReply === isReply && isReply === false && !inRoom() && Number(message.id) - Number(previous.id) < 120 && message.author !== "bot";
  Object.assign(previous, { id: message.id, author: message.author, isReply });
  const signature = JSON.stringify([message, state.person, state.selected === message.id, state.editing === message.id, quoted && words(quoted), isReply, follows, thanked.has(message.id)]);
  return { key: message.id, signature, make: () => row(message, { quoted, isReply, follows }) };
}

function place(wanted) {
  const keep = new Set(wanted.map((w) => w.key));
  for (const [key, item] of drawn) {
    if (!keep.has(key)) {
      const hadFocus = item.node.contains(document.activeElement);
      item.node.remove();
      if (hadFocus) document.getElementById("text").focus();
      drawn.delete(key);
    }
  }
  let after = null;
  for (const { key, signature, make } of wanted) {
    let item = drawn.get(key);
    if (!item) drawn.set(key, (item = { signature, node: make() }));
    else if (item.signature !== signature) redraw(item, signature, make);
    const next = after ? after.nextSibling : list.firstChild;
    if (next !== item.node) list.insertBefore(item.node, next);
    after = item.node;
  }
}

/** Draw a message again without taking the focus, or half-written words, from whoever is in it. */
function redraw(item, signature, make) {
  const focused = item.node.contains(document.activeElement) ? document.activeElement : null;
  const control = focused?.dataset.control;
  const written = [...item.node.querySelectorAll("textarea")].map((area) => [area.dataset.control, area.value]);
  const node = make();
  item.node.replaceWith(node);
  Object.assign(item, { node, signature });
  for (const [which, value] of written) {
    const area = node.querySelector(`textarea[data-control="${which}"]`);
    if (area) area.value = value;
  }
  if (focused) (node.querySelector(`[data-control="${CSS.escape(control ?? "")}"]`) ?? node.querySelector("article")).focus();
}

function row(message, { quoted, isReply, follows }) {
  const author = message.author;
  const kind = message.body?.kind ?? "";
  const isNotice = author === "bot" && kind !== "answer";
  const classes = ["message", author === "bot" ? "of-bot" : "of-person", isNotice && `notice notice-${kind}`, isReply && "reply", follows && "follows"];
  const article = el(
    "article",
    {
      "data-id": message.id, tabindex: "-1", "data-author": author, "data-kind": kind || "message",
      "aria-label": `${name(author)}, ${clock(message.id)}`, "aria-current": state.selected === message.id ? "true" : null,
    },
    el("span", { class: "avatar", "aria-hidden": "true", "data-who": author }, author === "bot" ? "" : name(author)[0]),
    el("div", { class: "head" }, el("b", {}, name(author)), el("time", {}, clock(message.id)), message.edited && el("span", { class: "quiet" }, "edited"), message.waiting && el("span", { class: "waiting" }, "on its way")),
    quoted && el("p", { class: "quote" }, icon("reply"), words(quoted) || "a message that was deleted"),
    pointed(message) && el("blockquote", { class: "pointed", "data-kind": pointed(message).kind }, icon(pointed(message).kind), el("span", {}, el("b", {}, `${pointed(message).kind === "forward" ? "Forwarded from " : ""}${name(pointed(message).author)}`), " ", pointed(message).text)),
    content(message),
    message.deleted ? null : reactions(message),
    message.asks_why === state.person && whyForm(message),
    thanked.has(message.id) && el("p", { class: "why thanks", role: "status" }, "Thank you. Whoever runs the bot reads it."),
    message.deleted ? null : actions(message),
  );
  return el("li", { class: classes.filter(Boolean).join(" ") }, article);
}

function content(message) {
  if (message.deleted) return el("p", { class: "body gone" }, "This message was deleted.");
  if (state.editing === message.id) return editForm(message);
  if (message.author !== "bot") return el("div", { class: "body said" }, ...mentions(words(message)));
  const html = message.body.html; // without it, it is the plain form
  const body = html ? el("div", { class: "body" }, safe(html)) : el("div", { class: "body" }, el("div", { class: "said" }, words(message)));
  if (message.body.buttons) body.append(rating(message));
  return body;
}

function mentions(text) {
  return text.split(/(?<![\w@])(@bot)\b/i).map((piece) => (/^@bot$/i.test(piece) ? el("span", { class: "mention" }, piece) : piece));
}

const RATINGS = { good: "Helpful", bad: "Not helpful" };

/** The buttons show what this person pressed, and a second press takes it back; what others pressed stands beside, and
 * what counts where that is something else. */
function rating(message) {
  const mine = message.clicks[state.person];
  const button = (value) =>
    el("button", {
      type: "button", class: "rate", "data-control": `rate-${value}`, "aria-pressed": String(mine === value),
      onclick: () => attempt(() => act("clicks", { message: message.id, button: value, added: mine !== value })),
    }, icon(value), RATINGS[value]);
  const others = Object.entries(message.clicks).filter(([person]) => person !== state.person).map(([person, value]) => `${name(person)}: ${RATINGS[value]}`);
  const alone = !others.length && !message.reactions.length; // then the bot counts what this person pressed, in a moment
  if (message.rating && message.rating !== mine && !alone) others.push(`Counts as: ${RATINGS[message.rating]}`);
  return el("div", { class: "rates", role: "group", "aria-label": "Rate this answer" }, button("good"), button("bad"),
    others.length > 0 && el("span", { class: "quiet others" }, others.join(" · ")));
}

function reactions(message) {
  if (!message.reactions.length) return null;
  const chip = ({ emoji, people }) => {
    const mine = people.includes(state.person);
    const who = people.map(name).join(", ");
    return el("button", {
      type: "button", class: "chip", "data-control": `chip-${emoji}`, title: who, "aria-pressed": String(mine),
      "aria-label": `${emoji} by ${who}. ${mine ? "Take yours off" : "Add yours"}`,
      onclick: () => attempt(() => act("reactions", { message: message.id, emoji, added: !mine })),
    }, emoji, el("span", {}, String(people.length)));
  };
  return el("div", { class: "chips", role: "group", "aria-label": "Reactions" }, ...message.reactions.map(chip));
}

function actions(message) {
  const tool = (control, shape, label, onclick) =>
    el("button", { type: "button", class: "icon", "data-control": control, "aria-label": label, title: label, onclick }, icon(shape));
  const mine = message.author === state.person;
  return el(
    "div",
    { class: "actions", role: "group", "aria-label": "Do something with this message" },
    tool("react", "smile", "React", (event) => hands.pick(message, event.currentTarget)),
    inRoom() && tool("reply", "reply", "Reply in thread", () => hands.reply(message.thread ?? message.id)),
    tool("details", "details", "What happened", () => hands.select(message.id, true)),
    tool("quote", "quote", "Quote", () => hands.point("quote", message.id)),
    tool("forward", "forward", "Forward", () => hands.point("forward", message.id)),
    mine && tool("edit", "edit", "Edit", () => hands.edit(message.id)),
    mine && tool("remove", "remove", "Delete", (event) => confirmRemove(message, event.currentTarget)),
  );
}

function confirmRemove(message, button) {
  const sure = el("button", {
    type: "button", class: "sure", "data-control": "remove",
    onclick: () => attempt(() => act("deletions", { message: message.id })),
    onblur: () => sure.replaceWith(button),
  }, "Delete?");
  button.replaceWith(sure);
  sure.focus();
}

function editForm(message) {
  const area = el("textarea", { "data-control": "edit-text", "aria-label": "Change the words", rows: "2", maxlength: "20000" });
  area.value = words(message);
  const save = () => attempt(async () => {
    await act("edits", { message: message.id, text: area.value });
    hands.edit(null, message.id);
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hands.edit(null, message.id);
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) save(event.preventDefault());
  });
  return el("div", { class: "body form" }, area, el("div", { class: "rates" },
    el("button", { type: "button", class: "solid", "data-control": "edit-save", onclick: save }, "Save"),
    el("button", { type: "button", class: "ghost", "data-control": "edit-leave", onclick: () => hands.edit(null, message.id) }, "Cancel")));
}

function whyForm(message) {
  const area = el("textarea", { "data-control": "why-text", "aria-label": "What was wrong with this answer?", rows: "2", maxlength: "2000", placeholder: "For example: the price is out of date" });
  const give = (text) => attempt(async () => {
    await act("reasons", { message: message.id, text });
    if (!text.trim()) return;
    thanked.add(message.id);
    hands.draw();
    document.getElementById("text").focus();
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") give("");
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) give(area.value, event.preventDefault());
  });
  return el("div", { class: "why form" }, el("p", {}, "What was wrong? ", el("span", { class: "quiet" }, "Only whoever runs the bot reads it.")), area,
    el("div", { class: "rates" },
      el("button", { type: "button", class: "solid", "data-control": "why-send", onclick: () => give(area.value) }, "Send"),
      el("button", { type: "button", class: "ghost", "data-control": "why-skip", onclick: () => give("") }, "Skip")));
}

function signs(belongs, isReply) {
  const here = state.working.filter((sign) => sign.conversation === state.place && belongs(sign));
  if (!here.length) return [];
  const thread = here[0].thread;
  const make = () => el("li", { class: `message of-bot working${isReply ? " reply" : ""}` },
    el("div", { class: "sign" },
      el("span", { class: "avatar", "data-who": "bot", "aria-hidden": "true" }),
      el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")),
      el("span", {}, here.length > 1 ? `Working on ${here.length} questions` : "Working on it"),
      el("button", { type: "button", class: "ghost", "data-control": "stop", onclick: () => attempt(() => act("stops", { conversation: state.place, thread: thread || null })) }, "Stop")));
  return [{ key: `sign ${state.place} ${thread}`, signature: String(here.length), make }];
}

async function attempt(doing) {
  try {
    await doing();
    hands.trouble("");
  } catch (error) {
    hands.trouble(error.message);
  }
}

// One message at a time takes part in the order of Tab; the arrow keys go from message to message.

function roving() {
  const articles = [...list.querySelectorAll("article")];
  const now = articles.find((a) => a.contains(document.activeElement)) ?? articles.at(-1);
  for (const article of articles) tabbable(article, article === now);
}

function current(article) {
  if (article) for (const other of list.querySelectorAll("article")) tabbable(other, other === article);
}

/** Three stops of Tab at most: the message, what scrolls or is written in it, and one of its controls; the arrow keys
 * to the left and right go on among the controls. */
function tabbable(article, yes) {
  const controls = controlsOf(article);
  const chosen = controls.find((control) => control === document.activeElement) ?? controls.find((control) => control.tabIndex === 0) ?? controls[0];
  for (const control of controls) control.tabIndex = yes && control === chosen ? 0 : -1;
  const areas = [...article.querySelectorAll("textarea")];
  for (const area of areas) area.tabIndex = yes ? 0 : -1;
  // What scrolls sideways must be reached to be read, whichever message is current; what fits is no stop.
  for (const region of article.querySelectorAll(".wide, pre")) region.tabIndex = region.scrollWidth > region.clientWidth ? 0 : -1;
  article.tabIndex = yes && !areas.length ? 0 : -1;
}

function controlsOf(article) {
  return [...article.querySelectorAll("button, a")];
}

/** Go from control to control; true when the key was one of those that do. */
function along(event, article) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const controls = controlsOf(article);
  if (!step || !controls.length || event.target.matches(".wide, pre")) return false;
  event.preventDefault();
  const at = controls.indexOf(event.target);
  const to = at < 0 ? (step > 0 ? 0 : controls.length - 1) : (at + step + controls.length) % controls.length;
  controls[to].focus();
  return true;
}

function walk(event) {
  const article = event.target.closest("article");
  if (!article || event.target.matches("textarea")) return;
  if (along(event, article)) return;
  const articles = [...list.querySelectorAll("article")];
  const at = articles.indexOf(article);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: articles.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    articles[Math.max(0, Math.min(to, articles.length - 1))].focus();
  } else if (event.key === "Enter" && event.target === article) hands.select(article.dataset.id, true);
}
