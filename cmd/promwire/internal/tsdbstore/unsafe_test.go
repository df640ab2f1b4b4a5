package tsdbstore

import "unsafe"

// unsafeString is a view of b, as decoded requests hold.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
