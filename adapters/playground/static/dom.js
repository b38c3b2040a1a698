// Making elements. Text is always set as text; HTML from an answer is rebuilt from a short list of what is allowed.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM8.500 14.500s1.200 2 3.500 2 3.500-2 3.500-2M9 9.700v.1M15 9.700v.1",
  reply: "M9 14 4.500 9.500 9 5M5 9.500h9a5.500 5.500 0 0 1 5.500 5.500v4",
  quote: "M5 7h5v5.500c0 2.500-1.500 4-4 4.500M14 7h5v5.500c0 2.500-1.500 4-4 4.500",
  forward: "M15 5l4.500 4.500L15 14M19 9.500h-9A5.500 5.500 0 0 0 4.500 15v4",
  details: "M4 6.500h7M4 12h14M4 17.500h10",
  edit: "M4 20l.9-3.800L16.200 4.900a1.700 1.700 0 0 1 2.400 0l.5.5a1.700 1.700 0 0 1 0 2.400L7.800 19.100 4 20Z",
  remove: "M5 7h14M10 7V5h4v2M7 7l.8 12h8.400L17 7M10.500 11v5M13.500 11v5",
  send: "M12 19V5M6 11l6-6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  good: "M7 11v9H4v-9h3Zm0 0 4-7.500c1.300 0 2.200 1 2 2.300L12.400 10h5.800a1.800 1.800 0 0 1 1.800 2.100l-1.100 6.300A1.900 1.900 0 0 1 17 20H7",
  bad: "M7 13V4H4v9h3Zm0 0 4 7.500c1.300 0 2.200-1 2-2.300L12.400 14h5.800a1.800 1.800 0 0 0 1.800-2.100l-1.100-6.300A1.900 1.900 0 0 0 17 4H7",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM5 20c.6-3.600 3.500-5.500 7-5.500s6.400 1.900 7 5.500",
  people: "M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM3 19c.5-3 2.900-4.700 6-4.700s5.500 1.700 6 4.700M16 5a3.200 3.200 0 0 1 0 6M17.500 14.600c1.900.6 3.100 2.100 3.500 4.400",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy("playground", { createHTML: (html) => html })
  : { createHTML: (html) => html };

const ALLOWED = new Set(
  ("P BR STRONG B EM I DEL S U CODE PRE A UL OL LI BLOCKQUOTE H1 H2 H3 H4 H5 H6 HR TABLE THEAD TBODY TR TH TD " +
    "SPAN DIV SUP SUB").split(" "),
);
const ATTRIBUTES = { dir: /^auto$/, start: /^\d{1,9}$/, value: /^\d{1,9}$/, class: /^(bare|task|left|center|right)$/ };
const DROPPED = new Set("SCRIPT STYLE IFRAME OBJECT EMBED TEMPLATE NOSCRIPT SVG MATH TEXTAREA SELECT TITLE".split(" "));

/** Rebuild an answer's HTML. The server has escaped it already; this is the second lock on the same door. */
export function safe(html) {
  const parsed = new DOMParser().parseFromString(policy.createHTML(html), "text/html"); // inert: runs and loads nothing
  const out = document.createDocumentFragment();
  rebuild(parsed.body, out);
  return out;
}

function rebuild(from, to, cell = false) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(...(cell ? unbroken(node.data) : [node.data]));
    if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.tagName.toUpperCase())) continue;
    if (!ALLOWED.has(node.tagName)) {
      rebuild(node, to, cell); // an unknown wrapper goes, its words stay
      continue;
    }
    const made = document.createElement(node.tagName);
    if (node.tagName === "A") link(node, made);
    for (const [attribute, form] of Object.entries(ATTRIBUTES)) {
      const value = node.getAttribute(attribute);
      if (value !== null && form.test(value)) made.setAttribute(attribute, value);
    }
    rebuild(node, made, cell || ["TD", "TH"].includes(node.tagName));
    to.append(node.tagName === "TABLE" ? el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Table" }, made) : made);
  }
}

/** Times, ranges and "e-bike" stay on one line in a cell, for the table scrolls; what is longer than a word may break. */
const unbroken = (words) => words.split(/(\S+)/)
  .map((part) => (part.length <= 30 && /[\p{Pd}/]/u.test(part) ? el("span", { class: "word" }, part) : part));

function link(from, to) {
  let url;
  try {
    url = new URL(from.getAttribute("href") ?? "");
  } catch {
    return; // not a whole address: the words stay, the link goes
  }
  if (!["https:", "http:", "mailto:"].includes(url.protocol)) return;
  to.setAttribute("href", url.href);
  to.setAttribute("target", "_blank");
  to.setAttribute("rel", "noopener noreferrer nofollow");
}

export const clock = (id) => new Date(Number(id) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
