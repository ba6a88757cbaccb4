package ort

import (
	"context"
	"errors"
	"sync"
)

// errClosed answers a call after Close.
var errClosed = errors.New("the model is closed")

// pool lends working memory to a limited number of goroutines; others wait. It makes no more than were
// ever lent at once.
type pool[T any] struct {
	// static after construction
	create  func() *T
	destroy func(*T) error
	lent    chan struct{} // holds one value for each that is lent
	idle    chan *T
	closed  chan struct{}

	once sync.Once
}

func newPool[T any](limit int, create func() *T, destroy func(*T) error) *pool[T] {
	return &pool[T]{
		create: create, destroy: destroy,
		lent: make(chan struct{}, limit), idle: make(chan *T, limit), closed: make(chan struct{}),
	}
}

// take waits until one may be lent. The error is ctx's, or errClosed.
func (p *pool[T]) take(ctx context.Context) (*T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.lent <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, errClosed
	}
	select {
	case t := <-p.idle:
		return t, nil
	default:
		return p.create(), nil
	}
}

func (p *pool[T]) give(t *T) {
	p.idle <- t
	<-p.lent
}

// close waits for what is lent, destroys it all, and calls last. Closing again does nothing.
func (p *pool[T]) close(last func() error) (errs error) {
	p.once.Do(func() {
		close(p.closed)
		for range cap(p.lent) { // then nothing is lent, nor can be
			p.lent <- struct{}{}
		}
		for len(p.idle) > 0 {
			errs = errors.Join(errs, p.destroy(<-p.idle))
		}
		errs = errors.Join(errs, last())
	})
	return errs
}
