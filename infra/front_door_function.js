import cf from "cloudfront";

// Generated table: see front_door_rules.json.
const rules = [/* rules */];

function handler(event) {
  const request = event.request;
  if (!request.headers["sec-websocket-key"]) return request;
  for (const rule of rules) {
    const found = request.uri.match(new RegExp(rule.path));
    if (!found) continue;
    if (rule.parameter) request.querystring[rule.parameter] = { value: found[1] };
    request.uri = "/";
    cf.selectRequestOriginById("websocket");
    return request;
  }
  return request;
}
