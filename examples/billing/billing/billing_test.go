package billing_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/promwire/promwire/examples/billing/billing"
	"github.com/promwire/promwire/metrics"
)

const wantDebug = `[DEBUG] remote_write_req_seq: 1
# TYPE billing_orders_total counter
billing_orders_total 85

[DEBUG] remote_write_req_seq: 2
# TYPE billing_queue_depth gauge
billing_queue_depth{queue="payments"} 36

[DEBUG] remote_write_req_seq: 3
# TYPE billing_queue_depth gauge
billing_queue_depth{queue="refunds"} 5

[DEBUG] remote_write_req_seq: 4
# TYPE billing_queue_depth gauge
billing_queue_depth{queue="dlq"} 0

[DEBUG] remote_write_req_seq: 5
# TYPE billing_job_duration_seconds histogram
billing_job_duration_seconds_bucket{worker="billing-worker-01",le="0.5"} 0
billing_job_duration_seconds_bucket{worker="billing-worker-01",le="1"} 1
billing_job_duration_seconds_bucket{worker="billing-worker-01",le="2.5"} 2
billing_job_duration_seconds_bucket{worker="billing-worker-01",le="5"} 2
billing_job_duration_seconds_bucket{worker="billing-worker-01",le="10"} 3
billing_job_duration_seconds_bucket{worker="billing-worker-01",le="+Inf"} 3
billing_job_duration_seconds_count{worker="billing-worker-01"} 3
billing_job_duration_seconds_sum{worker="billing-worker-01"} 12.8

[DEBUG] remote_write_req_seq: 6
# TYPE billing_job_duration_seconds histogram
billing_job_duration_seconds_bucket{worker="billing-worker-02",le="0.5"} 1
billing_job_duration_seconds_bucket{worker="billing-worker-02",le="1"} 1
billing_job_duration_seconds_bucket{worker="billing-worker-02",le="2.5"} 2
billing_job_duration_seconds_bucket{worker="billing-worker-02",le="5"} 2
billing_job_duration_seconds_bucket{worker="billing-worker-02",le="10"} 3
billing_job_duration_seconds_bucket{worker="billing-worker-02",le="+Inf"} 3
billing_job_duration_seconds_count{worker="billing-worker-02"} 3
billing_job_duration_seconds_sum{worker="billing-worker-02"} 10.4
`

func TestDebugOutput(t *testing.T) {
	var out bytes.Buffer
	if err := billing.Run(t.Context(), metrics.NewDebugWriter(&out, nil), time.Now()); err != nil {
		t.Fatal(err)
	}
	if out.String() != wantDebug {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), wantDebug)
	}
}
