/** Moving the limit of an order: by pointer or by keyboard, and amended once when it is let go. */
import {call} from "./api.js";
import {pollNow, put} from "./store.js";
import {announce, attempt, changed} from "./state.js";

/** The order that is moved, as it was when the move began; its new limit; and the `problem` of the last try. */
export let movedOrder = null;
export let movedPrice = "";
export const moving = {};

/** Move a limit to a price, one at a time. The first step of a move fixes the `seq` that the amendment is for. */
export function moveTo(order, price) {
  if (moving.isBusy || !(price > 0) || (movedOrder ?? order).orderId !== order.orderId) return;
  [movedOrder, movedPrice, moving.problem] = [movedOrder ?? order, price, null];
  changed();
}

/** Leave the limit as it was. */
export function leaveMove() {
  if (!moving.isBusy) movedOrder = null;
  changed();
}

/** Amend the order to the price that it was moved to. While an amendment is under way there is no other. */
export async function commitMove() {
  if (!movedOrder) return;
  const path = `/api/orders/${movedOrder.orderId}`;
  await attempt(moving, async () => {
    put(await call("PATCH", path, {body: {limitPrice: movedPrice}, headers: {"If-Match": `"${movedOrder.seq}"`}}));
    announce(`Amended: the limit is now ${movedPrice}.`);
  });
  // After a refusal, the order is not as it was known.
  if (moving.problem) pollNow();
  leaveMove();
}
