/** Asks for an API key where authentication is on, and tries it before the page works with it. */
import {html} from "./lit.js";
import {call, problemView, session} from "./api.js";
import {changed} from "./state.js";
import {takeForm} from "./ui.js";

/** The form; `start` begins the page's work for a user, who is `null` for an operator, who sees the orders of all. */
export function signInView(start) {
  const signIn = async (event) => {
    Object.assign(session, {key: takeForm(event).key.trim(), isOpen: false, problem: null});
    try {
      start((await call("GET", "/api/stats")).userId);
    } catch (problem) {
      // A key without the scope `read` is a key: each view says what it cannot do.
      if (problem.status === 403) start();
      else session.problem = problem;
    }
    changed();
  };
  return html`<h1 tabindex="-1">Sign in</h1>
    <form class="panel" @submit=${signIn}>
      <label>API key <input name="key" type="password" autocomplete="off" required pattern="\\s*[!-~]+\\s*" aria-invalid=${!!session.problem}></label>
      ${problemView(session.problem)}
      <button>Sign in</button>
      <small>It stays in the memory of this page.</small>
    </form>`;
}
