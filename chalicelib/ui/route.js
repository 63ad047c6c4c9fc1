/** Addresses within the page: `#/orders?status=failed`, `#/orders/<id>?at=3`. Filters live in the address. */
import {queryText} from "./api.js";

/** The route of the address: its view, the id after it, and its query. */
export function readRoute() {
  const [path, query] = location.hash.split("?"), [, view = "", id = ""] = path.split(/[/.]+/);
  return {view: view || "orders", id: id.toLowerCase(), query: Object.fromEntries(new URLSearchParams(query))};
}

/** The address of a view. */
export const linkTo = (view, id = "", query = {}) => `#/${view}${id && `/${id}`}${queryText(query)}`;

/** Change the query of the present address. A replaced address is no step of the browser's history. */
export function setQuery(changes, {replace = true} = {}) {
  const {view, id, query} = readRoute();
  location[replace ? "replace" : "assign"](linkTo(view, id, {...query, ...changes}));
}
