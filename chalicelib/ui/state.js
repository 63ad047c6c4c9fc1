/** What the page shows beside the orders, and when it draws. */

/** `route`: the present address; `notice`: the last outcome, which screen readers announce; `visit`: the number of the view. */
export const state = {route: null, notice: "", visit: 0};

let draw = () => {}, isDue = false, noticeTimer = 0;

/** Name the function that draws the page. */
export function onRender(given) {
  draw = given;
}

/** Draw the page in the next frame, however often this is called until then. */
export function changed() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
}

/**
 * Do `work`, unless that of `own` is under way (`own.isBusy`), and keep what it throws as `own.problem`, which is null
 * once it goes well. The page is drawn before and after it.
 */
export async function attempt(own, work) {
  if (own.isBusy) return;
  own.isBusy = true;
  changed();
  try {
    await work();
    own.problem = null;
  } catch (problem) {
    own.problem = problem;
  }
  own.isBusy = false;
  changed();
}

/** Announce an outcome for a while. */
export function announce(text) {
  state.notice = text;
  clearTimeout(noticeTimer);
  noticeTimer = text && setTimeout(() => announce(""), 6000);
  changed();
}

/** Do `work` now, and again `ms` after it has ended, until the view is left. A hidden page waits. */
export async function whileShown(ms, work) {
  const {visit} = state;
  while (visit === state.visit) {
    if (!document.hidden) await work();
    await new Promise((goOn) => setTimeout(goOn, ms));
  }
}
