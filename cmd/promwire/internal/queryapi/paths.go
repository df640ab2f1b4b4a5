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
	"format_query": reading, "parse_query": reading, "rules": reading, // they may take a while too, or compile patterns
	"metadata":         reading, // it may be long
	"alerts":           telling,
	"status/buildinfo": telling, "status/runtimeinfo": telling, "status/flags": telling, "status/config": telling,
	"status/tsdb/blocks": telling, "status/walreplay": telling,
}

// kindOf returns the path of a request without prefix, or a word for many, and its kind.
func kindOf(url string) (string, kind) {
	if url == FederatePath {
		return "federate", reading
	}
	path, ok := strings.CutPrefix(url, Prefix)
	if !ok {
		return "", unknown
	}
	if name, ok := strings.CutPrefix(path, "label/"); ok && strings.HasSuffix(name, "/values") {
		return "label/values", reading
	}
	return path, kinds[path]
}
