/** Why an order went as it did: what the engine's explanation adds to its events, for a visit of the order's view. */
import {html} from "./lit.js";
import {call, problemView} from "./api.js";
import {localised} from "./format.js";
import {attempt} from "./state.js";
import {panel} from "./ui.js";

/** Load the explanation where the order has moved since. */
export async function keepExplained(visit, o) {
  if (!o || visit.explained?.seq >= o.seq) return;
  await attempt(visit.explaining, async () => {
    visit.explained = await call("GET", `/api/orders/${visit.id}/explain`);
  });
}

/** An event in words: the engine's if they are known. */
export const wordsOf = ({explained}, {seq, status, meta}) =>
  explained?.story[seq - 1]?.text ?? `${status} ${meta.lastError?.reason ?? meta.reason ?? ""}`;

export const explanationPanel = ({explained, explaining}) => panel("Why", html`${problemView(explaining.problem)}
  ${explained ? html`<p>${localised(explained.summary)}</p>
    ${explained.counterfactuals.filter(({text}) => !explained.summary.includes(text))
    .map(({basis, text}) => html`<p>${localised(text)} <small>(${basis})</small></p>`)}
    <small>Replayed ${explained.replay.checked} values: ${explained.replay.differences.length} differ.</small>` : "…"}`);
