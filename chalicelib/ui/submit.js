/** Places orders, each by a key that makes a repeat after an unknown outcome the same order. */
import {call} from "./api.js";
import {linkTo, readRoute} from "./route.js";
import {announce} from "./state.js";

/** The keys of orders by their text: until an answer comes, the same text has the same key. */
const keys = {};

/** Place an order and go to its view, unless the reader has gone elsewhere. Throws a Problem. */
export async function placeOrder(body) {
  const [text, {view}] = [JSON.stringify(body), readRoute()];
  // Not randomUUID, which is missing where the page comes over plain HTTP from another machine.
  keys[text] ??= crypto.getRandomValues(new Uint32Array(4)).join("-");
  const {orderId} = await call("POST", "/api/orders/execute", {body, headers: {"Idempotency-Key": keys[text]}});
  delete keys[text];
  announce("The order is placed.");
  if (readRoute().view === view) location.hash = linkTo("orders", orderId);
}
