/** The chart of a market: net prices over time, open limits and fills. Texts are the API's; geometry is in numbers. */
import {repeat, svg} from "./lit.js";
import {clock, isoOf, now} from "./format.js";
import {linkTo} from "./route.js";
import {commitMove, leaveMove, movedOrder, movedPrice, moveTo} from "./limits.js";
import {VENUES} from "./series.js";

// The plot is between these, in px of the drawing; a label takes LABEL px of height.
const [LEFT, RIGHT, TOP, BOTTOM, LABEL] = [74, 72, 16, 296, 18];

// The scale of the drawing that is made: its width in px, its first and last time in ms, its prices and their decimals.
let plotWidth = 0, firstAt = 0, lastAt = 0, lowest = 0, highest = 0, decimals = 0;
// Where the pointer took hold of a line.
let grabbedY = 0;

const xOf = (at) => Math.round(LEFT + (plotWidth - LEFT - RIGHT) * (at - firstAt) / (lastAt - firstAt));
const yOf = (price) => Math.max(TOP, Math.min(BOTTOM, BOTTOM - (BOTTOM - TOP) * (price - lowest) / (highest - lowest)));
const priceAt = (y) => lowest + (highest - lowest) * (BOTTOM - y) / (BOTTOM - TOP);
const across = (y) => `M${LEFT} ${y}H${plotWidth - RIGHT}`;
const upright = (at) => `M${xOf(at)} ${TOP}V${BOTTOM}`;

/** Whether the last drawing has a place for a limit. */
export const isOnChart = ({limitPrice}) => limitPrice >= lowest && limitPrice <= highest;

/**
 * The chart of at most ten minutes of samples and fills, and of the limits that fit in; `read` is the sample that is
 * read, `label` what the chart shows.
 */
export function chart(samples, limits, fills, width, read, label) {
  plotWidth = width;
  lastAt = samples.at(-1)?.at ?? now();
  const since = isoOf(lastAt - 600_000);
  const recent = fills.filter(({updatedAt}) => updatedAt > since).slice(0, 200);
  firstAt = Math.min(lastAt - 120_000, ...samples.map(({at}) => at), ...recent.map(fillTime));
  // A move keeps the scale that it began with, so that nothing slips under the pointer.
  if (!movedOrder) fitPrices(samples, limits, recent);
  const ticks = [0, 1, 2, 3, 4].map((quarter) => lowest + quarter * (highest - lowest) / 4);
  const drawn = limits.filter(isOnChart).sort((one, other) => other.limitPrice - one.limitPrice);
  return svg`<svg viewBox="0 0 ${width} 320" height="320" role="group" aria-label=${label}>
    ${ticks.map((price) => svg`<path class="grid" d=${across(yOf(price))} />
      <text x=${LEFT - 8} y=${yOf(price) + 4} text-anchor="end">${price.toFixed(decimals)}</text>`)}
    ${[firstAt, (firstAt + lastAt) / 2, lastAt].map((at) => svg`<text x=${xOf(at)} y="316" text-anchor="middle">
      ${clock.format(at)}</text>`)}
    ${samples.map((sample) => VENUES.every((venue) => sample[venue]) ? "" : svg`<path class="gap" d=${upright(sample.at)}>
      <title>${sample.why}</title></path>`)}
    ${VENUES.map((venue) => svg`<path class="price ${venue}" d=${lineOf(samples, venue)} />`)}
    ${read && reader(read)}
    ${recent.map((fill) => svg`<a href=${linkTo("orders", fill.orderId)} tabindex="-1" aria-label="${fill.side} at ${fill.executedPrice}">
      <path class="fill ${fill.dexUsed}"
      d="M${xOf(fillTime(fill))} ${yOf(fill.executedPrice)}l5 ${fill.side === "buy" ? 9 : -9}h-10z" /></a>`)}
    ${repeat(drawn, (order) => order.orderId, limitLines())}
  </svg>`;
}

const fillTime = ({updatedAt}) => Date.parse(updatedAt);

