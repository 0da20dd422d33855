package calls

import (
	"net/mail"
	"net/netip"
	"strings"
)

// maxEmailLength is what RFC 5321 allows, in bytes.
const maxEmailLength = 254

// emailProblem returns what is wrong with a trimmed address, or "" if it is a
// mailbox as of RFC 5321, characters beyond ASCII included. It does not show the
// address.
func emailProblem(email string) string {
	if len(email) > maxEmailLength {
		return "is longer than an e-mail address can be"
	}
	if isPlainMailbox(email) || isMailbox(email) {
		return ""
	}
	unquoted := withoutQuoted(email)
	addresses := strings.FieldsFunc(unquoted, func(r rune) bool {
		return r == ',' || r == ';' || isInvisible(r)
	})
	switch {
	case countWithAt(addresses) > 1:
		return "is more than one e-mail address"
	case strings.Contains(unquoted, ","):
		return "has a comma that is not quoted"
	}
	return "is not an e-mail address"
}

// isPlainMailbox reports whether email is an address of the usual form, of ASCII
// letters, digits and a few signs. It saves isMailbox, which costs ten times as
// much, for nearly every address.
func isPlainMailbox(email string) bool {
	local, domain, _ := strings.Cut(email, "@")
	const signs = ".-_+"
	isLocal := strings.Trim(local, letters+digits+signs) == "" && strings.Trim(local, ".") == local && !strings.Contains(local, "..")
	return local != "" && len(local) <= 64 && isLocal && isHostName(domain)
}

// isMailbox reports whether email is a bare address: net/mail also takes a name,
// comments and space around one, and does not know address literals of IPv6.
func isMailbox(email string) bool {
	if strings.ContainsFunc(withoutQuoted(email), isInvisible) {
		return false
	}
	if local, literal, ok := strings.Cut(email, "@[IPv6:"); ok {
		address, isClosed := strings.CutSuffix(literal, "]")
		if ip, err := netip.ParseAddr(address); !isClosed || err != nil || !ip.Is6() || ip.Zone() != "" {
			return false
		}
		email = local + "@example.com"
	}
	_, err := mail.ParseAddress("<" + email + ">")
	return err == nil
}

// withoutQuoted returns email without the parts that are in quotes.
func withoutQuoted(email string) string {
	isQuoted, isEscaped := false, false
	return strings.Map(func(r rune) rune {
		wasEscaped := isEscaped
		isEscaped = isQuoted && r == '\\' && !wasEscaped
		switch {
		case r == '"' && !wasEscaped:
			isQuoted = !isQuoted
			return -1
		case isQuoted:
			return -1
		}
		return r
	}, email)
}

func countWithAt(addresses []string) int {
	count := 0
	for _, address := range addresses {
		if strings.Contains(address, "@") {
			count++
		}
	}
	return count
}
