// Package operate serves those who run a server: metrics for Prometheus, readiness for load balancers, profiles of the
// running process, and the redirect from plain HTTP to HTTPS.
package operate
