// Package schedule shares the machine among the streams of one process: slots to work in, batches of crops that
// several streams fill together, and a pool of working memory.
package schedule
