package main

import "sync"

// Buffers of data frames: one size, because a body that does not fit in a few small frames comes in full ones.
var pieces = sync.Pool{New: func() interface{} { return new([maxDataBytes]byte) }}

// Below this a buffer of its own costs less than one of the pool.
const smallPieceBytes = 16 << 10

func newPiece(size int) []byte {
	if size <= smallPieceBytes || size > maxDataBytes {
		return make([]byte, size)
	}
	return pieces.Get().(*[maxDataBytes]byte)[:size]
}

// releasePiece may be called once for what newPiece has made, when nobody looks at it any more.
func releasePiece(piece []byte) {
	if cap(piece) == maxDataBytes {
		pieces.Put((*[maxDataBytes]byte)(piece[:maxDataBytes]))
	}
}
