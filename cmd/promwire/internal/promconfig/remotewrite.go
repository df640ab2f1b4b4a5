package promconfig

import (
	"net/http"
	"net/url"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/relabel"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// RemoteWrite is one remote_write block. Where it says nothing, the defaults are promwire's, not those of Prometheus:
// the message is negotiated, and exemplars and native histograms go out.
type RemoteWrite struct {
	// Name identifies the target: the block's name, or one made of host and path. It is fit for a file name.
	Name string
	URL  string
	// Message is the message that the block asks for, "" to negotiate.
	Message promwire.MessageType
	// Timeout bounds one request.
	Timeout time.Duration
	// MaxSamples, BatchDeadline, MaxAge, MinBackoff and MaxBackoff are those of queue_config; 0 where it says nothing.
	MaxSamples             int
	BatchDeadline, MaxAge  time.Duration
	MinBackoff, MaxBackoff time.Duration
	// Ignored are fields that the block has and that have no meaning here: they are checked, and ignored.
	Ignored []string
	// DropExemplars and DropHistograms are set if the block says send_exemplars or send_native_histograms: false.
	DropExemplars, DropHistograms bool

	headers map[string]string
	config  *config.RemoteWriteConfig
	relabel []*relabel.Config
}

func fromConfig(c *config.RemoteWriteConfig, said map[string]any) (*RemoteWrite, error) {
	r := &RemoteWrite{
		Name: nameOf(c.Name, c.URL.URL), URL: c.URL.String(), Timeout: time.Duration(c.RemoteTimeout),
		headers: c.Headers, config: c, relabel: c.WriteRelabelConfigs,
	}
	if _, ok := said["protobuf_message"]; ok {
		r.Message = promwire.WriteV1
		if c.ProtobufMessage == remoteapi.WriteV2MessageType {
			r.Message = promwire.WriteV2
		}
	}
	r.DropExemplars = said["send_exemplars"] == false
	r.DropHistograms = said["send_native_histograms"] == false
	queue, _ := said["queue_config"].(map[any]any)
	set(queue, "max_samples_per_send", &r.MaxSamples, c.QueueConfig.MaxSamplesPerSend)
	set(queue, "batch_send_deadline", &r.BatchDeadline, time.Duration(c.QueueConfig.BatchSendDeadline))
	set(queue, "sample_age_limit", &r.MaxAge, time.Duration(c.QueueConfig.SampleAgeLimit))
	set(queue, "min_backoff", &r.MinBackoff, time.Duration(c.QueueConfig.MinBackoff))
	set(queue, "max_backoff", &r.MaxBackoff, time.Duration(c.QueueConfig.MaxBackoff))
	for _, field := range []string{"capacity", "min_shards", "max_shards", "retry_on_http_429"} {
		if _, ok := queue[field]; ok {
			r.Ignored = append(r.Ignored, "queue_config."+field)
		}
	}
	if _, ok := said["metadata_config"]; ok {
		r.Ignored = append(r.Ignored, "metadata_config")
	}
	// Made once to find out what is wrong with it before anything runs.
	_, err := r.Client()
	return r, err
}

func set[T any](said map[any]any, key string, dst *T, value T) {
	if _, ok := said[key]; ok {
		*dst = value
	}
}

// Client returns a write client for the block, with more options after those of the block. The URL may hold a
// password; what the client says never does.
func (r *RemoteWrite) Client(more ...remote.WriteOption) (*remote.WriteClient, error) {
	client, err := r.httpClient()
	if err != nil {
		return nil, err
	}
	opts := []remote.WriteOption{remote.WithHTTPClient(client), remote.WithTimeout(r.Timeout)}
	if r.Message != "" {
		opts = append(opts, remote.WithMessageType(r.Message))
	}
	for name, value := range r.headers {
		opts = append(opts, remote.WithHeader(name, value))
	}
	return remote.NewWriteClient(r.URL, append(opts, more...)...)
}

// Connection returns what connects to the server of the block, with its TLS and authentication, and the headers of each
// request.
func (r *RemoteWrite) Connection() (http.RoundTripper, http.Header, error) {
	client, err := r.httpClient()
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{}
	for name, value := range r.headers {
		header.Set(name, value)
	}
	return client.Transport, header, nil
}

// Place is the URL without user and query, for people to read.
func (r *RemoteWrite) Place() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return r.Name
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// PassesThrough reports whether the block leaves series as they are, so that requests need not be decoded for it.
func (r *RemoteWrite) PassesThrough() bool {
	return len(r.relabel) == 0 && !r.DropExemplars && !r.DropHistograms
}
