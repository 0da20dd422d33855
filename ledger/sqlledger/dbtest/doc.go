// Package dbtest tests sqlledger on real databases. It is a module of its own, so
// that no driver is a dependency of the module calls.
package dbtest
