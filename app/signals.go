package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// UntilSignal returns a context that ends with the first SIGINT or SIGTERM. A second one ends
// the program at once, with the status that shells give to a program that a signal ended. The
// kernel then asks the private PostgreSQL to shut down (package privatepg).
func UntilSignal(stderr io.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		second := <-signals
		LastWords(stderr, fmt.Sprintf("validator-dashboard: a second signal (%s): ending at once, open requests break off\n", second))
		const bySignal = 128
		status := bySignal
		if number, is := second.(syscall.Signal); is {
			status += int(number)
		}
		os.Exit(status)
	}()
	return ctx, cancel
}
