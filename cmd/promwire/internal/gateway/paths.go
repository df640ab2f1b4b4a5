package gateway

import "strings"

// apiPrefix is what the paths of the API begin with.
const apiPrefix = "/api/v1/"

// apiPaths are those of the API's paths that only read, and tell nothing of how the engine is run.
var apiPaths = map[string]bool{
	"query": true, "query_range": true, "query_exemplars": true, "series": true, "labels": true, "metadata": true,
	"format_query": true, "parse_query": true, "rules": true, "alerts": true, "status/buildinfo": true, "status/tsdb": true,
}

// offered reports whether a path is passed on.
func offered(path string) bool {
	path, found := strings.CutPrefix(path, apiPrefix)
	if !found {
		return false
	}
	if label, ok := strings.CutPrefix(path, "label/"); ok {
		label, ok = strings.CutSuffix(label, "/values")
		return ok && label != "" && label != "." && label != ".." && !strings.Contains(label, "/")
	}
	return apiPaths[path]
}
