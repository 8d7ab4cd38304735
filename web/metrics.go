package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// meter counts and times requests by route, never by what a client sent.
func (s *Server) meter() (echo.MiddlewareFunc, error) {
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_request_duration_seconds",
		Help:    "Time to answer, by method, route and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"method", "route", "status"})
	if err := s.metrics.Register(took); err != nil {
		return nil, fmt.Errorf("register http metrics: %w", err)
	}
	known := map[string]bool{"GET": true, "POST": true, "HEAD": true, "PUT": true, "DELETE": true, "PATCH": true, "OPTIONS": true}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			err := next(c)
			method, route := c.Request().Method, c.Path()
			if !known[method] {
				method = "other"
			}
			if route == "" {
				route = "unmatched"
			}
			took.WithLabelValues(method, route, strconv.Itoa(c.Response().Status)).Observe(time.Since(start).Seconds())
			return err
		}
	}, nil
}

// metricsPage leaves compression to the middleware of all routes: done twice, no scraper
// could read it.
func (s *Server) metricsPage() echo.HandlerFunc {
	return echo.WrapHandler(promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{DisableCompression: true}))
}
