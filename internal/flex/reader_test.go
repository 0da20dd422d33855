package flex_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/internal/flex"
)

// TestMemoryIsBounded checks that decoding a body allocates less than eight times its size.
// It is not parallel, since allocations are counted for the process.
func TestMemoryIsBounded(t *testing.T) {
	const size = 1 << 20
	fill := func(before, unit, after string) string {
		return before + strings.Repeat(unit, size/len(unit)) + after
	}
	bodies := map[string]string{
		"small photos":            fill(`{"photos":[{}`, `,{}`, `],"id":397}`),
		"small transfers":         fill(`{"transfers":[{}`, `,{}`, `],"id":397}`),
		"transfers with an id":    fill(`{"transfers":[{}`, `,{"id":1}`, `],"id":397}`),
		"transfers with an agent": fill(`{"transfers":[{}`, `,{"to_agent":{}}`, `],"id":397}`),
		"transfers null":          fill(`{"transfers":[{}`, `,null`, `],"id":397}`),
		"many short lists":        fill(`{`, `"photos":[{}],"transfers":[{"id":1}],`, `"id":397}`),
		"every list": fill(`{"photos":[{}`, `,{}`, `],`) + fill(`"videos":[{}`, `,{}`, `],`) +
			fill(`"transfers":[{}`, `,{}`, `],`) + fill(`"participants":[{}`, `,{}`, `],"id":397}`),
		"many objects":       fill(`{`, `"selected_menu":{},"menu_path":{},`, `"id":397}`),
		"many strings":       fill(`{`, `"lang":"ab",`, `"id":397}`),
		"strings of a piece": fill(`{`, `"lang":"`+strings.Repeat("a", 1025)+`","lang":"a",`, `"id":397}`),
		"many escapes":       fill(`{`, `"lang":"\n",`, `"id":397}`),
		"a long string":      fill(`{"lang":"`, `a`, `","id":397}`),
		"a long escape":      fill(`{"lang":"`, `\u0041`, `","id":397}`),
		"long invalid UTF-8": fill(`{"lang":"`, "\xff", `","id":397}`),
		"an unknown array":   fill(`{"unknown":[1`, `,{"a":1}`, `],"id":397}`),
		"numbers":            fill(`{"id":[1`, `,1`, `],"id":397}`),
		"nested arrays":      fill(`{"id":397,"photos":`, `[`, ``),
		"nested objects":     fill(`{"id":397,"unknown":`, `{"a":`, ``),
		"a long key":         fill(`{"id":397,"x":{"`, `a`, `":1}}`),
		"a truncated string": fill(`{"id":397,"lang":"`, `a`, ``),
		"objects":            fill(`[{}`, `,{}`, `]`),
		"objects with an id": fill(`[{}`, `,{"id":1}`, `]`),
		"other elements":     fill(`[{}`, `,1`, `]`),
		"array of arrays":    fill(``, `[`, ``),
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			data := []byte(body)
			var got call
			allocated := allocatedBy(func() {
				if data[0] == '[' {
					_, _ = flex.DecodeArray(data, func(*call, []byte) {})
				} else {
					_ = flex.Decode(data, &got)
				}
			})
			if most := 8 * len(data); allocated >= uint64(most) {
				t.Errorf("allocated %.1f times the size of the body", float64(allocated)/float64(len(data)))
			}
			if data[0] == '{' && got.ID != 397 {
				t.Errorf("id %d", got.ID)
			}
		})
	}
}

func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestListsOfOrdinarySizeAreDecoded(t *testing.T) {
	t.Parallel()
	var got call
	if err := flex.Decode([]byte(`{"photos":[{}`+strings.Repeat(`,{}`, 999)+`]}`), &got); err != nil || len(got.Photos) != 1000 {
		t.Errorf("%d photos, %v", len(got.Photos), err)
	}
}

func TestArrayOfTooManySmallObjects(t *testing.T) {
	t.Parallel()
	n := 0
	_, err := flex.DecodeArray([]byte(`[{}`+strings.Repeat(`,{}`, 100_000)+`]`), func(*call, []byte) { n++ })
	if !errors.Is(err, flex.ErrTooLarge) || n < 100 {
		t.Errorf("%v after %d objects", err, n)
	}
}

// TestAllocations allows for the tokenizer's allocations, since the race detector drops
// pooled objects. encoding/json makes 142.
func TestAllocations(t *testing.T) {
	data := documentedCall(t)
	var got call
	allocations := testing.AllocsPerRun(100, func() {
		if err := flex.Decode(data, &got); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 24 {
		t.Errorf("%v allocations", allocations)
	}
}
