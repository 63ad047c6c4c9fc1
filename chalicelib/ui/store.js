/** The orders that the page knows. Frames change them in place; polls bring what no frame brought. */
import {call, queryText} from "./api.js";
import {isOver} from "./format.js";
import {fold} from "./fold.js";
import {attempt, changed} from "./state.js";
import {followOrder, followUser, leaveOrder} from "./stream.js";

/** The record of each known order, by id. */
export const orders = new Map();
/** The ids of the known orders, newest first. */
export const newestFirst = [];
/** All events of the orders whose pages are open, by id. */
export const histories = new Map();
/** How the last poll went; `isLoaded` once one has succeeded. */
export const polling = {};

// Only polls move this time: a frame says nothing of the orders of other users.
let newestUpdate = "", timer = 0, isOutdated = false, polledAt = 0;

/** Begin to poll, and to follow a user, if there is one. */
export function startStore(userId) {
  polling.problem = null;
  if (userId) followUser(userId, () => newestUpdate);
  pollNow();
}

/** Forget everything, for the next user. */
export function clearStore() {
  orders.clear();
  newestFirst.length = 0;
  histories.clear();
  clearTimeout(timer);
  newestUpdate = "";
  Object.assign(polling, {problem: null, isLoaded: false});
}

/** Keep a record, unless a newer one is known. */
export function put(record) {
  const known = orders.get(record.orderId);
  if (known && known.seq >= record.seq) return;
  if (!known) newestFirst.splice(placeOf(record), 0, record.orderId);
  orders.set(record.orderId, record);
  // A page that is open for days forgets the oldest, but none whose page is open.
  if (newestFirst.length > 20_000 && !histories.has(newestFirst.at(-1))) orders.delete(newestFirst.pop());
}

/** Take the next event of an order. A double changes nothing; what is missing before it is fetched. */
export function apply(frame) {
  const {orderId, seq} = frame;
  const record = orders.get(orderId), events = histories.get(orderId);
  if (events?.length === seq - 1) events.push(frame);
  if (record?.seq === seq - 1) put(fold(record, frame));
  else if (!record || record.seq < seq) pollNow();
  if (events && events.length < seq) fill(orderId);
  changed();
}

/** Read an order and all its events, and follow it. Throws a Problem. */
export async function openOrder(orderId) {
  put(await call("GET", `/api/orders/${encodeURIComponent(orderId)}`));
  if (!histories.has(orderId)) histories.set(orderId, []);
  await fill(orderId);
  followOrder(orderId, () => histories.get(orderId)?.length ?? 0);
  changed();
}

/** Follow the events of an order no longer. */
export function closeOrder(orderId) {
  histories.delete(orderId);
  leaveOrder(orderId);
}

/** Read and keep a page of a list: `orders` and `nextCursor`. Throws a Problem. */
export async function loadPage(query) {
  const page = await call("GET", `/api/orders${queryText({limit: 200, ...query})}`);
  page.orders.forEach(put);
  const latest = latestOf(page.orders);
  for (const {status, userId} of page.orders) if (!isOver(status)) followUser(userId, () => newestUpdate || latest);
  changed();
  return page;
}

/** Poll at once, or as soon as the last poll is half a second old. */
export function pollNow() {
  // The answer to a poll that has begun may lack what this one is for.
  isOutdated = true;
  clearTimeout(timer);
  if (!polling.isBusy) timer = setTimeout(poll, polledAt + 500 - Date.now());
}

/** Read every order that changed since the newest change that is known, and then again after a pause. */
async function poll() {
  isOutdated = false;
  await attempt(polling, async () => {
    newestUpdate = await readChanges(newestUpdate);
    Object.assign(polling, {isLoaded: true, at: Date.now()});
    for (const [orderId, events] of histories) if (events.length < orders.get(orderId)?.seq) fill(orderId);
  });
  polledAt = Date.now();
  // Another key has to come before it is of use to ask again.
  const isRefused = [401, 403].includes(polling.problem?.status);
  // Without authentication, polls alone tell of users who are new. A browser slows the timers of a hidden page down.
  if (isOutdated) pollNow();
  else if (!isRefused) timer = setTimeout(poll, 2500);
}

/** Read every order that changed since a time, and return the time of the newest change; at first the newest orders. */
async function readChanges(since) {
  let [newest, cursor] = [since, null];
  do {
    const page = await loadPage({updatedSince: since, cursor});
    newest = latestOf(page.orders, newest);
    cursor = page.nextCursor;
  } while (cursor && since);
  return newest;
}

const latestOf = (found, since = "") => found.reduce((latest, {updatedAt}) => (updatedAt > latest ? updatedAt : latest), since);

/** Fetch the events that a history lacks. The next poll tries again what failed. */
function fill(orderId) {
  const known = histories.get(orderId);
  return attempt(known, async () => {
    const {events} = await call("GET", `/api/orders/${orderId}/events?afterSeq=${known.length}`);
    events.forEach((event) => apply({...event, orderId}));
  });
}

/** The place of a record that is not known yet. */
const placeOf = ({createdAt}) => newestFirst.findLastIndex((id) => orders.get(id).createdAt > createdAt) + 1;
