// Package redact takes e-mail addresses and telephone numbers out of texts that
// others wrote, before they are logged or shown.
package redact

import "regexp"

var private = regexp.MustCompile(`[^\s"'<>(),;:=]+@[^\s"'<>(),;:]+|[+＋]?\p{Nd}(?:[\p{Zs}\p{Pd}\p{Ps}\p{Pe}./−]*\p{Nd}){6,}`)

// Text returns s with every e-mail address, and everything that could be a
// telephone number, replaced. It would rather replace too much.
func Text(s string) string { return private.ReplaceAllString(s, "[redacted]") }
