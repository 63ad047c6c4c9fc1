/** A market: both venues' net prices over time, its limits and fills, what a feed can tell, and the launches awaited. */
import {html} from "./lit.js";
import {call, problemView, queryText} from "./api.js";
import {pairOf, QUOTES, token} from "./format.js";
import {linkTo, setQuery} from "./route.js";
import {loadPage, newestFirst, orders} from "./store.js";
import {leaveMove, movedOrder, moving} from "./limits.js";
import {chart, isOnChart, limitWords, readingOf} from "./chart.js";
import {samplesOf, takeSample, VENUES} from "./series.js";
import {announce, attempt, changed, state, whileShown} from "./state.js";
import {field, inWords, panel, takeForm} from "./ui.js";

// The tokens of the engine; the pair whose orders were read; the swap of the last sample; the time of the sample that is
// shown, 0 for the newest; and by type, the try to tell an event. `loading` has why the orders could not be read.
let tokens = [], loadedPair = "", askedSwap = "", readTime = 0;
const toldEvents = {price: {}, pool_created: {}}, loading = {};

/** The pair, side and size of the address. */
function wantedMarket() {
  const {pair: name = "SOL/USDC", side = "sell", amountIn = 1} = state.route.query;
  const pair = pairOf(...name.split("/"), "");
  const [base, quote] = pair.split("/");
  const [tokenIn, tokenOut] = side === "buy" ? [quote, base] : [base, quote];
  return {pair, base, quote, side, swap: {tokenIn, tokenOut, amountIn}};
}

/** Take a sample, and read the orders of the pair if they were not. */
async function readMarket() {
  const {pair, swap} = wantedMarket();
  askedSwap = queryText(swap);
  await Promise.all([takeSample(swap), loadedPair === pair || loadMarket(pair)]);
}

/** Read the tokens, and the orders that the store may not know. The store's polls bring what changes. */
async function loadMarket(pair) {
  await attempt(loading, async () => {
    tokens = (await call("GET", "/api/tokens")).tokens;
    await Promise.all([{pair, type: "limit", status: "open"}, {pair, status: "confirmed"}, {type: "sniper", status: "open"}].map(loadPage));
    loadedPair = pair;
  });
}

export const marketView = {
  title: () => `Market ${wantedMarket().pair}`,
  enter() {
    leaveMove();
    loadedPair = "";
    whileShown(2000, readMarket);
  },
  render() {
    const {pair, base, quote, side, swap} = wantedMarket();
    if (askedSwap !== queryText(swap)) readMarket();
    const known = newestFirst.map((id) => orders.get(id));
    const isOpen = (kind) => ({type, status}) => type === kind && status === "open";
    return html`<div class="row spread"><h1 tabindex="-1">Market ${pair}</h1>
      <div class="row" @change=${changeMarket}>
        ${field("pair", pair, {choices: pairsWith(pair)})}
        ${field("side", side, {choices: ["sell", "buy"]})}
        ${field("amountIn", swap.amountIn, {label: `Pays, ${swap.tokenIn}`})}</div></div>
      ${chartPanel(known.filter(({tokenIn, tokenOut}) => pairOf(tokenIn, tokenOut) === pair), isOpen("limit"))}
      <div class="cols">
        ${feedForm("price", "Push a price", [["price", "", {label: `Price, ${quote} per ${base}`}]])}
        ${feedForm("pool_created", "Open a pool", POOL_FIELDS)}</div>
      ${panel("Launches awaited", known.filter(isOpen("sniper")).map(launchRow))}`;
  },
};

/** A price that was typed for a pair is none of the next pair. */
function changeMarket({target}) {
  document.forms.price.reset();
  setQuery({[target.name]: target.value});
}

function chartPanel(ofPair, isOpenLimit) {
  const {pair, base, quote, swap} = wantedMarket();
  const samples = samplesOf(swap), limits = ofPair.filter(isOpenLimit);
  // An order that is no longer open cannot be moved.
  if (movedOrder && !limits.some(({orderId}) => orderId === movedOrder.orderId)) leaveMove();
  const width = Math.max(280, document.querySelector(".chart svg")?.clientWidth ?? innerWidth - 60);
  const fills = ofPair.filter(({status}) => status === "confirmed");
  const read = samples.find(({at}) => at === readTime) ?? samples.at(-1);
  const words = read ? readingOf(read) : "…", last = samples.length - 1;
  const drawing = chart(samples, limits, fills, width, read, `Net prices, ${quote} per ${base}`);
  const outside = limits.filter((order) => !isOnChart(order)).length;
  const onRead = ({target: {value}}) => {
    readTime = value < last ? samples[value].at : 0;
    changed();
  };
  return html`<section class="panel chart"><p>${words}</p>${drawing}
    <input type="range" aria-label="Sample" max=${last} .value=${samples.indexOf(read)} aria-valuetext=${words} @input=${onRead}>
    <div class="row"><a href=${linkTo("orders", "", {pair, type: "limit", status: "open"})}>All limits, ${outside} outside the chart</a>
      <a href=${linkTo("orders", "", {pair, status: "confirmed"})}>All fills</a></div>
    <small>Drag the price of a limit to amend it, or use ↑ ↓ and Enter.</small>
    ${problemView(moving.problem ?? [read?.problem, loading.problem].find((problem) => problem?.status < 500))}</section>`;
}

/** The names of the pairs that have a market, and of the present one. */
const pairsWith = (pair) =>
  [...new Set([pair, ...QUOTES.flatMap((quote) => tokens.map(({symbol}) => `${symbol}/${quote}`))])]
  .filter((name) => pairOf(...name.split("/"), "") === name);

/** Tell an event of the market. A feed may have fields that the API does not know. */
async function tell(event) {
  const [type, {pair}] = [event.target.name, wantedMarket()];
  const body = {type, pair, ...takeForm(event)};
  const told = toldEvents[type];
  await attempt(told, async () => {
    const {accepted, ...more} = await call("POST", "/api/market/events", {body});
    announce(`Taken: ${inWords(more)}`);
  });
}

const POOL_FIELDS = [["mint"], ["venue", VENUES[0], {choices: VENUES}],
  ["price", "0.001"], ["liquidity", "10000"]];

/** A form that tells an event. A field is its name, its value, and how it is shown. */
function feedForm(type, heading, fields) {
  const {problem} = toldEvents[type];
  return html`<form class="panel" name=${type} @submit=${tell}><h2>${heading}</h2>
    <div class="row">${fields.map(([name, value, options]) => field(name, value, {...options, problem}))}
      <button>${heading}</button></div>
    ${problemView(problem)}</form>`;
}

function launchRow(order) {
  const {orderId, launch: {mint, ...filters}, waitReason} = order;
  const prepare = () => {
    const input = document.forms.pool_created.mint;
    input.value = mint;
    input.focus();
  };
  return html`<div class="row"><a href=${linkTo("orders", orderId)}>${limitWords(order)}</a>
    <span>${token(mint)} ${inWords(filters)} <small>${waitReason}</small></span>
    <button class="quiet" @click=${prepare}>Open its pool</button></div>`;
}
