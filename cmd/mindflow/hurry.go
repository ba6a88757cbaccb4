package main

import (
	"os"
	"os/signal"
)

// hurry calls now at the second of the signals that interrupt; the first has ended the context of main. Whoever calls it calls stop in
// the end.
func hurry(now func()) (stop func()) {
	signals, over := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, ends()...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 {
			select {
			case <-signals:
			case <-over:
				return
			}
		}
		now()
	}()
	return func() {
		signal.Stop(signals)
		close(over)
		<-done
	}
}
