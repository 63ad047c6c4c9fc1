import cf from "cloudfront";

// infra/aws/front_door.py writes front_door_rules.json here.
const rules = [/* rules */];

function handler(event) {
  const request = event.request;
  if (!request.headers["sec-websocket-key"]) return request;
  // The documentation of CloudFront's runtime lists no for...of.
  for (let number = 0; number < rules.length; number++) {
    const rule = rules[number];
    const found = request.uri.match(new RegExp(rule.path));
    if (!found) continue;
    if (rule.parameter) request.querystring[rule.parameter] = { value: found[1] };
    request.uri = "/";
    cf.selectRequestOriginById("websocket");
    return request;
  }
  return request;
}
