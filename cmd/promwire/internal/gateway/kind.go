package gateway

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Kind is a make of engine.
type Kind string

// The kinds.
const (
	Prometheus      Kind = "prometheus"
	Mimir           Kind = "mimir"
	Cortex          Kind = "cortex"
	Thanos          Kind = "thanos"
	VictoriaMetrics Kind = "victoriametrics"
)

// Kinds are all kinds.
var Kinds = []Kind{Prometheus, Mimir, Cortex, Thanos, VictoriaMetrics}

// presets are the paths of each kind, below its URL. Without a path to read from, reads become exports or queries.
var presets = map[Kind]struct{ write, query, read string }{
	Prometheus:      {write: "/api/v1/write", read: "/api/v1/read"},
	Mimir:           {write: "/api/v1/push", query: "/prometheus", read: "/prometheus/api/v1/read"},
	Cortex:          {write: "/api/v1/push", query: "/prometheus", read: "/prometheus/api/v1/read"},
	Thanos:          {}, // what takes writes and what answers queries are two programs
	VictoriaMetrics: {write: "/api/v1/write"},
}

// Endpoints are the URLs of an engine. They may hold a password.
type Endpoints struct {
	Kind  Kind
	Write string // the endpoint of remote write; "" if it can't be known
	Query string // what "/api/v1/query" is appended to
	Read  string // the endpoint of remote read; "" for an engine without one
}

// ParseUpstream reads KIND=URL, and presets the endpoints of the kind.
func ParseUpstream(text string) (Endpoints, error) {
	name, base, found := strings.Cut(text, "=")
	kind := Kind(name)
	if !found || !slices.Contains(Kinds, kind) {
		return Endpoints{}, fmt.Errorf("want KIND=URL with %s as KIND", kindNames())
	}
	u, err := ParseURL(base)
	if err != nil {
		return Endpoints{}, err
	}
	p := presets[kind]
	e := Endpoints{Kind: kind, Query: below(u, p.query)}
	if p.write != "" {
		e.Write = below(u, p.write)
	}
	if p.read != "" {
		e.Read = below(u, p.read)
	}
	return e, nil
}

func kindNames() string {
	var names []string
	for _, k := range Kinds {
		names = append(names, string(k))
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// ParseURL parses an absolute URL. Its errors do not repeat it: it may hold a password.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("want a URL such as http://127.0.0.1:9090")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("want a URL without ? and #")
	}
	return u, nil
}

func below(u *url.URL, path string) string {
	return strings.TrimSuffix(u.String(), "/") + path
}
