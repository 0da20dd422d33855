package redact

import (
	"net/netip"
	"strings"
)

// known returns the length of what begins with the digit at i and is known to be
// no telephone number: an IP address, a date, a time, a duration, a size. It is 0
// for everything else.
func known(s string, i int) int {
	if n := monotonicAt(s, i); n > 0 {
		return n
	}
	if !isDigit(s[i]) || i > 0 && isDigit(s[i-1]) {
		return 0
	}
	if strings.HasSuffix(s[:i], "HTTP/") && hasLayout(s[i:], "d.d") {
		return len("1.1")
	}
	for _, at := range [...]func(string) int{timeAt, ipAt, quantityAt} {
		if n := at(s[i:]); n > 0 {
			return n
		}
	}
	return 0
}

// hasLayout reports whether s begins like layout, where d stands for a digit, h
// for a hexadecimal one, and other characters for themselves.
func hasLayout(s, layout string) bool {
	if len(s) < len(layout) {
		return false
	}
	for i := range len(layout) {
		switch layout[i] {
		case 'd':
			if !isDigit(s[i]) {
				return false
			}
		case 'h':
			if hexDigit(s[i]) < 0 {
				return false
			}
		default:
			if s[i] != layout[i] {
				return false
			}
		}
	}
	return true
}

// goesOn reports whether more digits follow at i, joined to those before it.
func goesOn(s string, i int) bool {
	return i < len(s) && isDigit(s[i]) || i+1 < len(s) && strings.IndexByte("-./", s[i]) >= 0 && isDigit(s[i+1])
}

// timeAt knows a date, a time of the day, and both together, with a fraction and
// a zone, as RFC 3339, HTTP, Go and logs write them.
func timeAt(s string) int {
	if n := len("20060102T150405"); hasLayout(s, "ddddddddTdddddd") && !goesOn(s, n) {
		return n
	}
	date := dateAt(s)
	if date == 0 {
		return clockAt(s)
	}
	if date+1 < len(s) && strings.IndexByte(" Tt_:", s[date]) >= 0 {
		if clock := clockAt(s[date+1:]); clock > 0 {
			return date + 1 + clock
		}
	}
	return date
}

func dateAt(s string) int {
	n := len("2006-01-02")
	if len(s) < n || goesOn(s, n) {
		return 0
	}
	switch {
	case (hasLayout(s, "dddd-dd-dd") || hasLayout(s, "dddd/dd/dd")) && isDate(s[:4], s[5:7], s[8:10]):
		return n
	case (hasLayout(s, "dd.dd.dddd") || hasLayout(s, "dd/dd/dddd") || hasLayout(s, "dd-dd-dddd")) &&
		(isDate(s[6:10], s[3:5], s[:2]) || isDate(s[6:10], s[:2], s[3:5])):
		return n
	}
	return 0
}

func isDate(year, month, day string) bool {
	return "1970" <= year && year <= "2099" && "01" <= month && month <= "12" && "01" <= day && day <= "31"
}

func isYearMonth(s string) bool {
	return len(s) == len("2006-01") && hasLayout(s, "dddd-dd") && isDate(s[:4], s[5:], "01")
}

func clockAt(s string) int {
	if !hasLayout(s, "dd:dd") || s[:2] > "24" || s[3:5] > "59" {
		return 0
	}
	n := len("15:04")
	if hasLayout(s[n:], ":dd") {
		n += len(":05")
	}
	if n < len(s) && (s[n] == '.' || s[n] == ',') {
		if fraction := digitsAt(s[n+1:]); 1 <= fraction && fraction <= 9 {
			n += 1 + fraction
		}
	}
	return n + zoneAt(s[n:])
}

// zoneAt knows Z, +09:00 and +0900, also after a space.
func zoneAt(s string) int {
	t := strings.TrimPrefix(s, " ")
	space := len(s) - len(t)
	if t == "" || t[0] != '+' && t[0] != '-' {
		return 0
	}
	for _, layout := range [...]string{"dd:dd", "dddd"} {
		n := 1 + len(layout)
		if hasLayout(t[1:], layout) && t[1:3] <= "14" && isQuarter(t[n-2:n]) && !goesOn(t, n) &&
			(n+1 >= len(t) || t[n] != ' ' || !isDigit(t[n+1])) {
			return space + n
		}
	}
	return 0
}

// isQuarter reports whether minutes are a quarter of an hour, as those of all time zones are.
func isQuarter(minutes string) bool {
	return minutes == "00" || minutes == "15" || minutes == "30" || minutes == "45"
}

// monotonicAt knows the end of what a time.Time prints: m=+0.000012345.
func monotonicAt(s string, i int) int {
	if s[i] != '+' && s[i] != '-' || !strings.HasSuffix(s[:i], " m=") {
		return 0
	}
	whole := digitsAt(s[i+1:])
	n := i + 1 + whole
	if whole == 0 || !hasLayout(s[n:], ".ddddddddd") || goesOn(s, n+10) {
		return 0
	}
	return 1 + whole + len(".000012345")
}

// ipAt knows an IPv4 address, with a port or a prefix length. The digits of an
// IPv6 address are no telephone number to begin with.
func ipAt(s string) int {
	n := 0
	dots := 0
	for n < len(s) && n <= len("255.255.255.255") && (isDigit(s[n]) || s[n] == '.' && n+1 < len(s) && isDigit(s[n+1])) {
		if s[n] == '.' {
			dots++
		}
		n++
	}
	if dots != 3 {
		return 0
	}
	if addr, err := netip.ParseAddr(s[:n]); err != nil || !addr.Is4() {
		return 0
	}
	if n < len(s) && (s[n] == ':' || s[n] == '/') {
		if port := digitsAt(s[n+1:]); 1 <= port && port <= 5 {
			n += 1 + port
		}
	}
	return n
}

var (
	timeUnits = words("ns us µs μs ms s m h sec secs second seconds min mins minute minutes hour hours day days")
	sizeUnits = words("B kB KB MB GB TB KiB MiB GiB TiB byte bytes bit bits")
)

// quantityAt knows a duration or a size with its unit: 1.5s, 64 KiB. One letter
// is a unit only right after the digits.
func quantityAt(s string) int {
	whole := digitsAt(s)
	n := whole
	if fraction := n + 1; n < len(s) && s[n] == '.' && digitsAt(s[fraction:]) > 0 {
		n = fraction + digitsAt(s[fraction:])
	}
	number := n
	if n < len(s) && s[n] == ' ' {
		n++
	}
	unit := s[n : n+unitLength(s[n:])]
	switch {
	case n > number && len(unit) == 1 && unit != "B":
		return 0
	case timeUnits[unit] && (whole <= 6 || whole == 7 && unit == "h") && number-whole <= 10,
		sizeUnits[unit] && whole <= 15 && number-whole <= 10:
		return n + len(unit)
	}
	return 0
}

func unitLength(s string) int {
	n := 0
	for n < len(s) && n < 10 && (isLetter(s[n]) || strings.HasPrefix(s[n:], "µ") || strings.HasPrefix(s[n:], "μ") || n > 0 && s[n-1] >= 0xC2) {
		n++
	}
	return n
}

// digitsAt counts the ASCII digits at the beginning of s, up to 20.
func digitsAt(s string) int {
	n := 0
	for n < len(s) && n < 20 && isDigit(s[n]) {
		n++
	}
	return n
}
