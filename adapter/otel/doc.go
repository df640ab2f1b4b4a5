// Package otelexport is a metric exporter for the OpenTelemetry SDK that sends over remote write. Give an [Exporter] to a
// periodic reader of go.opentelemetry.io/otel/sdk/metric, and programs instrumented with OpenTelemetry push to anything
// that takes remote write, without a collector between.
//
// The translation follows the OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility":
//
//   - Names get their unit and, for monotonic sums, _total; characters beyond the legacy scheme become underscores
//     ([WithTranslation] chooses otherwise). Of attributes whose names become equal, the values are joined with ";".
//   - Monotonic sums are counters, other sums and gauges are gauges, explicit-bucket histograms are classic histograms,
//     exponential ones are native histograms, summaries are summaries.
//   - service.name, with service.namespace in front, is the label job, service.instance.id is instance; the other attributes
//     of the resource are labels of target_info. Scopes are labels otel_scope_name, _version, _schema_url and one for each
//     attribute.
//     An attribute __name__ is left out.
//   - Exemplars of sums and histograms go along, their span as trace_id and span_id.
//   - Start times of sums, histograms and summaries go along over Remote Write 2.0.
//   - Attribute sets that an asynchronous instrument no longer reports end with a stale marker.
//
// Cumulative data only: [Exporter.Temporality] asks for it, and delta data, which come from producers that don't, are left
// out and reported ([ErrTemporality]): a series whose values start anew with each sample has no meaning for rate.
// Exponential histograms with a scale above 8 are reduced to 8; those below -4 have no native form, and are left out and
// reported. A zero threshold of 0 becomes 1e-128, as in the OTLP receiver of Prometheus.
//
// The bounds in le and quantile are spelled as in a scrape, 1.0, where the OTLP receiver of Prometheus writes 1.
package otelexport
