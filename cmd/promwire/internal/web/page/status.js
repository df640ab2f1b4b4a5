// How the store is, and what in it takes the most room.
import { el, fill, panel, table, copyButton } from "./dom.js";
import { own, api, base } from "./api.js";
import { bytes, exact, duration, dateTime, ago } from "./format.js";

let parts = null;
let timer = 0;

function mount(root) {
  parts = { server: panel("Server"), data: panel("Data"), head: panel("Head"), use: panel("Addresses"), large: el("div.cards.wide"), error: el("div") };
  root.append(parts.error, el("div.cards", {}, parts.server.box, parts.data.box, parts.head.box, parts.use.box), parts.large);
  addresses();
  load();
  cardinality();
  timer = setInterval(() => { if (!document.hidden) load(); }, 5000);
}

function list(pairs) {
  return el("dl.pad", {}, pairs.filter(Boolean).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

const span = (ms) => duration(ms / 1000);

async function load() {
  let s;
  try {
    s = await own("status");
    fill(parts.error);
  } catch (e) {
    fill(parts.error, el("div.error", { role: "alert" }, e.message));
    return;
  }
  const server = [
    ["Version", `promwire ${s.version}`], ["Built with", s.goVersion], ["Started", `${dateTime(s.started)}, ${ago(s.started, s.now)}`],
  ];
  if (s.gateway) {
    gateway(server, s.gateway);
    return;
  }
  fill(parts.server.body, list([
    ...server,
    ["State", s.failed ? el("span.badge.bad", {}, "a log write failed: the store is about to be opened anew") : el("span.badge.good", {}, "takes writes")],
  ]));
  fill(parts.data.body, list([
    ["Folder", el("code", {}, s.dir)],
    ["On disk", [`${bytes(s.headBytes + s.blockBytes)}: ${bytes(s.blockBytes)} in ${exact(s.blocks)} blocks, ${bytes(s.headBytes)} in logs`, s.retentionBytes > 0 && meter(s.blockBytes / s.retentionBytes)].filter(Boolean)],
    ["Free", [bytes(s.free), s.minFree ? el("span.dim", {}, `, writes stop below ${bytes(s.minFree)}`) : ""]],
    ["Retention", [s.retention ? span(s.retention) : "for ever", s.retentionBytes ? ` or ${bytes(s.retentionBytes)}` : ""].join("")],
    ["Late samples", s.outOfOrderWindow ? `up to ${span(s.outOfOrderWindow)}` : "not taken"],
    ["Early samples", s.futureWindow ? `up to ${span(s.futureWindow)} ahead` : "not taken"],
  ]));
  fill(parts.head.body, list([
    ["Series", exact(s.headSeries)], ["Families", `${exact(s.families)} with metadata`],
    ["Oldest sample", s.maxTime ? dateTime(s.minTime) : "none"],
    ["Newest sample", s.maxTime ? `${dateTime(s.maxTime)}, ${ago(s.maxTime, s.now)}` : "none"],
  ]));
}

// gateway shows how a server before an engine is.
function gateway(server, g) {
  parts.engine ??= swap(parts.data, "Engine");
  parts.spool ??= swap(parts.head, "Spool");
  const waits = g.oldest > 15000 ? el("span.badge.bad", {}, "the engine does not take data") : el("span.badge.good", {}, "takes writes");
  fill(parts.server.body, list([...server, ["State", waits]]));
  fill(parts.engine.body, list([
    ["Address", el("code", {}, g.engine)], ["Samples sent", exact(g.sent)], ["Refused", exact(g.refused)], ["Attempts repeated", exact(g.retries)],
  ]));
  fill(parts.spool.body, list([
    ["Folder", el("code", {}, g.dir)], ["On disk", [`${bytes(g.spoolBytes)} of ${bytes(g.spoolMax)}`, meter(g.spoolBytes / g.spoolMax)]],
    ["Samples that wait", exact(g.pending)], ["The oldest waits", g.pending ? `for ${span(g.oldest)}` : "none"],
  ]));
}

// swap puts another panel in the place of one.
function swap(old, title) {
  const fresh = panel(title);
  old.box.replaceWith(fresh.box);
  return fresh;
}

function meter(share) {
  const bar = el("i");
  bar.style.width = `${Math.min(100, Math.max(1, share * 100))}%`;
  return el("div.meter", { role: "img", "aria-label": `${Math.round(share * 100)} percent of the bound` }, bar);
}

function addresses() {
  const pairs = [["Remote write", `${base}api/v1/write`], ["Remote read", `${base}api/v1/read`], ["Data source", base.replace(/\/$/, "")]];
  fill(parts.use.body, list(pairs.map(([name, url]) => [name, [el("code", {}, url), copyButton(() => url)]])));
}

async function cardinality() {
  const tables = [
    ["Series by metric", "Metric", "seriesCountByMetricName"], ["Values by label", "Label", "labelValueCountByLabelName"],
    ["Memory by label", "Label", "memoryInBytesByLabelName"], ["Series by label pair", "Pair", "seriesCountByLabelValuePair"],
  ];
  try {
    const { data } = await api("status/tsdb", { limit: 20 });
    fill(parts.large, tables.map(([title, what, field]) => {
      const p = panel(title);
      const rows = (data[field] || []).filter((r) => !r.name.startsWith("__name__=")).slice(0, 10).map((r) => [el("code", {}, r.name), field.startsWith("memory") ? bytes(r.value) : exact(r.value)]);
      p.body.append(rows.length ? table([what, `#${title.split(" ")[0]}`], rows, title) : el("p.note", {}, "Nothing in the head."));
      return p.box;
    }));
  } catch (e) {
    fill(parts.large, el("p.note", {}, `Nothing about cardinality: ${e.message}`));
  }
}

function hide() {
  clearInterval(timer);
}

export const status = { title: "Status", mount, show() {}, hide };