/** A scale for the quotes, and for the limits and fills near them: what is far would flatten the lines. */
function fitPrices(samples, limits, recent) {
  const prices = samples.flatMap((sample) => VENUES.flatMap((venue) => sample[venue]?.price ?? []));
  if (!prices.length) prices.push(limits[0]?.limitPrice ?? 1);
  const least = Math.min(...prices) * 0.93, most = Math.max(...prices) * 1.07;
  const others = [...limits.map((order) => order.limitPrice), ...recent.map((fill) => fill.executedPrice)];
  prices.push(...others.filter((price) => price > least && price < most));
  [lowest, highest] = [Math.min(...prices), Math.max(...prices)];
  const margin = Math.max(highest - lowest, highest / 100) / 10;
  [lowest, highest] = [lowest - margin, highest + margin];
  decimals = Math.max(0, 5 - Math.ceil(Math.log10(highest)));
}

/** A line that breaks where a quote is missing, or where nobody was looking. */
function lineOf(samples, venue) {
  let line = "", before = 0;
  for (const {at, [venue]: quote} of samples) {
    if (quote) line += `${at - before > 20_000 ? "M" : "L"}${xOf(at)} ${yOf(quote.price)}h0`;
    before = quote ? at : 0;
  }
  return line;
}

const markOf = (venue, {chosen}) => (venue === chosen ? " ✓" : "");

/** What a sample says, in words. */
export const readingOf = (sample) => `${clock.format(sample.at)}: ${VENUES.map((venue) =>
  `${venue} ${sample[venue]?.price ?? "–"}${markOf(venue, sample)}`).join(", ")}: ${sample.why}`;

/** A line at the sample that is read. The higher price has the name of its venue above it, the lower below. */
function reader(sample) {
  const quoted = VENUES.filter((venue) => sample[venue]).sort((one, other) => sample[other].price - sample[one].price);
  return svg`<path class="reader" d=${upright(sample.at)} />${quoted.map((venue, place) => {
    const y = yOf(sample[venue].price);
    return svg`<circle class=${venue} r="4" cx=${xOf(sample.at)} cy=${y} />
      <text class=${venue} x=${plotWidth - RIGHT + 8} y=${y - 2 + 12 * place}>${venue}${markOf(venue, sample)}</text>`;
  })}`;
}

/** What an order of the pair does, in words. */
export const limitWords = ({side, amountIn, tokenIn, userId}) => `${side}, ${amountIn} ${tokenIn}, ${userId}`;

/**
 * Draws the lines of open limits from the highest on. A line whose label has no room shows it under the pointer or focus.
 * A finger moves a line by its price, and scrolls the page elsewhere.
 */
function limitLines() {
  let labelled = 0;
  return (order) => {
    const isMoved = movedOrder?.orderId === order.orderId;
    const price = isMoved ? movedPrice : order.limitPrice;
    const y = yOf(price);
    const isTight = !isMoved && y - labelled < LABEL;
    if (!isTight) labelled = y;
    const to = (value) => moveTo(order, value.toFixed(decimals));
    const onKey = (event) => {
      const steps = {ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10}[event.key];
      if (event.key === "Enter") commitMove();
      else if (event.key === "Escape") leaveMove();
      else if (steps) to(Number(price) + steps / 10 ** decimals);
      else return;
      event.preventDefault();
    };
    const onDown = ({currentTarget, pointerId, offsetY}) => {
      currentTarget.setPointerCapture(pointerId);
      grabbedY = offsetY;
    };
    const onMove = ({currentTarget, pointerId, offsetY}) => {
      if (!currentTarget.hasPointerCapture(pointerId)) return;
      if (Math.abs(offsetY - grabbedY) < 3) leaveMove();
      else to(Number(order.limitPrice) + priceAt(offsetY) - priceAt(grabbedY));
    };
    return svg`<g class="limit ${isTight ? "tight" : isMoved ? "held" : ""}" role="slider" tabindex="0"
      aria-label="Limit: ${limitWords(order)}" aria-valuenow=${price} @keydown=${onKey} @blur=${leaveMove}
      @pointerdown=${onDown} @pointermove=${onMove} @pointerup=${commitMove} @pointercancel=${leaveMove}>
      <path class="hit" d=${across(y)} /><path d=${across(y)} /><text x=${LEFT + 6} y=${y - 4}>${limitWords(order)}</text>
      <rect x="1" y=${y - 9} width=${LEFT - 1} height="18" rx="4" @touchstart=${(event) => event.preventDefault()} />
      <text x=${LEFT - 6} y=${y + 4} text-anchor="end">${price}</text></g>`;
  };
}
