package promwire

import (
	"strings"

	"github.com/promwire/promwire/internal/pb"
)

// FamilyName returns the name of the metric family that a series with this name belongs to, for family metadata of
// Remote Write 1.0 and for text formats: a histogram's name without _bucket, _sum or _count, a summary's without _sum
// or _count, a gauge histogram's without _bucket, _gsum or _gcount. All others keep their name, counters their _total
// too. A name that is nothing but a suffix stays.
func FamilyName(name string, t MetricType) string {
	var suffixes []string
	switch t {
	case TypeHistogram:
		suffixes = histogramSuffixes
	case TypeGaugeHistogram:
		suffixes = gaugeHistogramSuffixes
	case TypeSummary:
		suffixes = summarySuffixes
	}
	for _, suffix := range suffixes {
		if family, found := strings.CutSuffix(name, suffix); found && family != "" {
			return family
		}
	}
	return name
}

var (
	histogramSuffixes      = []string{"_bucket", "_sum", "_count"}
	gaugeHistogramSuffixes = []string{"_bucket", "_gsum", "_gcount"}
	summarySuffixes        = []string{"_sum", "_count"}
)

// any reports whether m says anything.
func (m *Metadata) any() bool { return m.Type != TypeUnknown || m.Help != "" || m.Unit != "" }

// familyMetadata returns the metadata of a series as 1.0 has it; false if there are none, or no name to tie them to.
func familyMetadata(ls Labels, m *Metadata) (MetricMetadata, bool) {
	if !m.any() {
		return MetricMetadata{}, false
	}
	name := ls.Get(MetricName)
	return MetricMetadata{*m, FamilyName(name, m.Type)}, name != ""
}

// appendSeriesMetadata appends the metadata of the series as family metadata, once per run of equal ones.
func appendSeriesMetadata(dst []byte, start int, series []TimeSeries) ([]byte, error) {
	var last MetricMetadata
	for i := range series {
		m, ok := familyMetadata(series[i].Labels, &series[i].Metadata)
		if !ok || m == last {
			continue
		}
		var err error
		if dst, err = appendMetadataV1(dst, start, &m); err != nil {
			return dst, err
		}
		last = m
	}
	return dst, nil
}

// appendMetadataV1 appends m as the metadata field of a prometheus.WriteRequest that began at start.
func appendMetadataV1(dst []byte, start int, m *MetricMetadata) ([]byte, error) {
	size := pb.SizeUint(uint64(m.Type)) + pb.SizeBytes(len(m.Family)) + pb.SizeBytes(len(m.Help)) + pb.SizeBytes(len(m.Unit))
	dst, err := room(dst, start, pb.SizeMessage(size))
	if err != nil {
		return dst, err
	}
	b := dst[:cap(dst)]
	i := pb.PutHeader(b, len(dst), 0x1a, size)
	i = pb.PutUint(b, i, 0x08, uint64(m.Type))
	i = pb.PutString(b, i, 0x12, m.Family)
	i = pb.PutString(b, i, 0x22, m.Help)
	i = pb.PutString(b, i, 0x2a, m.Unit)
	return b[:i], nil
}
