/** Calls of the HTTP API. */
import {html, nothing} from "./lit.js";
import {parseExact, setClock} from "./format.js";

/** What the function wrote into the page: where the sockets are, and what the deployment allows. */
export const deployment = document.documentElement.dataset;

/**
 * The API key is in memory alone: it is gone with the page. `isOpen` once the API has taken it, for `userId`;
 * `problem` is why the API asks for another.
 */
export const session = {key: "", isOpen: false, userId: undefined, problem: null};

/** True while the page can do nothing without a key. */
export const needsKey = () => deployment.auth === "on" && (!session.isOpen || session.problem);

/** A refusal of the API, or no answer at all (`isOffline`). Has the fields of a problem: `status`, `code`, `errors` … */
const problemOf = (fields) => Object.assign(Error(fields.detail), fields);

/**
 * The body of an answer to `path`, which begins with a slash, with exact numbers.
 * Throws a problem for a refusal, for an answer that is no JSON, and where there is no answer in 15 s.
 */
export async function call(method, path, {body, headers} = {}) {
  if (session.problem) throw session.problem;
  const {key} = session;
  const options = {
    method, body: body && JSON.stringify(body), cache: "no-cache", signal: AbortSignal.timeout(15_000),
    headers: {"Content-Type": "application/json", ...(key && {Authorization: `Bearer ${key}`}), ...headers},
  };
  let status, isOk, answer;
  try {
    // A path is relative to the page, which may be below the stage of an API.
    const response = await fetch(`.${path}`, options);
    ({status, ok: isOk} = response);
    setClock(Date.parse(response.headers.get("Date")));
    answer = parseExact(await response.text());
    if (Object(answer) !== answer) throw answer;
  } catch {
    throw problemOf({isOffline: true, title: "No answer from the engine", detail: `It does not answer now. ${status ?? ""}`});
  }
  // What one user has asked for is not for the next.
  if (key !== session.key) throw problemOf({status: 401, title: "Signed out"});
  if (isOk) return answer;
  const problem = problemOf({status, title: `Refused (${status})`, detail: answer.message, ...answer});
  if (status === 401) session.problem = problem;
  throw problem;
}

/** `query` as text to append to a path, without its empty parameters. */
export function queryText(query) {
  const filled = Object.entries(query).filter(([, value]) => value != null && value !== "");
  return filled.length ? `?${new URLSearchParams(filled)}` : "";
}

/** A problem where it arises: what is wrong, and what to quote to an operator. Any other error is a fault of the page. */
export function problemView(problem) {
  if (!problem) return "";
  return html`<div class="problem" role="alert">
    <strong>${problem.title ?? "The page failed"}</strong> ${problem.detail ?? problem.message}
    ${problem.errors?.map((error) => html`<div><code>${error.field}</code> ${error.message}</div>`)}
    <small>${problem.code} ${problem.requestId}</small>
  </div>`;
}
