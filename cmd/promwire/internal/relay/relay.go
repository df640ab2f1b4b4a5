package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
	"github.com/promwire/promwire/spool"
)

// Mode says which targets a series goes to.
type Mode string

// The modes.
const (
	// Replicate sends everything to every target.
	Replicate Mode = "replicate"
	// Shard sends each series to one target, by [remote.Sharded].
	Shard Mode = "shard"
)

// Target is one place to forward to.
type Target struct {
	// Name identifies the target: for logs and metrics, for how far its delivery came, and in mode Shard for which series
	// are its own. It holds no password.
	Name string
	// Writer sends one request, once. If it is a [promwire.BodyWriter], and nothing has to change, requests go to it as
	// they came.
	Writer promwire.Writer
	// Before is put in front of Writer, to change or drop series. nil, or if it returns what it got, changes nothing.
	Before func(promwire.Writer) promwire.Writer
	// Options are those of the delivery.
	Options spool.DeliverOptions
	// MaxAge drops samples and histograms that are older when they are about to be sent; 0 drops none. To find them,
	// requests are decompressed.
	MaxAge time.Duration
	// Preflight is the one in Writer, nil for none: for the figures.
	Preflight *outlets.Preflight
}

// Config is what a relay does.
type Config struct {
	Targets []Target
	Mode    Mode
	// TenantLabel, if it is not empty, is the label whose value is the tenant that a series is forwarded for. KeepLabel
	// leaves it on the series.
	TenantLabel string
	KeepLabel   bool
	// Spool keeps requests until all targets have them. The relay closes it.
	Spool *spool.Spool
	// DropLeftOver gives up what the spool holds for targets that are none any more.
	DropLeftOver bool
	// Reloadable says that [Relay.Reload] may be called: for the figures.
	Reloadable   bool
	Compressions []promwire.Compression
	// Tap, if it is not nil, is put in front of the spool; Options are more of those of the handler.
	Tap     func(Intake) promwire.Writer
	Options []server.WriteOption
	Logger  *slog.Logger
}

// Intake takes requests, as they come or decoded.
type Intake interface {
	promwire.Writer
	promwire.BodyWriter
}

// Relay receives and forwards. It is safe for concurrent use.
type Relay struct {
	spool   *spool.Spool
	outlets *outlets.Spooled
	write   http.Handler
	intake  intake
	config  Config // as at the start
	reload  reload
}

// New begins to deliver what the spool holds. It closes the spool if it fails.
func New(c Config) (*Relay, error) {
	places, err := c.places()
	if err != nil {
		return nil, errors.Join(err, c.Spool.Close())
	}
	out, err := outlets.NewSpooled(c.Spool, places, c.DropLeftOver, c.Logger)
	if err != nil {
		return nil, err
	}
	r := &Relay{spool: c.Spool, outlets: out, config: c, reload: reload{good: true, at: time.Now()}}
	r.intake.next, r.intake.logger = c.Spool, c.Logger
	front := promwire.Writer(&r.intake)
	if c.Tap != nil {
		front = c.Tap(&r.intake)
	}
	r.write = server.NewWriteHandler(front, append([]server.WriteOption{
		server.WithLogger(outlets.Limited(c.Logger)), server.WithCompressions(c.Compressions...),
		server.WithTenant(server.TenantFromHeader(promwire.HeaderTenant)),
	}, c.Options...)...)
	return r, nil
}

// Figures are what became of samples, by target.
func (r *Relay) Figures() []outlets.Figures { return r.outlets.Figures() }

// SpoolBytes is the size of the spool on disk.
func (r *Relay) SpoolBytes() int64 { return r.spool.Stats().Bytes }

// Check reports what is wrong with targets, mode and tenants. It needs no spool.
func (c *Config) Check() error {
	_, err := c.places()
	return err
}

func (c *Config) places() ([]outlets.Place, error) {
	if len(c.Targets) == 0 {
		return nil, errors.New("there are no targets")
	}
	if c.Mode != Replicate && c.Mode != Shard {
		return nil, fmt.Errorf("mode %q: want %s or %s", c.Mode, Replicate, Shard)
	}
	var places []outlets.Place
	names := map[string]bool{}
	for i := range c.Targets {
		if names[c.Targets[i].Name] {
			return nil, fmt.Errorf("target %s is there twice", c.Targets[i].Name)
		}
		names[c.Targets[i].Name] = true
		w, ageLimit, err := c.road(i)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", c.Targets[i].Name, err)
		}
		places = append(places, outlets.Place{
			Name: c.Targets[i].Name, Writer: w, Options: c.Targets[i].Options, Preflight: c.Targets[i].Preflight, AgeLimit: ageLimit,
		})
	}
	return places, nil
}

// road is what a request goes through on its way to a target: which series are its own, for which tenant, what becomes
// of their labels. Without any of these it is the target's writer itself, to which requests go undecoded.
func (c *Config) road(i int) (promwire.Writer, *outlets.AgeLimit, error) {
	t := &c.Targets[i]
	w := t.Writer
	if t.Before != nil {
		w = t.Before(w)
	}
	w, ageLimit := outlets.NewAgeLimit(w, t.MaxAge)
	var err error
	if c.TenantLabel != "" {
		w, err = remote.NewTenantSplit(w, remote.TenantSplitOptions{Label: c.TenantLabel, Keep: c.KeepLabel})
		if err != nil {
			return nil, nil, err
		}
	}
	if c.Mode == Shard {
		// Each target finds its own series by itself, so that one that is down holds up no other.
		all := map[string]promwire.Writer{}
		for j := range c.Targets {
			all[c.Targets[j].Name] = elsewhere{}
		}
		all[t.Name] = w
		sharded, err := remote.NewSharded(all)
		return sharded, ageLimit, err
	}
	return w, ageLimit, nil
}

// elsewhere is a target whose series somebody else takes care of, and counts.
type elsewhere struct{}

func (elsewhere) Write(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
	return promwire.WriteStats{}, nil
}

// End forwards what it can until ctx ends, and closes the spool. Nothing may be received any more. What is left goes out
// with the next run.
func (r *Relay) End(ctx context.Context) error { return r.outlets.End(ctx) }
