/** What a reader sees who meets the engine for the first time, and a first order by one button. */
import {html} from "./lit.js";
import {problemView} from "./api.js";
import {attempt} from "./state.js";
import {placeOrder} from "./submit.js";

const firstTry = {};
const placeFirst = () => attempt(firstTry, () => placeOrder({tokenIn: "SOL", tokenOut: "USDC", amountIn: 1}));

/** The engine and the page in three sentences, and the button. */
export const introduction = () => html`<div class="panel">
  <p>For each order the engine asks two venues, Raydium and Meteora, and swaps at the better one, never below a minimum.</p>
  <p>This page shows each step of each order live, and why one waits or fails.</p>
  <p>No money moves: the venues are simulated. The button sells 1 SOL for USDC.</p>
  <div><button @click=${placeFirst}>Place a first order</button></div>${problemView(firstTry.problem)}</div>`;
