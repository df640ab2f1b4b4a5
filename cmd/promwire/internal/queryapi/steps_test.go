package queryapi

import "testing"

// TestSubquerySteps refuses subqueries of so many steps that the engine would take memory for them at once.
func TestSubquerySteps(t *testing.T) {
	h := New(newStore(t), Options{MaxSamples: 1_000_000})
	for query, text := range map[string]string{
		"count_over_time(vector(1)[1000d:1ms])":                                                   "86400000001 points of a subquery would be looked at, limit 1000000000",
		"count_over_time(vector(1)[10m:1ms]) + max_over_time(up[10m:1ms])":                        "subqueries of 1200002 steps",
		"max_over_time(max_over_time(up[5m:1ms])[15m:1s])":                                        "subqueries of 1200902 steps",
		"max_over_time(up[292y:1ms])":                                                             "limit 1000000",
		"max_over_time(max_over_time(max_over_time(up[292y:])[292y:])[292y:])":                    "limit 1000000",
		"quantile_over_time(0.5, vector(1)[1000s:10ms] @ 1) + max_over_time(up[17m:1ms] @ end())": "subqueries of 1120002 steps",
	} {
		get(h, "query", params("query", query, "time", "1772366400")).demand(t, 400, `invalid parameter \"query\": `, text, "ask for longer steps or less time")
	}
	within := params("query", "max_over_time(max_over_time(up[5m:1s])[10m:1m])", "start", "1772362800", "end", "1772366400", "step", "60")
	get(h, "query_range", within).demand(t, 200, `"1"`)
	within.Set("query", "max_over_time(vector(time())[10m:1ms]) > 0")
	get(h, "query_range", within).demand(t, 400, "subqueries of 4200001 steps")
	within.Set("query", "max_over_time((up @ 5)[3h:10ms])")
	get(h, "query_range", within).demand(t, 400)
	within.Set("query", "sum_over_time(up[1h:]) + sum_over_time(up[1h:] offset -1d)")
	get(h, "query_range", within).demand(t, 200)
}

// TestWork refuses what would look at the points of a subquery too often.
func TestWork(t *testing.T) {
	h := New(newStore(t), Options{})
	v := params("query", "quantile_over_time(0.5, vector(time())[1000s:10ms])", "start", "1772355500", "end", "1772366400", "step", "1")
	get(h, "query_range", v).demand(t, 400, "1090110901 points of a subquery would be looked at, limit 1000000000")
	v.Set("step", "1000")
	get(h, "query_range", v).demand(t, 200)
}
