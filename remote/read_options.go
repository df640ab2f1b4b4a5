package remote

import (
	"errors"
	"fmt"
	"slices"

	"github.com/promwire/promwire"
)

// ReadOption configures a [ReadClient].
type ReadOption interface {
	applyRead(c *ReadClient) error
}

func (o Option) applyRead(c *ReadClient) error { return o(&c.endpoint) }

type readOption func(*ReadClient) error

func (o readOption) applyRead(c *ReadClient) error { return o(c) }

// WithResponseTypes sets the kinds of answer to ask for, the preferred one first. The default is streamed chunks, then
// samples. Whatever the server sends is read.
func WithResponseTypes(types ...promwire.ResponseType) ReadOption {
	return readOption(func(c *ReadClient) error {
		for _, t := range types {
			if t != promwire.ResponseSamples && t != promwire.ResponseStreamedXORChunks {
				return fmt.Errorf("remote: WithResponseTypes: unknown type %d", t)
			}
		}
		if len(types) == 0 {
			return errors.New("remote: WithResponseTypes: no type given")
		}
		c.types = slices.Clone(types)
		return nil
	})
}

// WithMaxResponse bounds a samples answer, in bytes: its body, the decompressed message, and the index that is needed
// to sort it, each. The default, 1 GiB, is above what Prometheus sends with its own limit of 50 million samples. A
// stream has no bound; its frames are limited to 50 MB.
func WithMaxResponse(bytes int) ReadOption {
	return readOption(func(c *ReadClient) error {
		if bytes <= 0 {
			return fmt.Errorf("remote: WithMaxResponse: %d is not a size", bytes)
		}
		c.maxResponse = bytes
		return nil
	})
}
