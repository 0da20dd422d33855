package flex_test

import (
	"encoding/json"
	"testing"

	"github.com/ccaip-go/calls/internal/flex"
)

func BenchmarkDecode(b *testing.B) {
	documented := documentedCall(b)
	mistyped := replaced(b, documented, `"rating":0`, `"rating":"0"`)
	mistyped = replaced(b, mistyped, `"voicemail_reason"`, `"voicemail_reaso"`)
	for _, bb := range []struct {
		name string
		body []byte
	}{{"documented", documented}, {"mistyped", mistyped}} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.body)))
			b.ReportAllocs()
			for b.Loop() {
				var c call
				if err := flex.Decode(bb.body, &c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(documented)))
		b.ReportAllocs()
		for b.Loop() {
			var c call
			if err := json.Unmarshal(documented, &c); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeArray(b *testing.B) {
	page := pageOf(documentedCall(b), 100)
	b.Run("flex", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			if _, err := flex.DecodeArray(page, func(*call, []byte) { n++ }); err != nil || n != 100 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		for b.Loop() {
			var all []*call
			if err := json.Unmarshal(page, &all); err != nil || len(all) != 100 {
				b.Fatal(len(all), err)
			}
		}
	})
}
