//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/bench/process"
)

// system is a program that receives, keeps and forwards.
type system struct {
	name, ready string // ready is a path
	// args returns a command line to listen at address with the settings of the file config, in a folder that is empty but for it.
	args   func(address, config string) []string
	v1Only bool
	// noBlocks says that it takes no remote_write blocks, but a URL and a file of rules.
	noBlocks func(address, target, rules string) []string
}

const (
	ours = "promwire"
	peer = "prometheus"
)

// systems returns those that are there, promwire first.
func (s *settings) systems() []system {
	all := []system{{name: ours, ready: "/-/ready", args: func(address, config string) []string {
		return []string{s.promwire, "relay", "--spool", "data", "--config", config, "--listen", address, "--log-level", "warn"}
	}}}
	if s.prometheus != "" {
		all = append(all, system{name: peer, ready: "/-/ready", args: func(address, config string) []string {
			return []string{
				s.prometheus, "--agent", "--storage.agent.path=data", "--web.enable-remote-write-receiver",
				"--config.file=" + config, "--web.listen-address=" + address, "--log.level=warn",
			}
		}})
	}
	if s.vmagent != "" {
		all = append(all, system{name: "vmagent", ready: "/health", v1Only: true, noBlocks: func(address, target, rules string) []string {
			args := []string{
				s.vmagent, "-remoteWrite.url=" + target, "-remoteWrite.tmpDataPath=data", "-remoteWrite.forcePromProto",
				"-httpListenAddr=" + address, "-loggerLevel=WARN",
			}
			if rules != "" {
				args = append(args, "-remoteWrite.urlRelabelConfig="+rules)
			}
			return args
		}})
	}
	return all
}

func (s *system) takes(sc scenario) bool { return sc.message == promwire.WriteV1 || !s.v1Only }

// configure writes what the command line of s needs.
func (s *system) configure(dir string, sc *scenario, address, target string) ([]string, error) {
	write := func(name, text string) (string, error) {
		path := filepath.Join(dir, name)
		return path, os.WriteFile(path, []byte(text), 0o600)
	}
	if s.noBlocks != nil {
		if !sc.relabel {
			return s.noBlocks(address, target, ""), nil
		}
		path, err := write("rules.yml", rules)
		return s.noBlocks(address, target, path), err
	}
	message := "prometheus.WriteRequest"
	if sc.message == promwire.WriteV2 {
		message = "io.prometheus.write.v2.Request"
	}
	text := fmt.Sprintf("remote_write:\n- url: %s\n  protobuf_message: %s\n", target, message)
	if sc.relabel {
		text += "  write_relabel_configs:\n" + rules
	}
	path, err := write("prometheus.yml", text)
	return s.args(address, path), err
}

// outcome is what a run came to.
type outcome struct {
	arrived  process.Tally
	cpu      float64 // µs for each sample that was sent to the system
	memory   int64   // bytes
	bytes    float64 // over the wire for each sample that arrived
	rate     float64 // samples a second, from the first request to the last arrival
	requests int
}

// measure runs a system on a new folder until the receiver has all of l.
func measure(ctx context.Context, s *settings, sc scenario, l *load, sys *system) (out *outcome, err error) {
	dir, err := os.MkdirTemp("", "relay-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := newReceiver(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.http.Close()) }()
	address, err := process.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	args, err := sys.configure(dir, &sc, address, r.url)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(ctx, dir, "http://"+address+sys.ready, args)
	if err != nil {
		return nil, err
	}
	out, err = carry(ctx, p, s, l, "http://"+address+"/api/v1/write", r)
	p.Stop()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, &p.Log)
	}
	out.arrived = r.tally() // after its end, so that nothing that came twice goes unnoticed
	sent := l.sent
	if sent.Series == 0 {
		sent.Series = out.arrived.Series
	}
	if out.arrived != sent {
		return nil, fmt.Errorf("arrived %+v, sent %+v", out.arrived, sent)
	}
	return out, nil
}

// carry sends the load and reads what it cost.
func carry(ctx context.Context, p *process.Process, s *settings, l *load, url string, r *receiver) (*outcome, error) {
	before, err := p.CPU()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := l.send(ctx, url, s.rate); err != nil {
		return nil, err
	}
	if err := r.wait(ctx, l.sent.Samples); err != nil {
		return nil, err
	}
	took := time.Since(begin)
	after, err := p.CPU()
	if err != nil {
		return nil, err
	}
	memory, err := p.Memory()
	if err != nil {
		return nil, err
	}
	n := float64(len(l.bodies) * l.size)
	return &outcome{
		cpu: float64(after-before) / 1e3 / n, memory: memory, bytes: float64(r.bytes.Load()) / float64(l.sent.Samples), rate: n / took.Seconds(), requests: r.requests,
	}, nil
}
