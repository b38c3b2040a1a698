// What the page knows: the platform's snapshot, kept up to date by its stream, and who is looking at what.

export const state = {
  people: [], // {id, name, direct}
  room: "room",
  docs: "docs",
  suggestions: [], // that the bot came with
  found: [], // what may be asked of the documents, where it came with none
  messages: new Map(), // id → message, see Platform.view
  working: [], // {conversation, thread, question}
  person: null, // id
  place: null, // conversation id
  thread: null, // root's id while replying
  selected: null, // id of the message the panel is about
  editing: null, // id
  pointing: null, // {kind: "quote" or "forward", message: id}: what the next message points at
  unread: new Set(), // conversation ids
};

export const name = (id) => (id === "bot" ? "Bot" : (state.people.find((p) => p.id === id)?.name ?? id));
export const me = () => state.people.find((p) => p.id === state.person);
export const inRoom = () => state.place === state.room;

export function visible() {
  return [...state.messages.values()]
    .filter((m) => m.conversation === state.place)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Top-level messages with their replies; a deleted message stays only as the root of replies. */
export function threads() {
  const all = visible();
  const replies = new Map();
  const roots = [];
  for (const m of all) {
    if (m.thread && m.thread !== m.id && state.messages.has(m.thread)) {
      if (!m.deleted) replies.set(m.thread, [...(replies.get(m.thread) ?? []), m]);
    } else roots.push(m);
  }
  return roots
    .map((root) => ({ root, replies: replies.get(root.id) ?? [] }))
    .filter(({ root, replies: r }) => !root.deleted || r.length);
}

/** What a message points at, as it was then: {kind, message, author, text}; null for nothing. */
export const pointed = (message) => message?.body?.context ?? null;

export const words = (message) => message.body?.text ?? "";

/** Tell the platform what the person does. Throws an Error whose message can be shown. */
export async function act(verb, fields) {
  let response;
  try {
    response = await fetch(`/playground/api/${verb}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ person: state.person, ...fields }),
    });
  } catch {
    throw new Error("The bot cannot be reached. Is it still running? Your text is kept.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `That did not work (${response.status}).`);
  return answer.message;
}

export async function inspect(message) {
  const response = await fetch(`/playground/api/inspect?message=${encodeURIComponent(message)}`);
  if (!response.ok) throw new Error("unknown");
  return (await response.json()).found;
}

/** Follow the platform. The browser connects again by itself, and each connection begins with a snapshot. */
export function follow({ onSnapshot, onMessage, onWorking, onLink }) {
  const source = new EventSource("/playground/events");
  source.addEventListener("open", () => onLink("on"));
  source.addEventListener("error", () => {
    onLink("off");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow({ onSnapshot, onMessage, onWorking, onLink }), 2000);
  });
  source.addEventListener("snapshot", (event) => onSnapshot(JSON.parse(event.data)));
  source.addEventListener("message", (event) => onMessage(JSON.parse(event.data)));
  source.addEventListener("working", (event) => onWorking(JSON.parse(event.data)));
}
