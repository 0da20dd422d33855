package redact

import "strings"

// A context is what the word before some digits says that they are.
type context int

const (
	unsaid context = iota
	aNumber
	anID
	aRange // two numbers with a dash between them
	dialed // a number, or an address of a machine
)

var (
	numberWords = words("tel telephone mobile cell fax msisdn ani dn ext extension caller callee caller_id caller-id callerid")
	idWords     = words("id ids call calls scheduled size length offset limit count total stream status pid page timestamp epoch")
	dialWords   = words("dial dials dialed dialing ring rings ringing rang")
	// beforeVerb are words after which "call" is a verb: to call a number.
	beforeVerb = words("to cannot not can could will would should must may t please")
	rangeWords = words("bytes range port ports")
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

// contextOf returns what the words before the digits at i say that they are. idEnd is
// where the id before them ended: a list of ids goes on.
func contextOf(s string, i, idEnd int) context {
	if idEnd >= 0 && (s[idEnd:i] == "," || s[idEnd:i] == ", " || s[idEnd:i] == " and ") {
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
		if small == "number" && countedWords[lastWord(s, start)] {
			return unsaid
		}
		return aNumber
	case numberWords[small] || numberWords[name]:
		return aNumber
	case !isApart:
		return unsaid
	case small == "call" && beforeVerb[lastWord(s, start)]:
		return dialed
	case idWords[name] || hasSuffix(word, "ID", "Id", "IDs", "Ids"):
		return anID
	case rangeWords[name]:
		return aRange
	case dialWords[small]:
		return dialed
	case small == "of": // page 12 of 1234567
		if before := lastWord(s, start); before != "" && isDigit(before[len(before)-1]) {
			return anID
		}
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

// lastWord returns the word before i, in lower case.
func lastWord(s string, i int) string {
	word, _ := wordBefore(s, i)
	return strings.ToLower(word)
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
