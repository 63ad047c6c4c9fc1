/** The record of an order as the fold of its events: the same rules as the engine's own, in `domain/orders.py`. */

/** The phase of each status, in the order in which they may follow. */
export const PHASES = {
  pending: "queued", open: "queued", triggered: "queued",
  routing: "processing", building: "processing", submitted: "processing",
  confirmed: "completed", failed: "failed", cancelled: "cancelled", expired: "expired",
};

// A prepared transaction and a reason to wait are void once the order takes another path.
const RESET = {dexUsed: null, txHash: null, waitReason: null};

/** The record after the next event of its order, as the API answers it. `event` is a frame or an event of the API. */
export function fold(record, event) {
  const {seq, status, attempt, at, meta} = event;
  const every = {seq, status, phase: PHASES[status] ?? event.phase, attempts: attempt, updatedAt: at};
  return {...record, ...every, ...changesOf(record, event, meta ?? {})};
}

function changesOf(record, {status}, meta) {
  switch (status) {
    case "open":
      return {...RESET, ...termsOf(record, meta)};
    case "routing":
      return {...RESET, ...("chosen" in meta && {quotes: meta})};
    case "building":
    case "submitted":
    case "confirmed":
      // The events tell more than the record, by the same names.
      return {dexUsed: meta.dex, ...Object.fromEntries(Object.entries(meta).filter(([name]) => name in record))};
    case "failed":
      return {...RESET, failCode: meta.code, failReason: meta.reason};
    default:
      return RESET;
  }
}

/** An amendment keeps why a sniper order waits: it cannot change what a launch is judged by. */
function termsOf(record, {reason, amended, expiresAt, minAmountOut}) {
  const terms = {expiresAt: expiresAt ?? record.expiresAt, minAmountOut: minAmountOut ?? record.minAmountOut};
  if (!amended) return {...terms, waitReason: reason ?? null};
  return {
    ...terms,
    limitPrice: amended.limitPrice ?? record.limitPrice,
    timeInForce: amended.expiresAt ? "GTD" : record.timeInForce,
    waitReason: record.launch ? record.waitReason : null,
  };
}
