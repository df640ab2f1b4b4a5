// The HTTP API of Prometheus, and the two of this page. All requests are GET, to this server.

// base is the address of this page, without a password that may stand in it: no request of a script may have one.
export const base = location.origin + location.pathname.replace(/[^/]*$/, "");

// ApiError has the server's own words.
export class ApiError extends Error {
  constructor(message, kind) {
    super(message);
    this.kind = kind;
  }
}

async function get(path, params, signal) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params || {})) {
    for (const v of [value].flat()) if (v !== undefined && v !== null && v !== "") query.append(name, v);
  }
  const text = query.toString();
  const url = base + path;
  let answer;
  try {
    answer = await fetch(text ? `${url}?${text}` : url, { signal, headers: { Accept: "application/json" } });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new ApiError("the server does not answer", "network");
  }
  return answer;
}

// own asks for the data of this page.
export async function own(name, params, signal) {
  const answer = await get(`ui/${name}`, params, signal);
  if (!answer.ok) throw new ApiError((await answer.text()).trim().slice(0, 1000) || answer.statusText, "server");
  return answer.json();
}

// api asks Prometheus' API, and returns its data and warnings.
export async function api(path, params, signal) {
  const answer = await get(`api/v1/${path}`, params, signal);
  let body;
  try {
    body = await answer.json();
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new ApiError(`the server answered ${answer.status}`, "server");
  }
  if (body.status !== "success") throw new ApiError(body.error || `the server answered ${answer.status}`, body.errorType);
  return { data: body.data, warnings: [...(body.warnings || []), ...(body.infos || [])] };
}

const kept = new Map();

// cached is api with a memory of half a minute, for names and values; an answer that failed is not kept.
export function cached(path, params = {}) {
  const key = path + JSON.stringify(params);
  const old = kept.get(key);
  if (old && Date.now() - old.at < 30000) return old.answer;
  if (kept.size > 200) kept.clear();
  const answer = api(path, params).then((a) => a.data);
  kept.set(key, { at: Date.now(), answer });
  answer.catch(() => kept.delete(key));
  return answer;
}

// metricNames returns the names of all metrics, sorted.
export function metricNames() {
  return cached("label/__name__/values");
}

// mostFamilies bounds the metadata that lists and completion know: a server may have 64 MB of it.
const mostFamilies = 5000;

const suffixes = ["_bucket", "_count", "_sum", "_total", "_info", "_created"];

// families returns type, help and unit by family, of the first ones.
export async function families() {
  return firsts(await cached("metadata", { limit: mostFamilies }));
}

// familiesOf returns those that a metric may belong to.
export async function familiesOf(metric) {
  const names = [metric, ...suffixes.filter((s) => metric.endsWith(s)).map((s) => metric.slice(0, -s.length))].filter(Boolean);
  const all = await Promise.all(names.map((name) => cached("metadata", { metric: name })));
  return firsts(Object.assign({}, ...all));
}

function firsts(metadata) {
  const out = new Map();
  for (const [name, all] of Object.entries(metadata)) if (all.length) out.set(name, all[0]);
  return out;
}

// familyOf finds the metadata that are meant for a metric, which may have a suffix that its family has not.
export function familyOf(known, metric) {
  if (known.has(metric)) return known.get(metric);
  for (const s of suffixes) {
    const family = metric.endsWith(s) && known.get(metric.slice(0, -s.length));
    if (family) return family;
  }
  return null;
}
