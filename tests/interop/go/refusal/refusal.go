// Package refusal tells errors by which a library says that what it was given is wrong from all others.
package refusal

import (
	"errors"
	"fmt"
	"os"
)

type refusal struct{ error }

// By returns the error of a library that refused what it was given, or nil if it did not.
func By(what string, err error) error {
	if err == nil {
		return nil
	}
	return refusal{fmt.Errorf("refused: %s: %w", what, err)}
}

// Exit prints an error and ends the program, if there is one: with 1 if a library refused what it was given, or else 3.
func Exit(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	var r refusal
	if errors.As(err, &r) {
		os.Exit(1)
	}
	os.Exit(3)
}
