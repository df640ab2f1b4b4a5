package queryapi

import "strings"

// kind is what has to be done for a path of the API.
type kind int

const (
	unknown  kind = iota // nothing: it is not served
	querying             // the engine gives it a place and a time
	reading              // it works without the engine, and gets both here
	telling              // it costs little
)

var kinds = map[string]kind{
	"query": querying, "query_range": querying,
	"query_exemplars": reading, "series": reading, "labels": reading, "status/tsdb": reading,
	"format_query": reading, "parse_query": reading, // they may take a while too
	"metadata": telling, "rules": telling, "alerts": telling,
	"status/buildinfo": telling, "status/runtimeinfo": telling, "status/flags": telling, "status/config": telling,
	"status/tsdb/blocks": telling, "status/walreplay": telling,
}

func kindOf(path string) kind {
	if name, ok := strings.CutPrefix(path, "label/"); ok && strings.HasSuffix(name, "/values") {
		return reading
	}
	return kinds[path]
}
