package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

const deploy = "../../../../deploy/"

// dashboard is what the test knows of Grafana's dashboards.
type dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
	Panels []panel
}

type panel struct {
	ID    int
	Type  string
	Title string

	Description string
	Datasource  struct{ Type, UID string }
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct {
		RefID string `json:"refId"`
		Expr  string
	}
	FieldConfig struct{ Defaults struct{ Unit string } }
}

// TestDashboard holds the dashboard against the parser of PromQL, the list of metrics, and what Grafana demands.
func TestDashboard(t *testing.T) {
	d, text := readDashboard(t)
	if d.UID == "" || len(d.UID) > 40 || d.Title == "" || d.SchemaVersion < 36 {
		t.Errorf("uid %q, title %q, schema %d", d.UID, d.Title, d.SchemaVersion)
	}
	units := []string{"short", "bytes", "s", "reqps", "Bps", "dateTimeFromNow"}
	ids, exprs := map[int]bool{}, 0
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if p.ID == 0 || ids[p.ID] || p.Title == "" || p.Description == "" && p.Type != "row" {
			t.Errorf("panel %d %q: the number is taken, or title or description are missing", p.ID, p.Title)
		}
		ids[p.ID] = true
		checkPlace(t, p, taken)
		if p.Type == "row" {
			continue
		}
		if !slices.Contains([]string{"timeseries", "stat"}, p.Type) || !slices.Contains(units, p.FieldConfig.Defaults.Unit) ||
			p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q: %+v", p.Title, p)
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] || target.RefID == "" {
				t.Errorf("panel %q: refId %q", p.Title, target.RefID)
			}
			refs[target.RefID] = true
			checkExpr(t, target.Expr)
			exprs++
		}
	}
	if exprs < 20 {
		t.Errorf("%d expressions", exprs)
	}
	checkVariables(t, text, &d)
}

// checkPlace demands 24 columns, and that no panel covers another one.
func checkPlace(t *testing.T, p panel, taken map[[2]int]string) {
	t.Helper()
	g := p.GridPos
	if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
		t.Errorf("panel %q: %+v", p.Title, g)
	}
	for x := g.X; x < g.X+g.W; x++ {
		for y := g.Y; y < g.Y+g.H; y++ {
			if other := taken[[2]int{x, y}]; other != "" {
				t.Fatalf("panel %q covers %q", p.Title, other)
			}
			taken[[2]int{x, y}] = p.Title
		}
	}
}

