import cf from "cloudfront";

// infra/aws/front_door.py writes here: front_door_rules.json, the response to a request that is no handshake, and the
// origin of the cache behaviors that this copy of the function belongs to.
const table = {/* table */};

// The documentation of CloudFront's runtime lists no for...of.
function handler(event) {
  const request = event.request;
  for (let number = 0; number < table.rewrites.length; number++) {
    const rewrite = table.rewrites[number];
    request.uri = request.uri.replace(new RegExp(rewrite.find, "g"), rewrite.replace);
  }
  if (request.method !== "GET" && request.method !== "HEAD") return toOrigin("rest", request);
  for (let number = 0; number < table.streams.length; number++) {
    const stream = table.streams[number];
    const found = request.uri.match(new RegExp(stream.path));
    if (!found) continue;
    if (!isHandshake(request)) return refusal(event.context.requestId);
    if (stream.parameter) request.querystring[stream.parameter] = { value: found[1] };
    request.uri = "/";
    return toOrigin("websocket", request);
  }
  return toOrigin("rest", request);
}

// CloudFront has selected the origin of the cache behavior, by the path as the client wrote it.
function toOrigin(id, request) {
  if (id !== table.origin) cf.selectRequestOriginById(id);
  return request;
}

// CloudFront hides the headers Upgrade and Connection from its functions.
function isHandshake(request) {
  const names = Object.keys(table.handshake);
  for (let number = 0; number < names.length; number++) {
    const header = request.headers[names[number]];
    if (!header || !header.value.match(new RegExp(table.handshake[names[number]]))) return false;
  }
  return request.method === "GET";
}

function refusal(requestId) {
  const headers = {};
  Object.keys(table.refusal.headers).forEach((name) => {
    headers[name.toLowerCase()] = { value: table.refusal.headers[name].replace("REQUEST_ID", requestId) };
  });
  const body = { encoding: "text", data: table.refusal.body.replace("REQUEST_ID", requestId) };
  return { statusCode: table.refusal.status, statusDescription: "Bad Request", headers: headers, body: body };
}
