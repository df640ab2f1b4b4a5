package promwire_test

import (
	"testing"
)

func FuzzDecodeV1(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.hex))
	}
	f.Add([]byte(msg{}.sub(1, msg{}.sub(4, histogramFull()), unknown(9))))
	f.Add([]byte(msg{}.sub(1, msg{}.sub(2, sampleMsg(1, 1)).sub(1, labelMsg("a", "b")).sub(2).sub(1, labelMsg("c", "d")))))
	f.Add([]byte(overlong()))
	f.Fuzz(func(t *testing.T, src []byte) { decodeAll(t, src, v1) })
}

func FuzzDecodeV2(f *testing.F) {
	for _, v := range append(vectors, badRefs...) {
		f.Add(unhex(f, v.hex))
	}
	f.Add([]byte(msg{}.sub(5, msg{}.uint(1, 1).uints(1, 0).sub(3, histogramFull())).str(4, "").str(4, "a")))
	f.Add([]byte(msg{}.sub(5, everyStart())))
	f.Fuzz(func(t *testing.T, src []byte) { decodeAll(t, src, v2) })
}
