package events

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func receivedIn(t *testing.T, w *window, id string) (isNew bool) {
	t.Helper()
	isNew, err := w.begin(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if isNew {
		w.end(id, true)
	}
	return isNew
}

func TestTheWindowDropsTheOldest(t *testing.T) {
	t.Parallel()
	w := newWindow(3)
	for _, step := range []struct {
		id    string
		isNew bool
	}{
		{"a", true}, {"b", true}, {"c", true}, {"a", false}, {"b", false}, {"c", false},
		{"d", true}, {"b", false}, {"a", true}, {"c", false}, {"b", true}, {"d", false}, {"a", false},
	} {
		if isNew := receivedIn(t, w, step.id); isNew != step.isNew {
			t.Fatalf("%s is new: %v, want %v", step.id, isNew, step.isNew)
		}
	}
	if len(w.received) != 3 || len(w.receiving) != 0 {
		t.Errorf("%d received, %d being received", len(w.received), len(w.receiving))
	}
}

func TestAFailedEventIsNotKept(t *testing.T) {
	t.Parallel()
	w := newWindow(3)
	for range 10 {
		if isNew, _ := w.begin(t.Context(), "a"); !isNew {
			t.Fatal("a is a duplicate")
		}
		w.end("a", false)
	}
	if len(w.received)+len(w.receiving)+len(w.ring) != 0 {
		t.Errorf("%d received, %d being received, %d in the ring", len(w.received), len(w.receiving), len(w.ring))
	}
}

// TestTheWindowIsBounded has ten times as many ids as the window keeps, each of 1 KiB. It is
// not parallel, since it measures memory.
func TestTheWindowIsBounded(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	long := strings.Repeat("x", 1<<10)
	before := heap()
	w := newWindow(windowSize)
	for i := range 10 * windowSize {
		receivedIn(t, w, fmt.Sprint(long, i))
	}
	grown := heap() - before
	t.Logf("%d KiB", grown>>10)
	if len(w.received) != windowSize || grown > 2<<20 {
		t.Errorf("%d ids in %d bytes", len(w.received), grown)
	}
	runtime.KeepAlive(w)
}
