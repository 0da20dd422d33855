package redact

import "strings"

// A context is what the word before some digits says that they are.
type context int

const (
	unsaid context = iota
	aNumber
	anID
	aRange // two numbers with a dash between them
)

var (
	numberWords = words("tel telephone mobile cell fax msisdn ani dn ext extension caller callee caller_id caller-id callerid")
	idWords     = words("id ids call calls scheduled size length offset limit count total stream status pid page")
	rangeWords  = words("bytes range port ports")
	// countedWords are what counts, and not who is called: "port number 8080".
	countedWords = words("port line page version sequence serial attempt ticket menu call")
)

func words(list string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

// contextOf returns what is said about the digits at i. idEnd is where the id
// before them ended: a list of ids goes on.
func contextOf(s string, i, idEnd int) context {
	if idEnd >= 0 && (s[idEnd:i] == "," || s[idEnd:i] == ", ") {
		return anID
	}
	word, start := wordBefore(s, i)
	isApart := !strings.HasSuffix(s[:i], word)
	if word == "is" || word == "was" {
		word, start = wordBefore(s, start)
	}
	small := strings.ToLower(strings.TrimRight(word, "_-"))
	name := small[strings.LastIndexAny(small, "_-")+1:]
	switch {
	case hasSuffix(small, "number", "numbers", "phone", "phones"):
		before, _ := wordBefore(s, start)
		if small == "number" && countedWords[strings.ToLower(before)] {
			return unsaid
		}
		return aNumber
	case numberWords[small] || numberWords[name]:
		return aNumber
	case !isApart:
		return unsaid
	case idWords[name] || hasSuffix(word, "ID", "Id", "IDs", "Ids"):
		return anID
	case rangeWords[name]:
		return aRange
	}
	return unsaid
}

func hasSuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// wordBefore returns the word before i, and where it begins: what stands between
// them is what texts, JSON and paths put between a name and its value.
func wordBefore(s string, i int) (word string, start int) {
	first := max(0, i-maxWords)
	end := i
	for end > first && strings.IndexByte(` :.="'#([{</>\`, s[end-1]) >= 0 {
		end--
	}
	start = end
	for start > first && (isWordByte(s[start-1]) || s[start-1] == '_' || s[start-1] == '-') && !isLineBreak(s, start-1) {
		start--
	}
	return s[start:end], start
}
