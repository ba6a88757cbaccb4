package schedule

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed answers a call of a model after Close.
var ErrClosed = errors.New("the model is closed")

// Pool lends working memory to a limited number of goroutines; others wait. It makes no more than were
// ever lent at once.
type Pool[T any] struct {
	// static after construction
	create  func() *T
	destroy func(*T) error
	lent    chan struct{} // holds one value for each that is lent
	idle    chan *T
	closed  chan struct{}

	once sync.Once
}

// NewPool lends to at most limit callers at a time what create makes and destroy frees.
func NewPool[T any](limit int, create func() *T, destroy func(*T) error) *Pool[T] {
	return &Pool[T]{
		create: create, destroy: destroy,
		lent: make(chan struct{}, limit), idle: make(chan *T, limit), closed: make(chan struct{}),
	}
}

// Take waits until one may be lent. The error is ctx's, or ErrClosed.
func (p *Pool[T]) Take(ctx context.Context) (*T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.lent <- struct{}{}:
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

// Give takes back what Take lent.
func (p *Pool[T]) Give(t *T) {
	p.idle <- t
	<-p.lent
}

// Close waits for what is lent, destroys it all, and calls last. Closing again does nothing.
func (p *Pool[T]) Close(last func() error) (errs error) {
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
