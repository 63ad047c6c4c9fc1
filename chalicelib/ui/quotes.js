/** The quotes of both venues on one scale, with the minimum of their order and what it received. */
import {html} from "./lit.js";
import {pairOf, token} from "./format.js";
import {panel} from "./ui.js";
import {strip} from "./words.js";

/** `order` is a record, or what is known of one before it is placed; `quotes` are those of a choice. */
export function quotesTable(order, quotes) {
  const {tokenIn, tokenOut, minAmountOut: least, limitPrice} = order;
  const rows = [
    ["minimum", {amountOut: least, price: limitPrice && `limit ${limitPrice}`}, "warn"],
    ["raydium", quotes?.rQuote],
    ["meteora", quotes?.mQuote],
  ];
  if (order.amountOut) rows.push(["received", {amountOut: order.amountOut, price: order.executedPrice}, "good"]);
  const amounts = rows.map(([, row]) => row?.amountOut).filter(Boolean);
  const low = Math.min(...amounts), range = Math.max(...amounts) - low || 1;
  const x = (amount) => 2 + (95 * (amount - low)) / range;
  const shapes = (amount) => [...(least ? [[x(least), 99 - x(least), "zone"]] : []), ...(amount ? [[x(amount), 1]] : [])];
  const details = ({fee, feeBps, priceImpactPct, liquidity}) =>
    html`fee ${fee} ${token(tokenIn)} (${feeBps} bps), impact ${priceImpactPct} %, liquidity ${liquidity}`;
  return html`<table class="strips">
    <tr><th>Net of fees<th>Less to more<th class="num">${token(tokenOut)}, price ${token(pairOf(tokenIn, tokenOut))}</tr>
    ${rows.map(([name, row, colour = name]) => html`<tr>
      <th><b class=${colour}>${name}${name === quotes?.chosen ? " ✓ won" : ""}</b>
      <td><small>${row?.fee ? details(row) : quotes?.errors?.[name]?.reason}</small>${strip(colour, ...shapes(row?.amountOut))}
      <td class="num">${row?.amountOut ?? "–"}<br><small>${row?.price}</small></tr>`)}</table>`;
}

export function quotesPanel({visit, o, isPast}) {
  // The explanation tells of the last choice, whose gain is real once the order has received it.
  const gain = !isPast && o.amountOut && visit.explained?.decision?.gain;
  return panel("Quotes", html`${quotesTable(o, o.quotes)}
    <p class="told">${gain ? html`<b>Gained ${gain.amountOut} ${token(o.tokenOut)}.</b>` : ""}
      ${o.quotes?.reason ?? "No quotes yet."}</p>`);
}
