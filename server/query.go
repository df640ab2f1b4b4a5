package server

import (
	"fmt"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/patterns"
	"github.com/promwire/promwire/internal/pb"
)

// maxProgram bounds the size of all compiled patterns of a request, in instructions of some 40 bytes: repetitions
// make a short pattern large.
const maxProgram = 200_000

// checkSize holds the number of queries and matchers of a message against the limits, before memory is taken for them: two
// bytes can become a query of 200. What is malformed the decoder finds.
func checkSize(msg []byte, l *ReadLimits) error {
	queries, matchers := 0, 0
	for f := pb.NewReader(msg); f.Next(); {
		if f.Field != 1 || f.Wire != pb.Bytes {
			continue
		}
		queries++
		for q := pb.NewReader(f.Data); q.Next(); {
			if q.Field == 3 && q.Wire == pb.Bytes {
				matchers++
			}
		}
	}
	if queries > l.MaxQueries {
		return fmt.Errorf("%w: %d queries, limit %d", errBadRequest, queries, l.MaxQueries)
	}
	if matchers > l.MaxMatchers {
		return fmt.Errorf("%w: %d matchers, limit %d", errBadRequest, matchers, l.MaxMatchers)
	}
	return nil
}

// compile prepares the matchers of all queries.
func compile(queries []promwire.Query, maxPatternBytes int) error {
	left := patterns.Budget{Bytes: maxPatternBytes, Program: maxProgram}
	for i := range queries {
		for j := range queries[i].Matchers {
			m := &queries[i].Matchers[j]
			if m.Type == promwire.MatchRegexp || m.Type == promwire.MatchNotRegexp {
				if err := left.Take(m.Value); err != nil {
					return fmt.Errorf("%w: %w", errBadRequest, err)
				}
			}
			if err := m.Compile(); err != nil {
				return fmt.Errorf("%w: query %d: %w", errBadRequest, i, err)
			}
		}
	}
	return nil
}
