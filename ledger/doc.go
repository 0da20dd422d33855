// Package ledger creates calls that survive a crash, a deploy and a fleet.
package ledger
