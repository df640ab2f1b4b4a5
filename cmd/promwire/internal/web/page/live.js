// What is arriving now: figures, the tap, who sends, what is refused.
import { el, fill, panel, table, copyButton } from "./dom.js";
import { base } from "./api.js";
import * as feed from "./feed.js";
import { Tap } from "./tap.js";
import { spark } from "./spark.js";
import { short, exact, plural, ago, bytes, visible } from "./format.js";

let parts = null;
let stop = null;

function figure(title) {
  const value = el("b", {}, "–");
  const small = el("small", {}, "\u00a0");
  const line = el("canvas", { "aria-hidden": "true" });
  return { box: el("section.panel.figure", { "aria-label": title }, el("h2", {}, title), value, line, small), value, small, line };
}

function mount(root) {
  parts = {
    requests: figure("Requests per second"), samples: figure("Samples per second"),
    refused: figure("Refused"), senders: figure("Senders"),
    tap: new Tap(), who: panel("Senders"), why: panel("Refused, with reasons"), first: firstSteps(),
  };
  parts.senders.line.remove();
  const { requests, samples, refused, senders, tap, who, why, first } = parts;
  root.append(
    el("div.figures", {}, requests.box, samples.box, refused.box, senders.box),
    first,
    el("div.live", {}, tap.box, el("div.stack", {}, who.box, why.box)),
  );
  stop = feed.subscribe(update);
  tap.onPause = (paused) => feed.tap(!paused);
  feed.tap(true);
}

// firstSteps is for a server that nothing was sent to yet.
function firstSteps() {
  const url = `${base}api/v1/write`;
  const push = `promwire push --url ${url} demo_orders_total 1 --type counter`;
  const config = `remote_write:\n  - url: ${url}`;
  return el("section.panel.start", { hidden: true, "aria-label": "First steps" },
    el("p", {}, "Nothing has arrived since this server was started. Send a first sample:"), code(push),
    el("p", {}, "or have a Prometheus send what it scrapes, in its prometheus.yml:"), code(config),
    el("p", {}, "It shows here as it arrives, then below Metrics and Query, and in Grafana: a Prometheus data source with this URL."), code(base.replace(/\/$/, "")));
}

function code(text) {
  return el("div.code", {}, el("pre", { tabindex: "0" }, text), copyButton(() => text));
}

function update(news) {
  if (!news) return;
  const { traffic, now } = news;
  const t = traffic.totals;
  const p = parts;
  p.first.hidden = t.writes + t.reads > 0;
  p.requests.value.textContent = short(feed.rate(traffic.requests));
  p.requests.small.textContent = `${plural(t.writes, "write")} (1.0: ${short(t.v1)}, 2.0: ${short(t.v2)}), ${plural(t.reads, "read")}`;
  spark(p.requests.line, traffic.requests, traffic.failed);
  p.samples.value.textContent = short(feed.rate(traffic.samples));
  p.samples.small.textContent = `${short(t.samples)} floats, ${short(t.histograms)} histograms, ${bytes(t.bytes)} as sent`;
  spark(p.samples.line, traffic.samples);
  p.refused.value.textContent = short(t.refused);
  p.refused.small.textContent = `${t.refused === 1 ? "item" : "items"}; ${plural(t.failed, "request")} answered with an error`;
  spark(p.refused.line, traffic.failed, traffic.failed);
  const active = traffic.senders.filter((s) => now - s.last < 60000).length;
  p.senders.value.textContent = String(active);
  p.senders.small.textContent = `active in the last minute, ${traffic.senders.length} known`;
  p.tap.add(news.requests, news.restarted);
  showSenders(traffic.senders, now);
  showRefusals(traffic.refusals, now);
}

function showSenders(all, now) {
  const { body } = parts.who;
  if (!all.length) return fill(body, el("p.note", {}, "Nobody has sent anything yet."));
  fill(body, table(["Sender", "", "#Requests", "#Samples", "#Last"], all.map((s) => [
    [el("div", {}, s.ip), el("div.agent", { title: s.agent }, visible(s.agent || "no User-Agent"))],
    el("span.badge", {}, s.version || s.op),
    [exact(s.requests), s.failed ? el("div", {}, el("span.badge.bad", {}, `${short(s.failed)} failed`)) : null].filter(Boolean),
    short(s.samples), ago(s.last, now),
  ]), "Senders"));
}

function showRefusals(all, now) {
  const { body } = parts.why;
  if (!all.length) return fill(body, el("p.note", {}, "Nothing was refused."));
  fill(body, table(["Reason", "#Items", "#Requests", "#Last"], all.map((r) => [
    [el("div", {}, r.reason.replaceAll("_", " ")), r.example && el("span.example", { title: r.example }, visible(r.example))],
    r.items ? exact(r.items) : "–", r.requests ? exact(r.requests) : "–", ago(r.last, now),
  ]), "Refused, with reasons"));
}

function hide() {
  feed.tap(false);
  stop();
}

export const live = { title: "Live", mount, show() {}, hide };
