/** Place an order: the fields of the contract, what would happen beside them, and how it went. */
import {html} from "./lit.js";
import {deployment, problemView, queryText} from "./api.js";
import {pairOf} from "./format.js";
import {FAULTS} from "./fault.js";
import {askPreview, preview, previewView} from "./preview.js";
import {linkTo, readRoute} from "./route.js";
import {contract, fieldsOf, readContract, schemaOf} from "./schema.js";
import {attempt, changed, whileShown} from "./state.js";
import {placeOrder} from "./submit.js";
import {exactTime, field} from "./ui.js";

const TYPES = ["market", "limit", "sniper"];
// The fields outside "More options". A launch is of the mint that the order buys.
const ESSENTIAL = /token|amount|limit|simulate|venue|minL|max/;
// The side follows from the tokens, and one of two names of the tolerance is enough.
const HIDDEN = ["side", "slippageBps", deployment.auth === "on" && "userId", deployment.simulation === "off" && "simulate"];

/** What is filled in, texts by the names of fields as in an address. Like all of the form, it outlives the view. */
const UNFILLED = {type: "market", tokenIn: "SOL", tokenOut: "USDC"};
let terms = UNFILLED;
let settledAt = 0;
const placing = {};

export const placeView = {
  title: () => "Place",
  enter({query}) {
    if (queryText(query)) terms = {...query, type: TYPES.includes(query.type) ? query.type : "market"};
    settledAt = 0;
    whileShown(300, settle);
  },
  render() {
    return html`<h1 tabindex="-1">Place an order</h1>
      <div class="cols">${contract.schemas ? html`${formView()}${previewView(terms, lacks())}`
    : html`<div class="panel preview">Reading… ${problemView(contract.problem)}</div>`}</div>`;
  },
};

/** Write the order into the address and ask what would happen to it, once it has changed and now and again. */
async function settle() {
  // A quote is good for five seconds.
  if (Date.now() < settledAt + 5000) return;
  settledAt = Date.now();
  if (!contract.schemas) await readContract();
  if (!contract.schemas || readRoute().view !== "place") return;
  const {type} = terms;
  if (terms !== UNFILLED) location.replace(linkTo("place", "", {type, ...Object.fromEntries(filled())}));
  askPreview(lacks().length ? null : order());
}

/** Take over other terms, which settle soon. */
function fillIn(others) {
  terms = others;
  if (!isUnknown(placing.problem)) placing.problem = null;
  changed();
  settledAt = 0;
}

const fields = () => fieldsOf(schemaOf(terms.type)).filter(({name}) => !HIDDEN.includes(name));

const filled = () => fields().map(({name}) => [name, terms[name]]).filter(([, text]) => text);

/** The order as the API takes it. Each value is the text that was typed. */
function order() {
  const body = {type: terms.type};
  for (const [name, text] of filled()) {
    const [key, inner] = name.split("."), value = name === "expiresAt" ? exactTime(text) : text;
    body[key] = inner ? {...body[key], [inner]: value} : value;
  }
  return body;
}

/** What has to be filled in before there is a preview. Placing asks the API in any case. */
const lacks = () => fields().map(({name}) => !terms[name] && labelOf(name)).filter(Boolean);

/** True if the order may have been placed, although no answer says so. */
const isUnknown = (problem) => problem?.isOffline || problem?.status >= 500;

/** A repeat after an unknown outcome is the same order. */
async function place(event) {
  event.preventDefault();
  await attempt(placing, () => placeOrder(order()));
  // Move the focus to the first bad field.
  requestAnimationFrame(() => {
    const wrong = document.querySelector("[aria-invalid=true]"), options = wrong?.closest("details");
    if (options) options.open = true;
    wrong?.focus();
  });
}

function formView() {
  const {problem} = placing;
  const [first, more] = [true, false]
    .map((isFirst) => fields().filter(({name}) => ESSENTIAL.test(name) === isFirst).map(fieldView));
  return html`<form class="panel" novalidate autocomplete="off" @submit=${place} @input=${take}>
    <fieldset class="row"><legend>Type</legend>${TYPES.map((type) => html`<label><input type="radio" name="type"
      value=${type} .checked=${type === terms.type}>${type}</label>`)}</fieldset>
    <p class="dim">${schemaOf(terms.type).description}</p>
    <div class="fields">${first}</div>
    <details><summary>More options</summary><div class="fields">${more}</div></details>
    <div><button>${placing.isBusy ? "Placing…" : `Place ${terms.type} order`}</button></div>
    ${problemView(problem)}
    ${isUnknown(problem)
    ? "The order may exist. To place it again unchanged is safe." : ""}
    ${problem?.retryAfter ? `Try again in ${problem.retryAfter} s.` : ""}</form>`;
}

function fieldView({name, about, choices}) {
  return html`${field(name, terms[name], {
    label: labelOf(name), choices, texts: FAULTS, about, hint: about.split(/[.,:] /)[0],
    problem: placing.problem ?? preview.problem,
  })}${name === "tokenIn" && terms.type !== "sniper" ? html`<button type="button" class="quiet"
    aria-label="Swap the tokens" @click=${swap}>⇄</button>` : ""}`;
}

/** The fields that every order needs say what the reader pays and gets; other names speak for themselves. */
const labelOf = (name) => ({
  tokenIn: "Token you pay", tokenOut: "Token you get", amountIn: `Amount in ${terms.tokenIn ?? ""}`,
  limitPrice: `Limit price ${pairOf(terms.tokenIn, terms.tokenOut)}`,
})[name];

/** Take what was typed. A sniper order buys a mint, the others a symbol. */
function take({target: {name, value}}) {
  const {tokenIn, tokenOut = ""} = terms, isSniper = value === "sniper";
  const isOtherToken = name === "type" && isSniper !== tokenOut.length > 31;
  const other = isSniper ? newMint() : ["USDC", "SOL"].find((symbol) => symbol !== tokenIn);
  fillIn({...terms, ...(isOtherToken && {tokenOut: other}), [name]: value});
}

/** A mint that nobody has launched yet, for simulated launches: 43 digits of base 58, from "9" on, are 32 bytes. */
const newMint = () => deployment.simulation === "on"
  ? `9${crypto.getRandomValues(new Uint32Array(9)).join("").replaceAll("0", "1").slice(0, 42)}` : "";

const swap = () => fillIn({...terms, tokenIn: terms.tokenOut, tokenOut: terms.tokenIn});
