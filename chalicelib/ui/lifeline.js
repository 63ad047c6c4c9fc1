/** The waterfall of an order: how long each stage of each attempt has taken. */
import {html} from "./lit.js";
import {isOver, now, span} from "./format.js";
import {panel} from "./ui.js";
import {strip} from "./words.js";

/** The stages until now, or until the last of the events where the order is over or its past is shown. */
export function lifeline({o, events, isPast}) {
  const until = isPast || isOver(o.status) ? o.updatedAt : now();
  // A wait is much longer than all the work, so it is no part of the scale.
  let total = 0;
  const stages = events.map(({at, attempt, status}, place) => {
    const next = events[place + 1], isWait = !attempt || status === "open";
    const start = total, ms = new Date(next?.at ?? until) - new Date(at);
    if (!isWait) total += ms;
    return {attempt, isWait, ms, start, status, fault: (next?.meta.lastError ?? next?.meta)?.code};
  }).filter(({ms}) => ms > 0);
  return panel("Time", html`<table class="strips">
    <tr><th>Stage<th>Work, from start to ${o.status}<th class="num">Took</tr>
    ${stages.map(({attempt, fault, isWait, ms, start, status}) => html`<tr>
      <th>${status}${attempt > 1 ? `, attempt ${attempt}` : ""}
      <td><small>${fault}</small>${isWait ? strip("dim", [0, 100, "cut"])
    : strip(fault ? "bad" : "accent", [(start * 100) / total, Math.max((ms * 100) / total, 0.6)])}
      <td class="num">${span(ms)}</tr>`)}</table>`);
}