// checkVariables demands that what is used is there, and the other way round.
func checkVariables(t *testing.T, text []byte, d *dashboard) {
	t.Helper()
	there := map[string]bool{"__rate_interval": true, "__all": true}
	for _, v := range d.Templating.List {
		there[v.Name] = true
		if !bytes.Contains(text, []byte("$"+v.Name)) && !bytes.Contains(text, []byte("${"+v.Name+"}")) {
			t.Errorf("variable %s is not used", v.Name)
		}
		if m := regexp.MustCompile(`^label_values\((.+), \w+\)$`).FindStringSubmatch(v.Definition); v.Type == "query" {
			if m == nil {
				t.Errorf("variable %s: %s", v.Name, v.Definition)
				continue
			}
			checkExpr(t, m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\$\{?(\w+)`).FindAllSubmatch(text, -1) {
		if !there[string(m[1])] {
			t.Errorf("variable %s is not there", m[1])
		}
	}
}

// suffixes are those of the series of histograms and summaries.
var suffixes = regexp.MustCompile(`_(bucket|sum|count)$`)

// checkExpr parses an expression and looks its metrics up in docs/metrics.md.
func checkExpr(t *testing.T, text string) {
	t.Helper()
	doc, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(text, "$__rate_interval", "5m"))
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	found := 0
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		found++
		name := v.Name
		if !bytes.Contains(doc, []byte("`"+name+"`")) && !bytes.Contains(doc, []byte("`"+suffixes.ReplaceAllString(name, "")+"`")) {
			t.Errorf("%s: docs/metrics.md has no %s", text, name)
		}
		for _, m := range v.LabelMatchers {
			if !slices.Contains([]string{model.MetricNameLabel, "job", "instance", "code"}, m.Name) {
				t.Errorf("%s: label %s", text, m.Name)
			}
		}
		return nil
	})
	if found == 0 {
		t.Errorf("%s: no metric", text)
	}
}

// TestAlerts parses the expressions that docs/operations.md recommends.
func TestAlerts(t *testing.T) {
	doc, err := os.ReadFile("../../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(doc, []byte("| expression | meaning |"))
	lines, _, _ := strings.Cut(string(rest), "\n\n")
	found := regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(lines, -1)
	if len(found) < 5 {
		t.Fatalf("%d expressions", len(found))
	}
	for _, m := range found {
		checkExpr(t, m[1])
	}
}

// TestProvisioning parses the files for Grafana, and checks that the dashboard's data source is the one they make.
func TestProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			JSONData                     map[string]any `yaml:"jsonData"`
		}
	}
	var providers struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type     string
			AllowUIUpdates bool `yaml:"allowUiUpdates"`
			Options        struct{ Path string }
		}
	}
	for file, to := range map[string]any{"datasources/promwire.yml": &sources, "dashboards/promwire.yml": &providers} {
		text, err := os.ReadFile(deploy + "grafana/provisioning/" + file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		decoder.KnownFields(true)
		if err := decoder.Decode(to); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if len(sources.Datasources) != 1 || sources.APIVersion != 1 || sources.Datasources[0].Type != "prometheus" || sources.Datasources[0].Access != "proxy" {
		t.Errorf("%+v", sources)
	}
	if len(providers.Providers) != 1 || providers.APIVersion != 1 || providers.Providers[0].Options.Path == "" {
		t.Errorf("%+v", providers)
	}
}

// TestUnitVerify has systemd look at the unit, where it is installed.
func TestUnitVerify(t *testing.T) {
	systemd, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("NOT RUN: systemd-analyze is not installed, as .ci/run says too")
	}
	text, err := os.ReadFile(deploy + "systemd/promwire.service")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable() // some program has to be there
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "promwire.service")
	if err := os.WriteFile(path, bytes.ReplaceAll(text, []byte("/usr/local/bin/promwire"), []byte(self)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(systemd, "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	checkExposure(t, systemd, path)
}

// checkExposure demands what docs/operations.md says of the unit: 0 is the best, 10 the worst.
func checkExposure(t *testing.T, systemd, path string) {
	t.Helper()
	doc, err := os.ReadFile("../../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`exposure level of ([0-9.]+)`).FindSubmatch(doc)
	out, err := exec.Command(systemd, "security", "--offline=yes", "--no-pager", path).CombinedOutput()
	if err != nil && bytes.Contains(out, []byte("--offline")) {
		t.Logf("this systemd judges no files: %s", out)
		return
	}
	found := regexp.MustCompile(`Overall exposure level[^:]*: ([0-9.]+)`).FindSubmatch(out)
	if err != nil || found == nil || said == nil {
		t.Fatalf("%v: %s; the document says %q", err, out, said)
	}
	got, err1 := strconv.ParseFloat(string(found[1]), 64)
	most, err2 := strconv.ParseFloat(string(said[1]), 64)
	if err1 != nil || err2 != nil || got > most+0.2 { // versions of systemd differ a little
		t.Errorf("exposure level %s, the document says %s", found[1], said[1])
	}
}

// TestUnit demands that the unit calls serve with flags that there are.
func TestUnit(t *testing.T) {
	for _, file := range []string{"systemd/promwire.service", "container/Containerfile"} {
		text, err := os.ReadFile(deploy + file)
		if err != nil {
			t.Fatal(err)
		}
		flags := newServe(IO{}).Flags()
		names := regexp.MustCompile(`(?:^|[\s"=])--([a-z][a-z.-]*[a-z])`).FindAllSubmatch(text, -1)
		checked := 0
		for _, m := range names {
			name := string(m[1])
			if slices.Contains([]string{"from", "chown", "now", "system", "home-dir", "shell"}, name) {
				continue // of useradd, systemctl and the Containerfile
			}
			checked++
			if flags.Lookup(name) == nil {
				t.Errorf("%s: --%s is no flag of serve", file, name)
			}
		}
		if checked < 2 {
			t.Errorf("%s: %d flags", file, checked)
		}
	}
}
