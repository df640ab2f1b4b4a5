package remote

import (
	"time"

	"github.com/promwire/promwire"
)

// PreflightProfile is what a target takes. The zero limits are none. To change a profile for a target with other
// settings, copy it:
//
//	profile := remote.LimitsMimir
//	profile.MaxLabels = 60
type PreflightProfile struct {
	// Name is for logs; it must not be empty.
	Name string
	// Names says which metric and label names are valid.
	Names promwire.NameScheme
	// MaxLabels bounds the labels of a series, the metric name included.
	MaxLabels int
	// MaxNameBytes and MaxValueBytes bound each label; a metric name is a value.
	MaxNameBytes, MaxValueBytes int
	// MaxExemplarRunes bounds the characters in names and values of an exemplar's labels together.
	MaxExemplarRunes int
	// MaxAhead and MaxAge bound how far timestamps may be ahead of the clock, and behind it.
	MaxAhead, MaxAge time.Duration
	// NoHistograms says that native histograms are lost; NoCustomBuckets that those with custom buckets are.
	NoHistograms, NoCustomBuckets bool
	// Takes are rules that the target does not insist on: such findings are sent as they are, unless they can be
	// repaired without losing anything. Only RuleLabelOrder, RuleEmptyLabelValue, RuleMetricName, RuleEmptySeries,
	// RuleTimeOrder, RuleRepeated, RuleConflict and RuleTimeUnit count here.
	Takes []PreflightRule
}

// Profiles of targets, not to be mixed up with [Profile], which is about answers. They hold the documented defaults of each make, and what was seen of it (docs/backends.md). Out-of-order
// windows and retention are settings that a sender can't know: where they have no default, set MaxAge. Treat these
// variables as constants.
var (
	// LimitsStrict is the Remote Write specification and nothing beyond it, with the classic names that 1.0 asks for.
	LimitsStrict = PreflightProfile{Name: "strict", Names: promwire.LegacyNames}

	// LimitsPrometheus is Prometheus 3 with --web.enable-remote-write-receiver: UTF-8 names, nothing more than 10
	// minutes ahead, exemplars of 128 characters. It sorts labels and drops empty ones itself. Over 1.0 it skips series
	// without a name, with a repeated label or with invalid UTF-8 in silence, which is why they are refused here.
	LimitsPrometheus = PreflightProfile{
		Name: "prometheus", MaxAhead: 10 * time.Minute, MaxExemplarRunes: 128,
		Takes: []PreflightRule{RuleLabelOrder, RuleEmptyLabelValue},
	}

	// LimitsMimir is Grafana Mimir with its default limits: -validation.max-label-names-per-series 30,
	// -validation.max-length-label-name 1024, -validation.max-length-label-value 2048,
	// -validation.create-grace-period 10m; classic names; exemplars of 128 characters.
	LimitsMimir = PreflightProfile{
		Name: "mimir", Names: promwire.LegacyNames, MaxLabels: 30, MaxNameBytes: 1024, MaxValueBytes: 2048,
		MaxExemplarRunes: 128, MaxAhead: 10 * time.Minute, Takes: []PreflightRule{RuleLabelOrder},
	}

	// LimitsCortex is Cortex with its default limits, which have the names and values of Mimir's. It takes 2.0, the
	// only message with custom buckets, only if it is told to.
	LimitsCortex = PreflightProfile{
		Name: "cortex", Names: promwire.LegacyNames, MaxLabels: 30, MaxNameBytes: 1024, MaxValueBytes: 2048,
		MaxExemplarRunes: 128, MaxAhead: 10 * time.Minute, NoCustomBuckets: true, Takes: []PreflightRule{RuleLabelOrder},
	}

	// LimitsThanos is Thanos Receive. It answers 409 to unsorted, empty or duplicate labels, and takes series without
	// a metric name and UTF-8 names. It has no limit on the future unless one is set. It does not store 2.0.
	LimitsThanos = PreflightProfile{
		Name: "thanos", MaxExemplarRunes: 128, NoCustomBuckets: true, Takes: []PreflightRule{RuleMetricName},
	}

	// LimitsVictoriaMetrics is VictoriaMetrics 1.150 with its defaults: -maxLabelsPerTimeseries 40, -maxLabelNameLen
	// 256, -maxLabelValueLen 4KiB, two days ahead, -retentionPeriod of one month (31 days). It takes labels and times
	// in any order, several values for a millisecond (it keeps all), and series without a name. It does not store 2.0,
	// and turns native histograms into vmrange buckets; versions before that lose them in silence: set NoHistograms.
	LimitsVictoriaMetrics = PreflightProfile{
		Name: "victoriametrics", MaxLabels: 40, MaxNameBytes: 256, MaxValueBytes: 4 << 10,
		MaxAhead: 48 * time.Hour, MaxAge: 31 * 24 * time.Hour, NoCustomBuckets: true,
		Takes: []PreflightRule{RuleLabelOrder, RuleMetricName, RuleTimeOrder, RuleRepeated, RuleConflict},
	}
)
