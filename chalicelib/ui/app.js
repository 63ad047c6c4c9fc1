/** The page: its shell, its navigation and its start. */
import {html, nothing, render} from "./lit.js";
import {deployment, needsKey, problemView, session} from "./api.js";
import {clock} from "./format.js";
import {linkTo, readRoute} from "./route.js";
import {closeLink, connect, linkProblem, linkState, openLink} from "./stream.js";
import {apply, clearStore, polling, startStore} from "./store.js";
import {changed, onRender, state} from "./state.js";
import {ordersView} from "./orders.js";
import {orderView} from "./order.js";
import {placeView} from "./place.js";
import {marketView} from "./market.js";
import {engineView} from "./engine.js";
import {signInView} from "./signin.js";

const VIEWS = {
  __proto__: null, orders: ["Orders", ordersView], place: ["Place", placeView], market: ["Market", marketView],
  engine: ["Engine", engineView],
};
// The state of the socket, whose tooltip is why it was cut off.
const LINK_WORDS = {off: "Off", connecting: "Connecting", live: "Live", waiting: "Cut off, connecting again"};
const KEY_VIEW = {title: () => "Sign in", render: () => signInView(start)};

let shown = null, shownKey = "";

function viewOf({view, id}) {
  if (needsKey()) return KEY_VIEW;
  return view === "orders" && id ? orderView : VIEWS[view]?.[1] ?? ordersView;
}

function navigate() {
  state.route = readRoute();
  drawPage();
}

/**
 * Draw the page. If the address or the need of a key calls for another view, leave the present one and move the focus
 * to the heading, or to the field of the key.
 */
function drawPage() {
  const {route} = state;
  const next = viewOf(route), isFirst = !shownKey;
  const key = next === KEY_VIEW ? "key" : `${route.view}/${route.id}`;
  const isOther = key !== shownKey;
  if (isOther) {
    shown?.leave?.();
    state.visit++;
    [shown, shownKey] = [next, key];
    shown.enter?.(route);
  }
  document.title = `${shown.title(route)} · Order execution engine`;
  render(page(), document.body);
  if (!isOther) return;
  scrollTo(0, 0);
  if (next === KEY_VIEW) document.querySelector("main input").focus();
  else if (!isFirst) document.querySelector("h1").focus();
}

/** An outage concerns every view; what the page knows stays on it. */
function page() {
  const {at, problem} = polling;
  return html`<header>
      <a class="brand" href=${linkTo("orders")}>Order execution engine</a>
      <nav>${Object.entries(VIEWS).map(([view, [name]]) => html`<a href=${linkTo(view)}
        aria-current=${state.route.view === view ? "page" : nothing}>${name}</a>`)}<a href="docs">Reference</a></nav>
      <span class="link ${linkState}" title=${linkProblem}><span role="status">${LINK_WORDS[linkState]}</span>
        ${linkState === "waiting" ? html`<button class="quiet" @click=${connect}>Connect now</button>` : ""}</span>
      ${session.isOpen && session.key ? html`<button class="quiet" @click=${() => location.reload()}>Sign out</button>` : ""}
    </header>
    <main>${problem && shown !== KEY_VIEW ? html`${problemView(problem)}
      ${at ? html`<p>Last read at ${clock.format(at)}. The page tries again.</p>` : ""}` : ""}${shown.render(state.route)}</main>
    <div class="toast" role="status">${state.notice}</div>`;
}

/** Begin, or go on after a key has expired. What another user has seen is not for this one. */
function start(userId) {
  if (userId !== session.userId) {
    closeLink();
    clearStore();
  }
  Object.assign(session, {isOpen: true, userId});
  openLink(apply);
  startStore(userId);
}

onRender(drawPage);
addEventListener("hashchange", navigate);
addEventListener("resize", changed);
if (deployment.auth !== "on") start("anonymous");
navigate();
