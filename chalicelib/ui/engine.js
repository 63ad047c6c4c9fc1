/** The engine at work, for its operators: what runs and waits, how orders of late went, and what needs a hand. */
import {html} from "./lit.js";
import {call, problemView, queryText} from "./api.js";
import {badge, isoOf, now, span, when} from "./format.js";
import {linkTo} from "./route.js";
import {attempt, whileShown} from "./state.js";
import {inWords, panel, spelled, tableOf} from "./ui.js";

// The last answers; a call that fails keeps what it had, beside its `problem`.
const seen = {engine: {}, hour: {}, day: {}};
// The order in each slot.
let slots = [];

const readPart = (name, path) => attempt(seen[name], async () => {
  Object.assign(seen[name], await call("GET", path));
});

async function readEngine() {
  await readPart("engine", "/api/engine");
  const {limit = 0, busy = []} = seen.engine.slots ?? {};
  // An order keeps its slot for as long as it is busy.
  slots = Array.from({length: Math.max(limit, busy.length)}, (_, slot) =>
    busy.find(({orderId}) => orderId === slots[slot]?.orderId));
  for (const order of busy) if (!slots.includes(order)) slots[slots.indexOf(undefined)] = order;
}

async function readStats() {
  await readPart("hour", `/api/stats${queryText({from: isoOf(now() - 3_600_000)})}`);
  await readPart("day", `/api/stats${queryText({from: isoOf(now() - 86_400_000)})}`);
}

export const engineView = {
  title: () => "Engine",
  enter() {
    // The page may have another user now.
    for (const name in seen) seen[name] = {};
    whileShown(2000, readEngine);
    // Statistics change slower, and cost more.
    whileShown(10_000, readStats);
  },
  render() {
    const {at, outages, problem, isBusy, slots: now, ...parts} = seen.engine;
    return html`<h1 tabindex="-1">Engine</h1>
      ${problemView(Object.values(seen).find((answer) => answer.problem && !answer.problem.isOffline)?.problem)}
      ${panel("Slots", html`<div class="slots">${now ? slots.map(slotView) : missing("slots")}</div>`)}
      <div class="cards">
        ${Object.entries(parts).map(([name, part]) => panel(spelled(name), part ? factsView(name, part) : missing(name)))}
        ${groups().map((name) => panel(spelled(name), statsView(name)))}</div>`;
  },
};

/** Why a part of the answer is null. */
function missing(name) {
  const {at, outages, problem} = seen.engine;
  if (at && !outages[name]) return name === "doctor" ? "It has not run yet: make doctor" : "–";
  return at || problem ? `not available ${outages?.[name] ?? ""}` : "…";
}

const slotView = (order) => html`<div>${order
  ? html`<a href=${linkTo("orders", order.orderId)}>${order.side} ${order.amountIn} ${order.tokenIn}</a>${badge(order.status)}
    <small>attempt ${order.attempt}, ${span(Date.parse(seen.engine.at) - Date.parse(order.since))}, ${order.userId}</small>`
  : "free"}</div>`;

/** The fields of a part, which are named as the API names them. */
const factsView = (part, fields) => html`<dl>${Object.entries(fields).map(([name, value]) => html`<dt>${spelled(name)}</dt>
  <dd>${factView(value, `${part}.${name}`)}</dd>`)}</dl>`;

function factView(value, name) {
  if (value == null) return missing(name);
  if (name === "doctor.status") return badge(value);
  if (typeof value === "object") return inLines(value);
  return /^\d+-.*Z$/.test(value) ? when(value) : value;
}

/** The elements of a list, or the fields of an object. */
const inLines = (value) => (Array.isArray(value) ? value : inWords(value).split(", ")).map((line) => html`<div>${line}</div>`);

/** The names that the statistics of either window have in a group. */
const namesIn = (group) => [...new Set([seen.hour, seen.day].flatMap(({execution}) => Object.keys(execution?.[group] ?? {})))];

/** What the statistics count or measure by name, like orders by status. */
const groups = () => Object.entries({...seen.hour.execution, ...seen.day.execution})
  .flatMap(([name, group]) => (typeof group === "object" ? name : []));

const statsView = (group) => tableOf(["name", "last hour", "last day"], namesIn(group).map((name) =>
  [spelled(name), ...[seen.hour, seen.day].map((stats) => statView(stats, group, name))]));

function statView({execution, executionOutage, since}, group, name) {
  const value = execution ? execution[group][name] ?? "–" : executionOutage;
  if (group === "orders") return html`<a href=${linkTo("orders", "", {status: name, from: since})}>${value}</a>`;
  return Object(value) === value ? inLines(value) : value;
}
