package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

var rangeQuery = regexp.MustCompile(`(?s)^(.*)\[(\d+)ms\]$`)

// thanos answers as a Query does that has data since lo. Before Prometheus 3, ranges included their begin.
func thanos(t *testing.T, memory *promwiretest.Memory, lo int64, old bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/stores" {
			fmt.Fprintf(w, `{"status":"success","data":{"receive":[{"name":"x","minTime":%d,"maxTime":9223372036854775807}]}}`, lo)
			return
		}
		parts := rangeQuery.FindStringSubmatch(r.FormValue("query"))
		if r.URL.Path != "/api/v1/query" || parts == nil || r.FormValue("partial_response") != "false" {
			t.Errorf("asked for %s, %v", r.URL, r.Form)
			return
		}
		matchers, err := promwire.ParseSelector(parts[1])
		if err != nil {
			t.Error(err)
		}
		length, _ := strconv.ParseInt(parts[2], 10, 64)
		end, err := strconv.ParseFloat(r.FormValue("time"), 64)
		if err != nil {
			t.Error(err)
		}
		to := int64(end*1000 + 0.5)
		q := promwire.Query{Start: time.UnixMilli(to - length + 1), End: time.UnixMilli(to), Matchers: matchers}
		if old {
			q.Start = time.UnixMilli(to - length)
		}
		var result []string
		for ts, err := range memory.Read(r.Context(), q) {
			if err != nil {
				t.Error(err)
			}
			result = append(result, shown(ts))
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s],"analysis":{}}}`, strings.Join(result, ","))
	}
}

func shown(ts promwire.TimeSeries) string {
	metric := map[string]string{}
	for _, l := range ts.Labels {
		metric[l.Name] = l.Value
	}
	labels, _ := json.Marshal(metric)
	var values []string
	for _, s := range ts.Samples {
		values = append(values, fmt.Sprintf(`[%s,"%s"]`, strconv.FormatFloat(float64(s.Timestamp)/1000, 'f', -1, 64), strconv.FormatFloat(s.Value, 'g', -1, 64)))
	}
	return fmt.Sprintf(`{"metric":%s,"values":[%s]}`, labels, strings.Join(values, ","))
}

// What is read by queries, window by window, is what is stored, in the order of a reader.
func TestRangeQueries(t *testing.T) {
	const lo, hi = 1_700_000_000_123, 1_700_400_000_789
	for _, old := range []bool{false, true} {
		memory := filled(t, lo, hi, false)
		r, err := engine(t, Thanos, thanos(t, memory, lo, old)).Reader()
		if err != nil {
			t.Fatal(err)
		}
		sameReads(t, r, memory, lo, hi)
	}
}

func TestRangeQueriesFail(t *testing.T) {
	for answer, want := range map[string]string{
		`{"status":"success","data":{"result":[]},"warnings":["no store for a while"]}`:      "not have all data at the moment: no store for a while",
		`{"status":"error","error":"x"}`:                                                     `its status is "error"`,
		`{"status":"success","data":{"result":[{"metric":{"a":"b"},"values":[[1000.5,"1"]]}`: "EOF",
		`{"status":"success","data":{"result":{}}}`:                                          "{ instead of [",
		`[]`: "[ instead of {",
		`{"status":"success","data":{"result":[{"metric":{"a":"b"},"values":[[1,"x"]]}]}}`:                    "invalid syntax",
		`{"status":"success","data":{"result":[{"metric":{"a":"b"},"histograms":[[1000.5,{"count":"1"}]]}]}}`: "native histograms can't be read",
	} {
		e := engine(t, Thanos, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/v1/stores" {
				_, _ = io.WriteString(w, `{"status":"success","data":{"receive":[{"minTime":1}]}}`)
				return
			}
			_, _ = io.WriteString(w, answer)
		})
		err := readError(t, e)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", answer, err, want)
		}
		if errors.Is(err, promwire.ErrUnavailable) == errors.Is(err, promwire.ErrUnsupported) {
			t.Errorf("%s: %v may pass, or not?", answer, err)
		}
	}
}
