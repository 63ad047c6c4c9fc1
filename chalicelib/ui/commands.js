/** An order as commands of a shell and of Python, which place the same one, but for its slippage and simulated fault. */
import {html} from "./lit.js";
import {deployment} from "./api.js";
import {announce} from "./state.js";
import {spelled} from "./ui.js";

/** The terms to place an order again. What is null is left out, as is an expiry that is the latest or has passed. */
export const sameTerms = ({userId, type, tokenIn, tokenOut, amountIn, limitPrice, timeInForce, expiresAt, launch}) => ({
  userId, type, tokenIn, tokenOut, amountIn, limitPrice, launch,
  timeInForce: timeInForce === "IOC" ? "IOC" : null,
  expiresAt: timeInForce === "GTD" && new Date(expiresAt) > new Date() ? expiresAt : null,
});

const json = (value) => JSON.stringify(value, (name, inner) => inner ?? undefined);

/** JSON of texts means the same in Python, whose names have underscores. */
const python = (value) => json(value).replace(/[A-Z](?=\w*":)/g, (letter) => `_${letter.toLowerCase()}`);

/** Each command by its name. No value of the terms has a character that a shell would not take as it is. */
function commandsOf(o) {
  const terms = sameTerms(o), base = location.href.split("/#")[0];
  const {userId, type, tokenIn, tokenOut, amountIn, ...rest} = terms;
  const {limitPrice, expiresAt, launch, timeInForce} = rest, {mint, ...filters} = launch ?? {};
  const words = o.side === "sell" ? ["sell", amountIn, tokenIn, tokenOut]
    : [launch ? "snipe" : "buy", tokenOut, amountIn, tokenIn];
  const flags = Object.entries({limit: limitPrice, expires: expiresAt, ...filters, user: userId, url: base})
    .map(([name, value]) => value && `--${spelled(name, "-")} ${value}`);
  const key = deployment.auth === "on" ? ' -H "Authorization: Bearer $OE_KEY"' : "";
  return {
    curl: `curl -sS${key} -H 'Content-Type: application/json' -d '${json(terms)}' ${base}/api/orders/execute`,
    Python: `from orderengine import Client\n\nwith Client("${base}", user="${userId}") as client:\n    `
      + `print(client.submit("${tokenIn}", "${tokenOut}", "${amountIn}", **${python(rest)}).result())`,
    "Command line": ["oe", ...words, ...flags, timeInForce && "--ioc"].filter(Boolean).join(" "),
  };
}

export const commandsPanel = (o) => html`<details class="panel"><summary>Copy as curl, Python, command line</summary>
  ${Object.entries(commandsOf(o)).map(([name, text]) => html`<div><button class="quiet" @click=${copyText}>Copy</button>
    ${name}<pre>${text}</pre></div>`)}</details>`;

/** Copy the text beside a button. A page that is not from HTTPS or localhost may not copy: then the text is selected. */
async function copyText({target}) {
  const text = target.parentNode.lastElementChild;
  try {
    await navigator.clipboard.writeText(text.textContent);
    announce("Copied.");
  } catch {
    getSelection().selectAllChildren(text);
    announce("Selected, to be copied.");
  }
}
