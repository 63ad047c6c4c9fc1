/** The faults that the simulated venues can play for an order. */

// What each does in so many attempts, of which an order has three. Most say it by their names.
const EFFECTS = {
  network_error: "", venue_timeout: "", stale_quote: "", slippage: "price moves away",
  tx_dropped: "swap never lands", landed_reply_lost: "swap lands",
};

/** What each fault does. */
export const FAULTS = {
  "": "–", no_liquidity: "", "venue_down:raydium": "", "venue_down:meteora": "", "slow:5000": "",
};
for (const [name, effect] of Object.entries(EFFECTS)) {
  for (const times of [1, 2, 3]) FAULTS[`${name}:${times}`] = effect;
}
