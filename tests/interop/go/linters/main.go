// linters reads a Dockerfile from standard input as BuildKit does, and prints the warnings of its linter, one in a line.
// Exit code 1 means that it is no Dockerfile.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func main() {
	result, err := parser.Parse(os.Stdin)
	if err != nil {
		fail(err)
	}
	lint := linter.New(&linter.Config{
		Warn: func(name, _, _, message string, location []parser.Range) {
			line := 0
			if len(location) > 0 {
				line = location[0].Start.Line
			}
			fmt.Printf("%d: %s: %s\n", line, name, message)
		},
	})
	for _, warning := range result.Warnings {
		fmt.Printf("%d: %s\n", warning.Location.Start.Line, warning.Short)
	}
	stages, _, err := instructions.Parse(result.AST, lint)
	if err != nil {
		fail(err)
	}
	fmt.Printf("stages %d\n", len(stages))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
