package spool

import "time"

// Counts counts records, the bytes that they take on disk, and the items in them.
type Counts struct{ Records, Bytes, Samples, Histograms, Exemplars uint64 }

func (c *Counts) add(r *record) {
	c.Records++
	c.Bytes += uint64(r.size())
	c.Samples += uint64(r.items.Samples)
	c.Histograms += uint64(r.items.Histograms)
	c.Exemplars += uint64(r.items.Exemplars)
}

// Add returns the sums of both.
func (c Counts) Add(o Counts) Counts {
	return Counts{
		c.Records + o.Records, c.Bytes + o.Bytes, c.Samples + o.Samples, c.Histograms + o.Histograms,
		c.Exemplars + o.Exemplars,
	}
}

func (c Counts) sub(o Counts) Counts {
	return Counts{
		c.Records - o.Records, c.Bytes - o.Bytes, c.Samples - o.Samples, c.Histograms - o.Histograms,
		c.Exemplars - o.Exemplars,
	}
}

// Stats says what a spool holds, and what happened since it was opened.
type Stats struct {
	Held     Counts    // on disk, delivered or not, as long as the segment is needed
	Segments int       // files
	Bytes    int64     // of all segments, their headers included
	Oldest   time.Time // arrival of the oldest record held; zero if there is none
	Appended Counts
	Failed   uint64 // records that were not taken, as the disk failed or the spool was full
	Fsyncs   uint64
	// What at least one reader, or nobody, had delivered when it was dropped, by reason.
	DroppedFull Counts // to make room
	DroppedAge  Counts // too old
	Corrupt     Corruption
	Readers     []ReaderStats // by name
}

// Corruption counts damage that was found.
type Corruption struct {
	Segments uint64 // set aside
	Records  uint64 // lost; by gaps in the numbering of records
	Bytes    uint64 // that are no records
}

// ReaderStats says how far a reader came, and what it did since the spool was opened.
type ReaderStats struct {
	Name      string
	Pending   Counts    // not delivered yet
	Oldest    time.Time // arrival of the oldest segment's first record among them, at the latest; zero if there is none
	Delivered Counts
	// Refused counts records of which the target refused at least a part for good.
	Refused     Counts
	DroppedFull Counts
	DroppedAge  Counts
	Lost        uint64 // records that damage has taken from it
	Requests    uint64 // sent, those included that failed
	Retries     uint64
	// DeadLettersFailed counts records that the writer for dead letters did not take.
	DeadLettersFailed uint64
	LastError         string // of the last request that failed; "" once one succeeds
}

// Damage describes a damaged segment, for [Hooks].
type Damage struct {
	Path      string // where it was set aside; "" if the damage was found while it was read
	Offset    int64  // where the damage begins
	Bytes     int64  // that are no records
	Records   uint64 // lost
	Recovered uint64 // records behind the damage, which will be delivered
	FirstLost uint64 // number of the first lost record, if any
}

// Drop describes a segment that was deleted before every reader had passed it, for [Hooks].
type Drop struct {
	Reason  string // "full" or "age"
	Dropped Counts // what the slowest reader had still to deliver
	Oldest  time.Time
	Newest  time.Time
}
