// Package difftest compares promwire with the Prometheus library, which serves as the oracle.
package difftest
