package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// modelCommands are what `mindflow model` can do.
var modelCommands = []command{
	{"list", "show the models, their state and the licence of their weights", listModels},
	{"info", "tell all about one model", informModel},
	{"pull", "bring a model that is missing", pullModel},
	{"verify", "check the sums of the models that are there", verifyModels},
	{"remove", "take a model out of your folder", removeModel},
	{"import", "make a PyTorch checkpoint of DAN a model that runs here", importModel},
}

// model runs one of modelCommands.
func model(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		fmt.Fprintln(out, "usage: mindflow model COMMAND [FLAGS]")
		for _, c := range modelCommands {
			fmt.Fprintf(out, "  %-9s %s\n", c.name, c.brief)
		}
		if len(args) == 0 {
			return errors.New("model: name a command")
		}
		return nil
	}
	for _, c := range modelCommands {
		if c.name == args[0] {
			return c.run(ctx, args[1:], out)
		}
	}
	return fmt.Errorf("unknown command %q; mindflow model help lists the commands", "model "+args[0])
}
