package server

import "context"

// pipes put the frames of queries side by side into the order of the queries. They hold what waits for its turn: of as
// many queries as there are lanes, pipeBuffers buffers each.
type pipes struct {
	frames []chan []byte // one for each query
	window chan struct{} // as many as there are queries begun and not sent
	spare  chan []byte   // buffers to be used again
}

func newPipes(queries, lanes int) *pipes {
	p := &pipes{
		frames: make([]chan []byte, queries),
		window: make(chan struct{}, lanes),
		spare:  make(chan []byte, lanes*(pipeBuffers+1)),
	}
	for i := range p.frames {
		p.frames[i] = make(chan []byte, pipeBuffers)
	}
	return p
}

// ready waits until another query may begin.
func (p *pipes) ready(ctx context.Context) error {
	select {
	case p.window <- struct{}{}:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send takes a buffer of query i and returns another one.
func (p *pipes) send(ctx context.Context, i int, frames []byte) (next []byte, err error) {
	if len(frames) == 0 {
		return frames, nil
	}
	select {
	case p.frames[i] <- frames:
	case <-ctx.Done():
		return frames[:0], ctx.Err()
	}
	select {
	case next = <-p.spare:
		return next[:0], nil
	default:
		return make([]byte, 0, 2*flushBytes), nil
	}
}

// drain sends everything, query by query.
func (p *pipes) drain(ctx context.Context, w *responder) error {
	for _, query := range p.frames {
		for open := true; open; {
			var frames []byte
			select {
			case frames, open = <-query:
			case <-ctx.Done():
				return ctx.Err()
			}
			if !open {
				break
			}
			if err := w.writeFrames(frames); err != nil {
				return err
			}
			select {
			case p.spare <- frames:
			default:
			}
		}
		<-p.window
	}
	if w.begun {
		return nil
	}
	return w.writeFrames(nil)
}
