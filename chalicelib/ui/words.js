/** Parts of the views of orders. `o` is the record of an order, and `e` one of its events. */
import {html, nothing, svg} from "./lit.js";
import {isOver, token, when} from "./format.js";

/** What an order swaps, like "1.5 SOL → 160.2 USDC". */
export const swapWords = (o) => html`${o.amountIn} ${token(o.tokenIn)} → ${o.amountOut} ${token(o.tokenOut)}`;

/**
 * The steps that an order has reached, up to its present one. The bar never goes backward: in a further attempt the
 * furthest step stays where it is and tells of the attempt.
 */
export function stepBar({attempts, status, type}, events) {
  const times = Object.fromEntries(events.map((e) => [e.status, e.at]).reverse());
  const waits = type === "market" ? [] : ["open", "triggered"];
  const steps = ["pending", ...waits, "routing", "building", "submitted", isOver(status) ? status : "confirmed"];
  const furthest = steps.findLast((step) => times[step]);
  const now = isOver(status) ? "" : `– now ${status === furthest ? "" : `${status}, attempt ${attempts}`}`;
  return html`<ol class="steps">${steps.map((step) => html`<li class=${times[step] ? step : "dim"}
    aria-current=${step === furthest ? "step" : nothing}>${step} ${step === furthest ? now : times[step] && "✓"}
    <br><small>${when(times[step])}</small></li>`)}</ol>`;
}

/** A strip of shapes from 0 to 100. A screen reader has the numbers beside it. */
export const strip = (colour, ...shapes) => html`<svg class=${colour} viewBox="0 0 100 10" height="12"
  preserveAspectRatio="none" aria-hidden="true">
  ${shapes.map(([x, width, kind]) => svg`<path class=${kind} d="M${x} 5h${width}"/>`)}</svg>`;
