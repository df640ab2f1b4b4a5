//go:build linux

package main

// system is a server that is measured.
type system struct {
	name, ready string // ready is a path
	flush       string // a path to ask before the data can be read; none if empty
	config      string // text of the file config.yml
	v1Only      bool
	// args returns a command line to listen at address, with the data in the folder data.
	args func(address string) []string
}

const (
	ours = "promwire"
	peer = "prometheus"
)

// config gives Prometheus the settings that promwire serve has by itself.
const config = `storage:
  tsdb:
    out_of_order_time_window: 1h
  exemplars:
    max_exemplars: 100000
`

// systems returns those that are there, promwire first.
func (s *settings) systems() []*system {
	all := []*system{{name: ours, ready: "/-/ready", args: func(address string) []string {
		return []string{s.promwire, "serve", "--data", "data", "--listen", address, "--log-level", "warn"}
	}}}
	if s.prometheus != "" {
		all = append(all, &system{name: peer, ready: "/-/ready", config: config, args: func(address string) []string {
			return []string{
				s.prometheus, "--config.file=config.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=15d",
				"--web.enable-remote-write-receiver", "--enable-feature=exemplar-storage,native-histograms",
				"--web.listen-address=" + address, "--log.level=warn",
			}
		}})
	}
	if s.victoriametrics != "" {
		all = append(all, &system{name: "victoriametrics", ready: "/health", flush: "/internal/force_flush", v1Only: true, args: func(address string) []string {
			return []string{
				s.victoriametrics, "-storageDataPath=data", "-retentionPeriod=15d", "-httpListenAddr=" + address,
				"-search.maxUniqueTimeseries=2000000", "-loggerLevel=WARN",
			}
		}})
	}
	return all
}
