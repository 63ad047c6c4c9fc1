/** What the owner may do with an order: place the same again, cancel, and amend while it is open. */
import {html} from "./lit.js";
import {call, problemView} from "./api.js";
import {isOver, when} from "./format.js";
import {linkTo} from "./route.js";
import {announce, attempt} from "./state.js";
import {pollNow} from "./store.js";
import {sameTerms} from "./commands.js";
import {field, takeForm} from "./ui.js";

/**
 * Cancel or amend the order of a visit. `visit.changing` has the problem of the last try, `visit.seq` the event that an
 * amendment is for. An answer is announced even after the view is left.
 */
async function sendChange(visit, details, method, options) {
  const {changing} = visit;
  await attempt(changing, async () => {
    const {outcome = "amended", status, seq} = await call(method, `/api/orders/${visit.id}`, options);
    announce(`${outcome}: the order is ${status} at event ${seq}.`);
    details.open = false;
  });
  // The next try is for the order as it is then.
  visit.seq = changing.problem?.verdict?.seq ?? visit.seq;
  pollNow();
}

/** A part that opens below its button. */
const action = (words, body, toggle) => html`<details name="change" @toggle=${toggle}>
  <summary class="button quiet">${words}</summary>${body}</details>`;

export function changeRow({visit, o, isPast}) {
  const {launch, ...terms} = sameTerms(o), {problem} = visit.changing;
  for (const name in launch) terms[`launch.${name}`] = launch[name];
  const canChange = !isPast && !isOver(o.status);
  const cancel = ({target}) => sendChange(visit, target.parentNode, "DELETE");
  // The order is amended as it stood when the reader began.
  const begin = () => (visit.seq = o.seq);
  const amend = (event) => {
    const body = takeForm(event);
    sendChange(visit, event.target.parentNode, "PATCH", {body, headers: {"If-Match": `"${visit.seq}"`}});
  };
  return html`<div class="row"><a class="button quiet" href=${linkTo("place", "", terms)}>Same again with …</a>
    ${canChange && o.status === "open" ? action("Amend …", html`<form class="row" @submit=${amend}>
      ${o.limitPrice ? field("limitPrice", "", {hint: html`now ${o.limitPrice}`, problem}) : ""}
      ${field("slippage", "", {hint: "in percent", problem})}
      ${field("expiresAt", "", {hint: html`now ${when(o.expiresAt)}`, problem})}
      <button>Amend</button><small>Empty fields stay as they are.</small></form>`, begin) : ""}
    ${canChange ? action("Cancel …", html`<button class="danger" @click=${cancel}>Yes, cancel this order</button>`) : ""}</div>
    ${problemView(problem)}`;
}
