/** An order: its life until now, or as it stood at one of its events. */
import {html, nothing} from "./lit.js";
import {call, problemView} from "./api.js";
import {badge, isOver, localised, token, when} from "./format.js";
import {fold} from "./fold.js";
import {linkTo, setQuery} from "./route.js";
import {attempt, changed, whileShown} from "./state.js";
import {closeOrder, histories, openOrder, orders} from "./store.js";
import {changeRow} from "./amend.js";
import {commandsPanel} from "./commands.js";
import {explanationPanel, keepExplained, wordsOf} from "./explain.js";
import {lifeline} from "./lifeline.js";
import {quotesPanel} from "./quotes.js";
import {isFinal, panel} from "./ui.js";
import {stepBar, swapWords} from "./words.js";

/** What the page knows of the open order beside the store. `first` is its record at event 1, to fold its past from. */
let visit = {};

/** Read the order, unless it has been, or never can be. */
async function readLife() {
  const own = visit;
  if (own.first || (own.problem && isFinal(own.problem))) return;
  await attempt(own, async () => {
    await openOrder(own.id);
    own.first = await call("GET", `/api/orders/${own.id}?atSeq=1`);
  });
  if (own.id !== visit.id) closeOrder(own.id);
}

/** The record and the events up to `at`, or all of them. */
function lifeOf(at) {
  const all = histories.get(visit.id) ?? [], events = all.slice(0, at > 0 ? at : undefined);
  const isPast = visit.first && events.length && events.length < all.length;
  const o = isPast ? events.slice(1).reduce(fold, visit.first) : orders.get(visit.id);
  return {visit, o, events: isPast ? events : all, all, isPast};
}

/** JSON as the API wrote it: a number with a fraction is text here, so that no digit of it is lost. */
const jsonOf = (meta) => JSON.stringify(meta, null, 1).replace(/"(-?\d+\.\d+)"/g, "$1");

const eventView = (e) => html`<tr><td class="num">${e.seq}
  <td>${badge(e.status)} ${when(e.at)} <small>${e.attempt ? `attempt ${e.attempt}` : ""}</small>
    <details><summary>${localised(wordsOf(visit, e))}</summary><pre>${jsonOf(e.meta)}</pre></details></tr>`;

function orderBody(life) {
  const {o, events, all, isPast} = life, last = events.at(-1), words = last && wordsOf(visit, last);
  return html`<section class="panel">
      <p class="outcome">${o.amountOut && html`<b>Received ${o.amountOut} ${token(o.tokenOut)}.</b>`} ${localised(words)}
        <small>${o.waitReason}</small></p>
      ${stepBar(o, events)}
      <div class="row dim"><span>${o.type} ${o.side} order of <bdi>${o.userId}</bdi>, placed ${when(o.createdAt)}</span>
        <code>${o.orderId}</code><bdi title=${o.clientOrderId ?? nothing}>${o.clientOrderId}</bdi></div>
      <div class="row"><label>Event ${last?.seq} of ${all.length}${isPast ? ", as it stood then" : ""}
        <input type="range" min="1" max=${all.length} .value=${last?.seq} aria-valuetext=${words}
          @input=${({target}) => setQuery({at: target.value < all.length ? target.value : ""})}></label>
        <button class="quiet" ?disabled=${!isPast} @click=${() => setQuery({at: ""})}>Now</button></div>
      ${changeRow(life)}</section>
    <div class="cols">${lifeline(life)}${quotesPanel(life)}</div>
    ${isPast ? "" : explanationPanel(visit)}
    ${panel("Events, oldest first", html`<table>${events.map(eventView)}</table>`)}${commandsPanel(o)}`;
}

export const orderView = {
  title: ({id}) => `Order ${id.slice(0, 8)}`,
  enter({id}) {
    visit = {id, explaining: {}, changing: {}};
    whileShown(3000, readLife);
    whileShown(1000, () => keepExplained(visit, orders.get(id)));
    // The last stage grows without an event.
    whileShown(250, () => isOver(orders.get(id)?.status) || changed());
  },
  leave() {
    closeOrder(visit.id);
    visit = {};
  },
  render({query}) {
    const life = lifeOf(query.at), {o} = life;
    return html`<div class="row"><h1 tabindex="-1">${o ? swapWords(o) : "Order"}</h1>${o && badge(o.status)}</div>
      ${problemView(visit.problem)}${o ? orderBody(life) : html`<a href=${linkTo("orders")}>All orders</a>`}`;
  },
};
