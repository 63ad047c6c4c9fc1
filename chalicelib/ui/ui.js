/** What several views are made of: panels, the fields of forms, and times as the controls of a browser write them. */
import {html} from "./lit.js";
import {isoOf} from "./format.js";

export const panel = (heading, ...content) => html`<section class="panel"><h2>${heading}</h2>${content}</section>`;

/** A table of figures: its columns have `heads`, its rows are lists of cells. It scrolls by itself where it is too wide. */
export const tableOf = (heads, rows) => html`<div class="scroll" tabindex="0"><table class="figures">
  <tr>${heads.map((head) => html`<th>${head}`)}</tr>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}`)}</tr>`)}
  </table></div>`;

/** True for a refusal, which asking again does not change. */
export const isFinal = (problem) => problem.status < 429;

/** A name of the API with a mark between its words, like "client order id". */
export const spelled = (name, mark = " ") => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => mark + letter.toLowerCase());

/** The fields that an object has, in words. */
export const inWords = (fields) => Object.entries(fields).filter(([, value]) => value != null)
  .map(([name, value]) => `${spelled(name)} ${value}`).join(", ");

const TIMES = ["from", "to", "expiresAt"];
/** A control has times of the reader's zone, and names no zone; the API takes times that name theirs. */
const localTime = (text) => (text.endsWith("Z") ? new Date(text).toLocaleString("sv").replace(" ", "T") : text);
export const exactTime = (text) => (Date.parse(text) ? isoOf(text) : text);

/** What is filled in of a form that is submitted, as the API takes it. */
export function takeForm(event) {
  event.preventDefault();
  return Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value)
    .map(([name, value]) => [name, TIMES.includes(name) ? exactTime(value) : value]));
}

/**
 * A labelled control: a select where there are `choices`, else an input. What a `problem` says of it stands
 * in the place of its hint. `texts` are of choices that do not say all by themselves.
 */
export function field(name, value = "", {
  label = spelled(name.replace("launch.", "")), choices, texts = {}, hint, about, problem,
}) {
  // Two forms of a view may have fields of one name.
  const isTime = TIMES.includes(name), hintId = name + label.length;
  const error = problem?.errors?.find((one) => one.field === name)?.message;
  return html`<div class="field"><label>${label} ${choices
    ? html`<select name=${name} aria-invalid=${!!error} aria-describedby=${hintId}>
      ${[...new Set(["", ...choices, value])].map((choice) => html`<option value=${choice}
        .selected=${choice === value}>${choice} ${texts[choice]}</option>`)}</select>`
    : html`<input name=${name} type=${isTime ? "datetime-local" : "text"} dir="auto" aria-invalid=${!!error}
      aria-describedby=${hintId} .value=${isTime ? localTime(value) : value}>`}</label>
    <small id=${hintId} class=${error ? "bad" : ""} title=${about}>${error ?? hint}</small></div>`;
}
