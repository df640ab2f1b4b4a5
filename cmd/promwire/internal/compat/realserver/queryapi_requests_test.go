package realserver

import (
	"net/http"
	"net/url"
	"strings"
)

// apiRequests are requests to every path of the API that answers the same wherever it runs, good ones and bad ones.
func apiRequests(first int64) []apiRequest {
	out := queryRequests(first)
	for _, line := range strings.Split(strings.TrimSpace(otherRequests), "\n") {
		path, query, _ := strings.Cut(strings.TrimSpace(line), "?")
		query = strings.NewReplacer("START", seconds(first), "MIDDLE", seconds(first+100_000), "END", seconds(first+450_000)).Replace(query)
		args := url.Values{}
		for pair := range strings.SplitSeq(query, "&&") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				args.Add(name, value)
			}
		}
		out = append(out, apiRequest{http.MethodGet, path, args})
		if !strings.HasPrefix(path, "label/") && !strings.HasPrefix(path, "status/") && path != "metadata" {
			out = append(out, apiRequest{http.MethodPost, path, args})
		}
	}
	return out
}

// queryRequests evaluate all expressions at some time and over a range.
func queryRequests(first int64) []apiRequest {
	var out []apiRequest
	for i, expr := range parityQueries(true) {
		method := []string{http.MethodGet, http.MethodPost}[i%2]
		out = append(out, apiRequest{method, "query", url.Values{"query": {expr}, "time": {seconds(first + 200_000)}}},
			apiRequest{method, "query_range", url.Values{
				"query": {expr}, "start": {seconds(first)}, "end": {seconds(first + 500_000)}, "step": {"23"},
			}})
	}
	return out
}

// otherRequests are paths and parameters, which are not escaped and have && between them. Beyond two entries, status/tsdb has
// ties in any order.
const otherRequests = `
query?query=q_requests_total[1m]&&time=MIDDLE
query?query=q_requests_total&&time=MIDDLE&&limit=3
query?query=q_leaving[1m]&&time=END
query?query=q_native{form="wide"}[20s]&&time=MIDDLE
query?query={"q.temperature °C"}&&time=MIDDLE
query?query={"capteur.numéro"=~"1"}[5m]&&time=MIDDLE
query?query=q_temperature @ START&&time=END&&lookback_delta=1h
query?query=q_temperature&&time=2020-01-01T00:00:00Z
query?query="text"&&time=MIDDLE
query?query=vector(-0)&&time=1
query?query=1/0&&time=1.5
query?query=rate(q_temperature[1m])&&time=MIDDLE
query?query=sum by (nothing) (q_nothing)&&time=MIDDLE
query?query=q_requests_total + on (job) q_requests_total&&time=MIDDLE
query?query=label_replace(q_temperature, "instance", "x", "", "")&&time=MIDDLE
query?query=histogram_quantile(0.9, q_temperature)&&time=MIDDLE
query?query=histogram_quantile(7, q_latency_seconds_bucket)&&time=MIDDLE
query?query=quantile(7, q_temperature)&&time=MIDDLE
query?query=1&&time=MIDDLE&&timeout=1m&&lookback_delta=1s
query?query=limitk(2, q_temperature)&&time=MIDDLE
query?query=sort_by_label(q_temperature, "instance")&&time=MIDDLE
query?query=
query?query=sum(
query?query=sum(1)
query?query=q{a=~"("}
query?query=q{a="b&&time=1
query?query=rate(q)
query?query={a=""}
query?query=a b c
query?query=nofunction(a)
query?query=1&&time=never
query?query=1&&timeout=long
query?query=1&&limit=-1
query?query=1&&limit=x
query?query=1&&time=1&&stats=odd&&timeout=x
query?query=1&&lookback_delta=x
query_range?query=q_requests_total&&start=START&&end=END&&step=1m&&limit=2
query_range?query=q_native&&start=START&&end=MIDDLE&&step=30
query_range?query=time()&&start=0&&end=10&&step=2.5
query_range?query=1&&start=0&&end=1e5&&step=1
query_range?query=1&&start=2&&end=1&&step=1
query_range?query=1&&start=0&&end=1&&step=0
query_range?query=1&&start=0&&end=1&&step=-5
query_range?query=1&&start=0&&end=1&&step=x
query_range?query=1&&start=&&end=1&&step=1
query_range?query=1&&start=1&&end=x&&step=1
query_range?query="text"&&start=0&&end=1&&step=1
query_range?query=q[1m]&&start=0&&end=1&&step=1
query_range?query=sum(&&start=0&&end=1&&step=1
query_exemplars?query=q_traced_total&&start=START&&end=END
query_exemplars?query=rate(q_traced_total{job="b"}[1m]) + q_traced_total{job="a"}&&start=START&&end=END
query_exemplars?query=q_traced_total&&start=MIDDLE&&end=END
query_exemplars?query=q_traced_total
query_exemplars?query=1
query_exemplars?query=sum(
query_exemplars?query=q_traced_total&&start=2&&end=1
query_exemplars?query=q_traced_total&&start=x
series?match[]=q_temperature
series?match[]=q_temperature&&match[]=q_odd&&match[]={instance="host-1"}
series?match[]={__name__=~"q_.*",job="a"}&&start=START&&end=MIDDLE
series?match[]={__name__=~".+"}&&limit=4
series?match[]=q_temperature&&start=1&&end=2
series?match[]={"q.temperature °C"}
series?match[]=q_nothing
series?
series?match[]={a=""}
series?match[]=sum(a)
series?match[]=q_temperature&&start=x
series?match[]=q_temperature&&limit=x
labels?
labels?match[]=q_temperature
labels?match[]=q_temperature&&match[]=q_native
labels?limit=2
labels?start=1&&end=2
labels?match[]=sum(a)
labels?start=x
labels?limit=-2
label/job/values?
label/__name__/values?
label/__name__/values?match[]={job="a"}
label/instance/values?match[]=q_temperature&&match[]=q_requests_total&&limit=3
label/instance/values?start=1&&end=2
label/nothing/values?
label/capteur.numéro/values?
label/U__capteur_2e_num_e9_ro/values?
label/job/values?match[]={
label/job/values?limit=x
format_query?query=sum(rate(q_requests_total{job="a",code=~"5.."}[5m]))by(instance)/on(instance)group_left(job)q_temperature>bool 1
format_query?query=avg_over_time(sum by(le)(rate(some_very_long_metric_name_bucket{label="value",other=~"pattern.*"}[5m]))[1h:1m] offset 5m)
format_query?query=foo @ end()
format_query?query=(
parse_query?query=sum by (a) (rate(b{c!~"d"}[5m] offset 1m)) > bool 2
parse_query?query=quantile_over_time(0.5, a[1h:5m] @ 10) unless on (x) group_right (y) b
parse_query?query=-a{b="c"} ^ 2 or "text"
parse_query?query=(1 + 2) * a or b and c
parse_query?query=count_values("x", a)
parse_query?query=)
metadata?metric=q_nothing
metadata?limit=x
rules?
rules?type=alert
rules?type=x
rules?match[]={
alerts?
status/tsdb?limit=2
status/tsdb?limit=0
status/tsdb?limit=10001
status/tsdb/blocks?
`
