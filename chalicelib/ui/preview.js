/** What would happen to an order now, asked while its form is filled in. */
import {html} from "./lit.js";
import {call, problemView} from "./api.js";
import {quotesTable} from "./quotes.js";
import {attempt} from "./state.js";
import {isFinal} from "./ui.js";

/** The last question, an order as `text`; its last `answer`; the `problem` of the last try. */
export let preview = {};

/** Ask about an order; of an incomplete form it is null. What has been refused is not asked again. */
export async function askPreview(body) {
  const text = JSON.stringify(body), before = preview.text === text ? preview : {};
  if (before.isBusy || (before.problem && isFinal(before.problem))) return;
  // An answer outlives an outage, but not a change of the form. What comes for an older question is not shown.
  const own = preview = {...before, text};
  await attempt(own, async () => {
    own.answer = body && await call("POST", "/api/orders/preview", {body});
  });
}

/** The preview of an order; `needs` are the names of what its form lacks. */
export function previewView(order, needs) {
  const {answer, problem} = preview;
  return html`<section class="panel preview" aria-label="Preview"><h2>Preview</h2>
    ${quotesTable({tokenIn: "", tokenOut: "", ...order, minAmountOut: answer?.minAmountOut}, answer)}
    ${answer ? html`<p>${answer.summary}</p><small>${answer.reason}</small>
      <ul class="warn">${answer.warnings.map(({message}) => html`<li>${message}</li>`)}</ul>` : ""}
    ${needs.length ? html`<p class="dim">Required: ${needs.join(", ")}.</p>` : ""}${problemView(problem)}</section>`;
}
