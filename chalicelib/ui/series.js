/** Quotes over time. Each pair, side and size has a series of its own, which outlives the view. */
import {call, queryText} from "./api.js";
import {now} from "./format.js";
import {changed} from "./state.js";

export const VENUES = ["raydium", "meteora"];

const series = new Map();

/**
 * The samples of a swap, oldest first: `at` in ms, the quote of each venue that gave one, `chosen`, and `why`: the
 * advantage of the chosen venue, or why there is no quote.
 */
export const samplesOf = (swap) => series.get(queryText(swap)) ?? [];

/** Take a sample, unless the swap can never be quoted. */
export async function takeSample(swap) {
  const [key, at, samples] = [queryText(swap), now(), samplesOf(swap)];
  if (samples.at(-1)?.problem?.status === 400) return;
  const {rQuote, mQuote, chosen, reason, errors = {}, problem} = await call("GET", `/api/quotes${key}`).catch((problem) => ({problem}));
  const why = [reason ?? problem?.message, ...Object.values(errors).map((error) => error.reason)].join("; ");
  samples.push({at, raydium: rQuote, meteora: mQuote, chosen, why, problem});
  // Ten minutes are kept.
  while (samples[0].at < at - 600_000) samples.shift();
  series.set(key, samples);
  changed();
}
