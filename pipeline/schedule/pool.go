package schedule

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is the error of a call after Close.
var ErrClosed = errors.New("the model is closed")

// Pool shares working memory among a limited number of goroutines; others wait. It creates no more items than were
// ever in use at once.
type Pool[T any] struct {
	// static after construction
	create  func() *T
	destroy func(*T) error
	inUse   chan struct{} // holds one value for each item in use
	idle    chan *T
	closed  chan struct{}

	once sync.Once
}

// NewPool returns a pool of at most limit items, which create makes and destroy frees.
func NewPool[T any](limit int, create func() *T, destroy func(*T) error) *Pool[T] {
	return &Pool[T]{
		create: create, destroy: destroy,
		inUse: make(chan struct{}, limit), idle: make(chan *T, limit), closed: make(chan struct{}),
	}
}

// Acquire waits for an item. The error is ctx's or ErrClosed.
func (p *Pool[T]) Acquire(ctx context.Context) (*T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.inUse <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, ErrClosed
	}
	select {
	case t := <-p.idle:
		return t, nil
	default:
		return p.create(), nil
	}
}

// Release gives back an item that Acquire returned.
func (p *Pool[T]) Release(t *T) {
	p.idle <- t
	<-p.inUse
}

// Close waits for the items in use, destroys all items, and calls last. Closing again does nothing.
func (p *Pool[T]) Close(last func() error) (errs error) {
	p.once.Do(func() {
		close(p.closed)
		for range cap(p.inUse) { // then none is in use, nor can be
			p.inUse <- struct{}{}
		}
		for len(p.idle) > 0 {
			errs = errors.Join(errs, p.destroy(<-p.idle))
		}
		errs = errors.Join(errs, last())
	})
	return errs
}
