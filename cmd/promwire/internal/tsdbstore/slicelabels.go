//go:build slicelabels

package tsdbstore

// The other representations of labels copy the strings they are built of; slicelabels keeps views of the caller's
// memory, which belongs to a request. Rather than copy twice everywhere, this build is refused.
var _ = buildsWithoutSlicelabelsOnly
