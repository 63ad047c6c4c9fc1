/** The list of orders: live rows, filters that live in the address, and counts that lead to filtered lists. */
import {html, repeat} from "./lit.js";
import {call, problemView, queryText} from "./api.js";
import {badge, isoOf, isOver, now, span, when} from "./format.js";
import {introduction} from "./first_visit.js";
import {PHASES} from "./fold.js";
import {linkTo, setQuery} from "./route.js";
import {whileShown} from "./state.js";
import {loadPage, newestFirst, orders, polling} from "./store.js";
import {exactTime, field, isFinal} from "./ui.js";
import {swapWords} from "./words.js";

const STATUSES = Object.keys(PHASES);
const LIST_FILTERS = {
  status: {choices: STATUSES}, type: {choices: ["market", "limit", "sniper"]}, pair: {}, userId: {}, clientOrderId: {}, from: {}, to: {},
};
const ROWS = 200;

// The list that is shown: the `text` of its query, its `filters`, the `ids` that the engine finds, or its `refusal`.
let list = {}, dayCounts = null;

export const ordersView = {
  title: () => "Orders",
  enter() {
    list = {};
    dayCounts = null;
    whileShown(4000, look);
  },
  render({query}) {
    const text = queryText(query);
    if (list.text !== text) {
      // Until its orders are found, the list keeps what it had, if it was shown.
      list = {text, ids: list.filters && listedIds(), filters: {...query, from: exactTime(query.from), to: exactTime(query.to)}};
      look();
    }
    const isFirst = !orders.size && !text && polling.isLoaded;
    // One heading for both, so that it keeps the focus.
    return html`<div class="row spread"><h1 tabindex="-1">${isFirst ? "No orders yet" : "Orders"}</h1>
        ${isFirst ? "" : html`<details><summary>What is this?</summary>${introduction()}</details>`}</div>
      ${isFirst ? introduction() : [countsView(), filtersView(query), listView(query)]}`;
  },
};

// ---- What is read

/** Without filters, or with those that the engine refuses, the newest orders that the store knows. */
const listedIds = () => (list.text && !list.refusal ? list.ids : newestFirst.slice(0, ROWS));

/** Find the orders of the list, and count those of the last day. The store has what moves in an order. */
async function look() {
  const own = list, since = isoOf(now() - 86_400_000);
  if (!own.filters) return;
  try {
    if (own.text && !own.refusal) own.ids = (await loadPage(own.filters)).orders.map(({orderId}) => orderId);
    dayCounts = await call("GET", `/api/stats${queryText({userId: own.filters.userId, from: since})}`);
  } catch (problem) {
    // The store tells of an outage; what is known stays.
    if (isFinal(problem)) own.refusal = problem;
  }
  changed();
}

// ---- The list

function listView(query) {
  const ids = listedIds(), rows = ids?.map((id) => orders.get(id)).filter(Boolean) ?? [];
  // Orders may have been accepted in the same millisecond as the last one.
  const before = () => isoOf(Date.parse(rows.at(-1).createdAt) + 1);
  return html`<table class="orders" ?hidden=${!rows.length}>
      <thead><tr><th>Time<th>Order<th>User<th>Type<th>Swap<th>Price<th>Venue<th>Status<th>Why<th>Took</thead>
      <tbody>${repeat(rows, ({orderId}) => orderId, rowView)}</tbody></table>
    ${rows.length ? "" : html`<p>${ids && polling.isLoaded ? "No order matches the filters." : "Reading…"}</p>`}
    ${rows.length < ROWS ? "" : html`<div><a class="button quiet" @click=${() => scrollTo(0, 0)}
      href=${linkTo("orders", "", {...query, to: before()})}>Older orders</a></div>`}`;
}

function rowView(order) {
  const {orderId, userId, status, side, createdAt, dexUsed, attempts} = order;
  const end = isOver(status) ? Date.parse(order.updatedAt) : now();
  // Until there is a price, the one that the order waits for.
  const bound = order.limitPrice ?? order.launch?.maxPrice;
  const price = order.executedPrice ?? (bound && `${side === "sell" ? "≥" : "≤"} ${bound}`);
  const reason = [attempts > 1 && `attempt ${attempts}`, order.failReason ?? order.waitReason, order.failCode]
    .filter(Boolean).join(" · ");
  return html`<tr><td>${when(createdAt)}
    <td><a href=${linkTo("orders", orderId)} title=${orderId}><code>${orderId.slice(0, 8)}</code></a>
    <td class="clip" title=${userId}><bdi>${userId}</bdi><td>${order.type} ${side}<td>${swapWords(order)}
    <td>${price}<td class=${dexUsed ?? ""}>${dexUsed}<td>${badge(status)}
    <td>${reason && html`<details><summary>${reason}</summary></details>`}<td>${span(end - Date.parse(createdAt))}</tr>`;
}

// ---- Filters and counts

function filtersView(query) {
  const used = Object.keys(query);
  return html`<details class="filters" ?open=${innerWidth > 900}><summary>Filters ${used.join(", ")}</summary>
      <form class="row" @change=${({target}) => setQuery({[target.name]: target.value.trim()}, {replace: false})}>
        ${Object.entries(LIST_FILTERS).map(([name, options]) =>
    field(name, query[name], {...options, texts: {"": "any"}, problem: list.refusal}))}</form></details>
    ${used.length ? html`<a href="#/orders">All orders</a>` : ""}${problemView(list.refusal)}`;
}

function countsView() {
  const {userId, since, execution} = dayCounts ?? {};
  const link = (status) => html`<a class="badge ${status}" href=${linkTo("orders", "", {userId, status, from: since})}>
    ${execution.orders[status]} ${status}</a>`;
  return html`<small class="row">Last day ${execution ? STATUSES.filter((status) => execution.orders[status]).map(link)
    : dayCounts && "cannot be counted at the moment"}</small>`;
}
