// Package metrics counts and measures in a program and pushes the result over remote write, for programs that
// nobody scrapes.
//
//	reg := metrics.NewRegistry(metrics.WithConstLabel("job", "billing"))
//	orders := metrics.Must(reg.Counter("billing_orders", metrics.WithHelp("Orders taken.")))
//	pusher := metrics.NewPusher(reg, client)
//
//	orders.Add(85)
//	err := pusher.Push(ctx)
//
// # Recording
//
// [Counter], [Gauge] and [Histogram] measure; [GaugeFunc] and [CounterFunc] ask a function at each push; [Info] and
// [StateSet] tell what is; [Summary] passes on what another system has computed. A [Timer] observes durations.
//
// Instruments are safe for concurrent use, and recording does not allocate. A series is sent once something was
// recorded in it: Add(0) announces a counter at zero. [Vec.With] looks a series up by its label values; keep what it
// returns where speed counts.
//
// A recording gets the time of the push that sends it. The forms that end in At keep the caller's time instead,
// cut to the millisecond, and each distinct time becomes a sample of its own, in order of time; recordings of one
// millisecond become one sample. A time that is not after the newest sample that a push has carried, successfully or not,
// is refused with [ErrLate]: the series would contradict itself. A time that is further ahead of the clock than
// [WithMaxAhead] allows is refused with [promwire.ErrTooFarInFuture], and one of more than 50 years ago with
// [ErrInvalidValue]. If the clock itself was ahead, and the receiver refused what was pushed meanwhile, the series goes on
// from its newest sample that was delivered. Both forms can be mixed in one series. Recordings with a time wait in memory for a push
// that succeeds, each on its own; all others of a series take no more memory than one.
//
// # Errors
//
// Constructors return errors, since names may come from data; [Must] is for names that are constants. The At forms
// return errors. Those without a time do not, so that they stay plain lines: what they refuse (a counter that is
// to go down, an observation that is not a number, an exemplar that is too long) is left out, and the next [Pusher.Push]
// says so. Only a wrong
// number of label values panics.
//
// Names that not all receivers take are refused, unless [WithUTF8Names] allows or [WithEscapedNames] escapes them.
//
// # Pushing
//
// Nothing runs in the background. [Pusher.Push] sends what was recorded since the last push that succeeded. Failed
// pushes lose nothing: the samples with a time of their own are sent again as they were, the others as of the new
// push, also after a receiver has refused their samples: see [Pusher.Push] for that. [Pusher.Run] is the loop for programs that want one. [PushGauge] is for those that have one value to say.
//
// # Across runs
//
// A [State] keeps counters and histograms in a file, for programs that run again and again. [WithRunLabel] is for
// programs that run in parallel.
package metrics
