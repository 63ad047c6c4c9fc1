/**
 * One socket for the whole page. It follows users and orders, comes back by itself after a cut, and resumes each stream
 * where it ended. The store polls as well, so a mute socket delays an update and loses none.
 */
import {call, deployment, queryText} from "./api.js";
import {PHASES} from "./fold.js";
import {parseExact} from "./format.js";
import {announce, changed} from "./state.js";

/** What the socket does: "off", "connecting", "live", or "waiting" to connect again. */
export let linkState = "off";
/** Why the socket was cut off, until it is live again. */
export let linkProblem = "";

// The streams by key: an id of an order or `user:<id>`, each with a function that tells the subscription that resumes it.
const streams = new Map();
let socket = null, failures = 0, pings = 0, retry = 0, turn = 0, isHeard = false;
let onFrame = null;

/** Open the socket, with what takes every update of an order. */
export function openLink(given) {
  onFrame = given;
  connect();
}

/** Close the socket and forget its streams. */
export function closeLink() {
  streams.clear();
  turn++;
  drop();
  report("off");
}

/** Follow all orders of a user; `since` tells from which time on. */
export function followUser(userId, since) {
  // The engine allows 50 on a socket. Beyond these, polls bring the orders of a user.
  if (streams.size < 45) follow(`user:${userId}`, () => ({userId, since: since() || undefined}));
}

/** Follow an order; `afterSeq` tells after which event. */
export const followOrder = (orderId, afterSeq) => follow(orderId, () => ({orderId, afterSeq: afterSeq()}));

/** Leave the stream of an order. */
export function leaveOrder(orderId) {
  if (streams.delete(orderId)) send({action: "unsubscribe", orderId});
}

function follow(key, subscription) {
  if (streams.has(key)) return;
  streams.set(key, subscription);
  subscribe(subscription);
}

const subscribe = (subscription) => send({action: "subscribe", ...subscription()});

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** Connect now, unless the socket is open or about to be. */
export async function connect() {
  if (["connecting", "live"].includes(linkState)) return;
  clearTimeout(retry);
  report("connecting", linkProblem);
  const mine = ++turn;
  try {
    // A browser cannot set headers on a handshake: a ticket stands for the key.
    const ticket = deployment.auth === "on" ? await call("POST", "/api/stream-tickets", {body: {}}) : {};
    if (mine === turn) listenTo(new WebSocket(deployment.ws + queryText({token: ticket.token})));
  } catch (problem) {
    if (mine === turn) problem.status === 401 ? closeLink() : cut(problem.message);
  }
}

/** A new socket is live with its first frame: the answer to a ping at the latest. */
function listenTo(own) {
  socket = own;
  isHeard = false;
  pings = setInterval(ping, 15_000);
  own.onopen = () => {
    streams.forEach(subscribe);
    send({action: "ping"});
  };
  own.onmessage = ({data}) => own === socket && receive(data);
  own.onclose = ({code, reason}) => own === socket && cut(reason || `The socket closed with code ${code}`);
}

/** A socket may be dead without a close: one that is silent after a ping, or never opens, is given up. */
function ping() {
  if (!isHeard) return cut("The socket is silent");
  [isHeard, failures] = [false, 0];
  send({action: "ping"});
}

/** Wait a random time that doubles with each failure (full jitter), and connect. */
function cut(problem) {
  drop();
  retry = setTimeout(connect, 250 + Math.random() * Math.min(30_000, 500 * 2 ** failures++));
  report("waiting", problem);
}

function drop() {
  const old = socket;
  socket = null;
  clearInterval(pings);
  clearTimeout(retry);
  old?.close();
}

function receive(data) {
  isHeard = true;
  report("live");
  let frame;
  try {
    frame = Object(parseExact(data));
  } catch {
    return;
  }
  // A frame without these says nothing: the next poll brings what it may be about.
  const {at, meta, seq, status, type} = frame;
  if (type === "ORDER_UPDATE" && PHASES[status] && seq > 0 && Date.parse(at)) onFrame({...frame, meta: meta ?? {}});
  else if (type === "error") announce(frame.detail);
}

function report(state, problem = "") {
  if (linkState === state) return;
  [linkState, linkProblem] = [state, problem];
  changed();
}
