package redact

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// hostile returns texts of 1 MB that take long in quadratic time.
func hostile() map[string]string {
	const size = 1 << 20
	garbage := make([]byte, size)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(garbage)
	texts := map[string]string{"garbage": string(garbage), "one address": strings.Repeat("a", size) + "@"}
	for _, piece := range []string{
		"1234567a", "@", "a@", "+1 ", "(", "1", "1 ", "1.", "1-", "a.", "1a", "-", "/a?b=", "%", "%40", `"`, `"@`, "://", "a://b@", "id 1,", "phone ",
		"10.0.0.7 ", "12:30 ", "1s", "%2B", "\\", "\u00a0", "٨", "s3cr3t", "=", "0a-",
	} {
		texts["repeated "+piece] = strings.Repeat(piece, size/len(piece))
	}
	return texts
}

func BenchmarkHostile(b *testing.B) {
	redactor := New("s3cr3t-token-0123456789", "customer:s3cr3t-token-0123456789")
	for name, text := range hostile() {
		b.Run("Text/"+strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				redactor.Text(text)
			}
		})
		b.Run("whole/"+strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				redactor.redact(text, 10*len(text))
			}
		})
	}
}

// TestTimeIsLinear has a text that is eight times as long, which takes 64 times as long in
// quadratic time. One good run is enough, since the machine may be busy.
func TestTimeIsLinear(t *testing.T) {
	const short, long, runs = 32 << 10, 256 << 10, 50
	redactor := New("s3cr3t-token-0123456789", "customer:s3cr3t-token-0123456789")
	took := func(text string) time.Duration {
		begin := time.Now()
		redactor.redact(text, 10*len(text))
		return time.Since(begin)
	}
	for name, text := range hostile() {
		a, b := took(text[:short]), took(text[:long])
		for n := 1; b > 20*a && n < runs; n++ {
			a, b = max(a, took(text[:short])), min(b, took(text[:long]))
		}
		if b > 20*a {
			t.Errorf("%s: %d bytes take %v, %d bytes %v", name, short, a, long, b)
		}
	}
}
