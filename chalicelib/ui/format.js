/** How values become text: numbers as the API writes them, times in the reader's zone. */
import {html} from "./lit.js";
import {PHASES} from "./fold.js";

// A string, or a number, of a JSON text.
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** The value of a JSON text. A number that a double could change becomes its text, digit by digit. */
export function parseExact(text) {
  return JSON.parse(text.replace(TOKEN, (token) => (token[0] === '"' || /^-?\d{1,15}$/.test(token) ? token : `"${token}"`)));
}

let skew = 0;

/** The time of the engine in ms. The clock of a browser may be off by hours. */
export const now = () => Date.now() + skew;

/** Set the clock by the time of an answer, which is of whole seconds and has been on its way. */
export function setClock(time) {
  if (Math.abs(time - now()) > 3000) skew = time - Date.now();
}

/** A time as the API takes and writes it, of one in ms or in the reader's zone. */
export const isoOf = (time) => new Date(time).toISOString();

/** Formats times of a day in the reader's zone. */
export const clock = new Intl.DateTimeFormat(undefined, {timeStyle: "medium"});
const day = new Intl.DateTimeFormat(undefined, {day: "numeric", month: "short"});

/** A time in the reader's zone, with its date unless that is today; the exact time is the tooltip. */
export function when(iso) {
  if (!iso) return "–";
  const time = new Date(iso);
  const isToday = time.toDateString() === new Date(now()).toDateString();
  return html`<time datetime=${iso} title=${iso}>${isToday ? "" : `${day.format(time)} `}${clock.format(time)}</time>`;
}

/** A text of the engine, with the times in it in the reader's zone. */
export const localised = (text) => text?.split(/(\d{4}-\d\d-\d\d [\d:.]+ UTC)/)
  .map((part, place) => (place % 2 ? when(part.replace(" ", "T").replace(" UTC", "Z")) : part));

/** A span of milliseconds in words, like "340 ms", "2.1 s" or "3 min 5 s". */
export function span(ms) {
  if (ms == null) return "–";
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60 ? `${minutes} min ${Math.floor(ms / 1000) % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const isOver = (status) => !["queued", "processing"].includes(PHASES[status]);

/** The quote token of a pair is the first of these in it, and a price is quote per base. */
export const QUOTES = ["USDC", "USDT", "SOL"];

/** The pair of two tokens, like "SOL/USDC". */
export function pairOf(tokenIn, tokenOut) {
  const quote = QUOTES.find((token) => token === tokenIn || token === tokenOut) ?? tokenOut;
  return `${quote === tokenIn ? tokenOut : tokenIn}/${quote}`;
}

/** A mint as long as a symbol; the whole of it is the tooltip. */
export const token = (name = "") =>
  name.length > 12 ? html`<span title=${name}>${name.slice(0, 4)}…${name.slice(-4)}</span>` : name;

/** A badge of a status: its words carry the meaning, the colour repeats it. */
export const badge = (status) => html`<span class="badge ${status}">${status}</span>`;
