// Chat SDK as its documentation shows it: a Chat with an adapter, state in memory, a handler; node's own HTTP server.
import { createServer } from "node:http";
import { Chat } from "chat";
import { createMemoryState } from "@chat-adapter/state-memory";

const api = `${process.env.UPPZY_BASE_URL}/m2m/sites/demo/chat`;
const headers = { "X-API-Key": "demo", "X-Tenant-ID": "demo", "Content-Type": "application/json" };
const telegram = process.env.BENCH_PLATFORM === "telegram";

const adapters = telegram
  ? {
      telegram: (await import("@chat-adapter/telegram")).createTelegramAdapter({
        botToken: process.env.TELEGRAM_BOT_TOKEN,
        apiUrl: process.env.TELEGRAM_API_URL,
        mode: "polling",
      }),
    }
  : {
      slack: (await import("@chat-adapter/slack")).createSlackAdapter({
        botToken: process.env.SLACK_BOT_TOKEN,
        signingSecret: process.env.SLACK_SIGNING_SECRET,
        apiUrl: process.env.SLACK_API_URL,
      }),
    };

// "queue" keeps what comes while the thread is busy; the default, "drop", would lose it.
const bot = new Chat({ userName: "bench_bot", adapters, state: createMemoryState(), concurrency: "queue", logger: "error" });

async function answer(thread, message) {
  const body = JSON.stringify({ session_id: thread.id, message: message.text.split(" ").pop() });
  const { request_id } = await (await fetch(`${api}/async`, { method: "POST", headers, body })).json();
  for (;;) {
    await new Promise((done) => setTimeout(done, 1000 * Number(process.env.BENCH_POLL_SECONDS)));
    const found = await (await fetch(`${api}/requests/${request_id}`, { headers })).json();
    if (found.status === "completed") {
      await thread.post({ markdown: found.answer });
      return;
    }
  }
}

bot.onNewMention(answer);
bot.onDirectMessage?.(answer);
await bot.initialize();

if (!telegram) {
  createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = new Request(`http://127.0.0.1${incoming.url}`, {
      method: "POST",
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    });
    const response = await bot.webhooks.slack(request, { waitUntil: (work) => work.catch(() => {}) });
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(await response.text());
  }).listen(Number(process.env.BOT_HTTP_PORT), "127.0.0.1");
}
