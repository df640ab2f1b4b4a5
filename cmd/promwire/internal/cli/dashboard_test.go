package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// TestDashboardServed has an agent scrape a server into itself, and asks each expression of the dashboard as Grafana does: all
// have data, and all metrics are on the page.
func TestDashboardServed(t *testing.T) {
	g := newGrafana(t)
	d, _ := readDashboard(t)
	page := string(g.get(t, metricsPath, nil).body)
	asked := 0
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			expr := interpolated(target.Expr)
			checkNames(t, expr, page)
			end := time.Now().Unix()
			a := g.post(t, "/api/v1/query_range", url.Values{
				"query": {expr}, "start": {strconv.FormatInt(end-60, 10)}, "end": {strconv.FormatInt(end, 10)}, "step": {"1"},
			})
			asked++
			if a.code != 200 || a.results(t) == 0 {
				t.Errorf("panel %q: %s: %d %.300s", p.Title, expr, a.code, a.body)
			}
		}
	}
	if asked < 20 {
		t.Errorf("%d expressions", asked)
	}
	for _, v := range d.Templating.List {
		if m := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`).FindStringSubmatch(v.Definition); m != nil {
			a := g.get(t, "/api/v1/label/"+m[2]+"/values", url.Values{"match[]": {interpolated(m[1])}})
			if values := a.strings(t); len(values) != 1 {
				t.Errorf("variable %s: %q", v.Name, values)
			}
		}
	}
}

// interpolated is an expression with the variables that Grafana puts in: all values are chosen.
func interpolated(expr string) string {
	return strings.NewReplacer("$__rate_interval", "1m", "$job", ".+", "$instance", ".+").Replace(expr)
}

func readDashboard(t *testing.T) (d dashboard, text []byte) {
	t.Helper()
	text, err := os.ReadFile(deploy + "grafana/dashboards/promwire-serve.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d, text
}

// checkNames demands that the page of metrics has each metric of an expression.
func checkNames(t *testing.T, expr, page string) {
	t.Helper()
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatal(err)
	}
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok && !regexp.MustCompile(`(?m)^`+v.Name+`[{ ]`).MatchString(page) {
			t.Errorf("%s: the page has no %s", expr, v.Name)
		}
		return nil
	})
}

// scrapeSelf has an agent write what a server says of itself to that server, until it has some samples.
func scrapeSelf(t *testing.T, g *grafana) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		done <- Run(ctx, []string{
			"agent", "--scrape", g.srv.url + metricsPath, "--write", g.srv.writeURL(), "--job", "promwire", "--interval", "500ms",
		}, IO{Out: io.Discard, Err: t.Output()})
	}()
	defer func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("the agent ended with %d", code)
		}
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		a := g.post(t, "/api/v1/query", url.Values{"query": {"count_over_time(promwire_build_info[1m]) >= 3"}})
		if a.results(t) > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("no samples of the server itself within a minute")
		}
	}
}
