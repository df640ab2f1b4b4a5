package tsdbstore

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"google.golang.org/protobuf/proto"
)

var _ prometheus.Gatherer = Queryable{}

// Stats counts the series of the head by their labels: the limit largest of each kind, and the values of one label.
func (q Queryable) Stats(label string, limit int) (*tsdb.Stats, error) {
	db, err := q.use(context.Background())
	if err != nil {
		return nil, err
	}
	defer q.s.release()
	return db.Head().Stats(label, limit), nil
}

// BlockMetas returns what is known of the blocks on disk.
func (q Queryable) BlockMetas() ([]tsdb.BlockMeta, error) {
	db, err := q.use(context.Background())
	if err != nil {
		return nil, err
	}
	defer q.s.release()
	return db.BlockMetas(), nil
}

// Damages returns how often a log was found damaged, and repaired, when the TSDB was opened last.
func (q Queryable) Damages() int64 {
	if _, err := q.use(context.Background()); err != nil {
		return 0
	}
	defer q.s.release()
	return int64(q.s.logs.damages())
}

// Gather returns the one metric of the TSDB that the API shows, and finds in a registry: the chunks of the head.
func (q Queryable) Gather() ([]*dto.MetricFamily, error) {
	if _, err := q.use(context.Background()); err != nil {
		return nil, err
	}
	defer q.s.release()
	return []*dto.MetricFamily{{
		Name: proto.String(headChunksName), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(q.s.logs.headChunks())}}},
	}}, nil
}

// WALReplayStatus says that the log was read: the store is not reachable before.
func (Queryable) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }

// errReadOnly is what the admin calls of Prometheus' API get; it is not enabled.
var errReadOnly = errors.New("the store deletes nothing and makes no snapshots on request")

// CleanTombstones fails: the store has none.
func (Queryable) CleanTombstones() error { return errReadOnly }

// Delete fails: see [Queryable.CleanTombstones].
func (Queryable) Delete(context.Context, int64, int64, ...*labels.Matcher) error { return errReadOnly }

// Snapshot fails: see [Queryable.CleanTombstones].
func (Queryable) Snapshot(string, bool) error { return errReadOnly }
