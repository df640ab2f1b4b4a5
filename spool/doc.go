// Package spool keeps remote-write requests on disk until they are delivered.
//
// A [Spool] is a [promwire.Writer] and a [promwire.BodyWriter]: what it has acknowledged is on disk, and survives the
// process and, by default, a power cut. Each of its readers ([Spool.Reader]) delivers all of it, in order, to a Writer
// of its own, and remembers across restarts how far it came; what every reader has passed is deleted.
//
// What it promises, with the default [SyncAlways]:
//
//   - Write returns after the record was forced to disk. Writers that run side by side share one fsync.
//   - Each record is delivered at least once to each reader's target, in the order in which it came, unless a bound
//     drops it, the target refuses it for good, or the disk loses it; all three are counted and reported. Records that
//     may be there already, after a crash or a lost answer, go out with [promwire.ContextWithReplay].
//   - Disk use is bounded ([WithMaxBytes], [WithMaxAge]); the oldest data are dropped first, whole segments of them, or
//     new data refused ([WithRefuseWhenFull]).
//   - A full or failing disk gives errors that wrap [promwire.ErrUnavailable]; nothing acknowledged is lost by it, and
//     writing goes on when there is room.
//   - Records carry checksums. A torn tail is cut off; a segment that is damaged is set aside, as a file whose name ends
//     in .corrupt, and what is sound in it, before and behind the damage, is delivered.
//
// One process at a time holds a spool; see [WithLockWait].
package spool
